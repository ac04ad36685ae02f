/**
 * Delivery: is a message given to those sessions of its addressee that RFC 6121 §8.5 names?
 *
 * Who shall have it depends on what the server knew when it looked. A priority is certain from when its
 * client had an answer to a request that it sent after its presence, or a message of its own arrived or
 * bounced, until it sends another presence. Judged is where all of the user's sessions are at the sender's
 * node: what a node knows of others may be old.
 */
import { bareOf, type Login, type Logins } from "./logins.ts";
import type { MessageType, Plan } from "../plan.ts";
import type { TraceEvent } from "../trace.ts";
import type { Gathered, Oracle, Verdict } from "./oracle.ts";
import { traffic } from "../trace.ts";

/** What the server knows for certain of a session's presence, and since when. */
interface Presence {
  priority: number;
  /** Requests and messages sent after it: what becomes of one proves that the server has read it. */
  readonly asked: Set<string>;
  certainAt: number | undefined;
}

export class Delivery implements Oracle {
  readonly name = "delivery";
  readonly counts = "deliveries";
  readonly ignores = traffic;
  readonly #logins: Logins;
  readonly #presences = new Map<string, Presence>();
  readonly #sent = new Map<
    string,
    { readonly login: string; readonly to: string; readonly type: MessageType; readonly at: number }
  >();
  readonly #failures: string[] = [];
  #judged = 0;
  #unknown = 0;

  constructor(logins: Logins) {
    this.#logins = logins;
  }

  see(event: TraceEvent): void {
    this.#logins.see(event);
    const { kind, data, at } = event;
    if (kind === "presence-sent") {
      const priority = data.available ? data.priority : -1;
      this.#presences.set(data.login, { priority, asked: new Set(), certainAt: undefined });
    } else if (kind === "iq-sent") this.#presences.get(data.login)?.asked.add(data.id);
    else if (kind === "iq-answered" || kind === "message-bounced") {
      this.#handled(data.login, data.id, at);
    } else if (kind === "message-sent") {
      const { login, to, type = "chat" } = data;
      this.#sent.set(data.id, { login, to, type, at });
      this.#presences.get(login)?.asked.add(data.id);
    } else if (kind === "message-received") {
      this.#handled(this.#sent.get(data.id)?.login ?? "", data.id, at);
      this.#received(data.login, data.id, data.to);
    }
  }

  judge(): Verdict {
    return { judged: this.#judged, unknown: this.#unknown, failures: this.#failures };
  }

  /** The server has read all that came before this on its stream. */
  #handled(login: string, id: string, at: number): void {
    const presence = this.#presences.get(login);
    if (presence?.asked.has(id) === true) presence.certainAt ??= at;
  }

  #received(login: string, id: string, to: string): void {
    const message = this.#sent.get(id);
    const sender = this.#logins.get(message?.login ?? "");
    const recipient = this.#logins.get(login);
    if (message === undefined || sender === undefined || recipient?.jid === to) return;
    const others = this.#logins.ofUser(bareOf(to));
    const near = others.every(({ node }) => node === sender.node);
    if (recipient === undefined || !near) {
      this.#unknown += 1;
      return;
    }
    this.#judged += 1;
    const { type } = message;
    if (type === "groupchat" || (type !== "chat" && to.includes("/"))) {
      this.#failures.push(`${login} received ${id} (${type}), which was to ${to}`);
    }
    const own = this.#certain(recipient, message.at);
    if (own === undefined) return;
    if (own < 0) this.#failures.push(`${login} received ${id} to ${to} at priority ${own}`);
    for (const other of others) {
      if (other === recipient) continue;
      if (other.jid === to && stays(other, message.at)) {
        this.#failures.push(`${login} received ${id}, but ${other.login} is ${to}`);
      }
      const better = this.#certain(other, message.at) ?? -1;
      if (better <= own || type === "headline") continue;
      const where = `at priority ${own}, but ${other.login} has ${better}`;
      this.#failures.push(`${login} received ${id} to ${to} ${where}`);
    }
  }

  /** The priority that the server has known since this time at least. */
  #certain(login: Login, at: number): number | undefined {
    const presence = this.#presences.get(login.login);
    if (presence?.certainAt === undefined || presence.certainAt > at) return undefined;
    return stays(login, at) ? presence.priority : undefined;
  }
}

/** Bound since this time and still there. */
function stays({ boundAt, endedAt, nodeClosedAt }: Login, at: number): boolean {
  return (boundAt ?? at + 1) <= at && endedAt === undefined && nodeClosedAt === undefined;
}

export function delivery(_plan: Plan, { logins }: Gathered): Oracle {
  return new Delivery(logins);
}
