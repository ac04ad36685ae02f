/**
 * Presences: what does the server know for certain of each login's presence, and since when?
 *
 * A client is told nothing of its own presence. But what it said after it, and what came of that, proves that the
 * server has read both.
 */
import type { TraceEvent, TraceKind } from "../trace.ts";

export interface Presence {
  readonly available: boolean;
  readonly priority: number;
}

interface Told extends Presence {
  /** Requests and messages sent after it: what becomes of one proves that the server has read it. */
  readonly asked: Set<string>;
  certainAt: number | undefined;
}

export class Presences {
  readonly sees: readonly TraceKind[] = [
    "presence-sent",
    "iq-sent",
    "iq-answered",
    "message-sent",
    "message-received",
    "message-bounced",
  ];
  readonly #told = new Map<string, Told>();
  /** By its id: who has sent a message. */
  readonly #senders = new Map<string, string>();
  #latest: TraceEvent | undefined;

  see(event: TraceEvent): void {
    if (event === this.#latest) return;
    this.#latest = event;
    const { kind, data, at } = event;
    switch (kind) {
      case "presence-sent": {
        const { login, available, priority } = data;
        this.#told.set(login, { available, priority, asked: new Set(), certainAt: undefined });
        return;
      }
      case "message-sent":
        this.#senders.set(data.id, data.login);
        return this.#asked(data.login, data.id);
      case "iq-sent":
        return this.#asked(data.login, data.id);
      case "iq-answered":
      case "message-bounced":
        return this.#handled(data.login, data.id, at);
      case "message-received":
        return this.#handled(this.#senders.get(data.id) ?? "", data.id, at);
      default:
    }
  }

  /** What the server has known since this time at least. */
  certain(login: string, at: number): Presence | undefined {
    const told = this.#told.get(login);
    return told?.certainAt === undefined || told.certainAt > at ? undefined : told;
  }

  #asked(login: string, id: string): void {
    const told = this.#told.get(login);
    if (told !== undefined && told.certainAt === undefined) told.asked.add(id);
  }

  /** The server has read all that came before this on its stream. */
  #handled(login: string, id: string, at: number): void {
    const told = this.#told.get(login);
    if (told?.asked.has(id) === true) told.certainAt ??= at;
  }
}
