/**
 * Unwritten: how much can wait for a client, at most, going by what was said to it and by it?
 *
 * All that was said to its user, or by its user and may come back, counts until a node has written it to the latest of that
 * user's connections. What was said in vain counts for ever: the bound may be too high, never too low. It holds for a user of one
 * client alone.
 */
import { userOf } from "../addresses.ts";
import { shortBytes } from "../clients/sayings.ts";
import type { Plan } from "../plan.ts";
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
  /** By user: those of one client alone. */
  readonly #of: ReadonlyMap<string, Waiting>;
  readonly #users = new Map<number, string>();
  readonly #userOfLogin = new Map<string, string>();

  constructor(plan: Plan, written: Written) {
    this.#written = written;
    this.sees = [
      ...written.sees,
      ...(["login-started", "message-sent", "iq-sent", "notice-sent"] as const),
    ];
    const users = plan.clients.map(({ user }) => user);
    const single = users.filter((user) => users.indexOf(user) === users.lastIndexOf(user));
    this.#of = new Map(
      single.map((user) => [user, { bytes: 0, ids: new Map(), connection: undefined }]),
    );
  }

  see(event: TraceEvent): void {
    const ids = this.#written.see(event);
    const { kind, data } = event;
    switch (kind) {
      case "login-started":
        return void this.#userOfLogin.set(data.login, data.user);
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
    const sender = this.#userOfLogin.get(login) ?? "";
    for (const user of new Set([sender, userOf(to)])) {
      const waiting = this.#of.get(user);
      if (waiting === undefined) continue;
      waiting.bytes += bytes + besidesBytes;
      waiting.ids.set(id, bytes + besidesBytes);
    }
  }

  #wrote(connection: number, ids: readonly string[]): void {
    const waiting = this.#of.get(this.#users.get(connection) ?? "");
    if (waiting?.connection !== connection) return;
    for (const id of ids) {
      waiting.bytes -= waiting.ids.get(id) ?? 0;
      waiting.ids.delete(id);
    }
  }
}
