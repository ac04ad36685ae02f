/**
 * Unwritten: how much can wait for a client that reads slowly, at most, going by what was said to it and by it?
 *
 * All that was said to its user, or by its user and may come back, counts until a node has written it to the latest of that
 * user's connections. What was said in vain counts for ever: the bound may be too high, never too low. Asked of non-readers
 * alone, who say little, and whose account nobody shares.
 */
import { userOf } from "../addresses.ts";
import { shortBytes } from "../clients/sayings.ts";
import type { ClientPlan, Plan } from "../plan.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";
import type { Written } from "./written.ts";

/** Addresses, ids and tags, however they are spelled; of an answer, too, why it is none. */
const besidesBytes = 400;

interface Waiting {
  bytes: number;
  readonly ids: Map<string, number>;
  /** The latest. */
  connection: number | undefined;
}

export class Unwritten {
  readonly sees: readonly TraceKind[];
  readonly #written: Written;
  /** By user. */
  readonly #of = new Map<string, Waiting>();
  readonly #users = new Map<number, string>();
  readonly #userOfLogin = new Map<string, string>();

  constructor(plan: Plan, written: Written) {
    this.#written = written;
    this.sees = [
      ...written.sees,
      ...(["login-started", "message-sent", "iq-sent", "notice-sent"] as const),
    ];
    const users = plan.clients.map(({ user }) => user);
    const alone = ({ user }: ClientPlan) => users.indexOf(user) === users.lastIndexOf(user);
    for (const client of plan.clients) {
      if (client.behaviour.kind !== "non-reader" || !alone(client)) continue;
      this.#of.set(client.user, { bytes: 0, ids: new Map(), connection: undefined });
    }
  }

  see(event: TraceEvent): void {
    if (this.#of.size === 0) return;
    const ids = this.#written.see(event);
    const { kind, data } = event;
    switch (kind) {
      case "login-started":
        if (this.#of.has(data.user)) this.#userOfLogin.set(data.login, data.user);
        return;
      case "connection-opened":
        return this.#opened(data.connection, this.#userOfLogin.get(data.login) ?? "");
      case "message-sent":
        return this.#said(data, Math.max(data.bytes ?? 0, shortBytes));
      case "iq-sent":
      case "notice-sent":
        return this.#said(data, 0);
      case "bytes-sent":
        if (ids.length > 0) this.#wrote(data.connection, ids);
    }
  }

  /** Undefined: of this connection nothing is known. */
  bound(connection: number): number | undefined {
    const waiting = this.#of.get(this.#users.get(connection) ?? "");
    return waiting?.connection === connection ? waiting.bytes : undefined;
  }

  #opened(connection: number, user: string): void {
    const waiting = this.#of.get(user);
    if (waiting === undefined) return;
    waiting.connection = connection;
    this.#users.set(connection, user);
  }

  #said({ login, id, to }: { login: string; id: string; to: string }, bytes: number): void {
    const sender = this.#userOfLogin.get(login);
    if (sender !== undefined) this.#mayCome(sender, id, bytes);
    const addressee = userOf(to);
    if (addressee !== sender) this.#mayCome(addressee, id, bytes);
  }

  #mayCome(user: string, id: string, bytes: number): void {
    const waiting = this.#of.get(user);
    if (waiting === undefined) return;
    waiting.bytes += bytes + besidesBytes;
    waiting.ids.set(id, bytes + besidesBytes);
  }

  #wrote(connection: number, ids: readonly string[]): void {
    const user = this.#users.get(connection);
    const waiting = user === undefined ? undefined : this.#of.get(user);
    if (waiting?.connection !== connection) return;
    for (const id of ids) {
      waiting.bytes -= waiting.ids.get(id) ?? 0;
      waiting.ids.delete(id);
    }
  }
}
