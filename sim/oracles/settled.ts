/**
 * Settled: when a node is told that a peer sees what it had written, does the peer see it?
 *
 * Promise 12 of the replicated tables. And no client is told that it is bound before its node has had that
 * answer for its session, good or bad: a login is visible everywhere before anybody can speak of it.
 *
 * Who goes down meanwhile is waited for no longer, and is neither among those who see it nor among those who were slow.
 *
 * A peer that has since lost, or left, who asks may have seen it and hidden it within one step: what it showed at the
 * end of its steps proves nothing then.
 */
import { textFromBinary } from "../../src/base/bytes.ts";
import type { Gathered, Oracle, Verdict } from "./oracle.ts";
import type { Plan } from "../plan.ts";
import type { Replicas } from "./replicas.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../trace.ts";

/** What it has a use for of its own. */
const own = [
  "login-started",
  "connection-opened",
  "login-bound",
  "peer-down",
  "settle-asked",
  "settled",
] as const;

class Settled implements Oracle {
  readonly name = "settled";
  readonly counts = "answers";
  readonly sees: readonly TraceKind[];
  readonly #replicas: Replicas;
  readonly #failures: string[] = [];
  /** By process and request: the seq of each table when it was asked. */
  readonly #asked = new Map<string, ReadonlyMap<string, number>>();
  /** By process and full JID: when what was asked as a session of it was written was last answered; -1: never. */
  readonly #answeredAt = new Map<string, number>();
  /** By process and request: whose session it is about. */
  readonly #asking = new Map<string, string>();
  /** By process and request: when it was asked. By reader and owner: when the former's link with the latter ended. */
  readonly #askedAt = new Map<string, number>();
  readonly #lostAt = new Map<string, number>();
  /** By process: its requests that are not answered, each with those who went down since. */
  readonly #open = new Map<string, Map<number, Set<string>>>();
  /** By process: the key that it wrote last. */
  readonly #lastKey = new Map<string, string>();
  readonly #startedAt = new Map<string, number>();
  /** By login: the process that serves it. Its last word may come when another has its name. */
  readonly #servedBy = new Map<string, string>();
  #judged = 0;
  #unknown = 0;

  constructor({ replicas }: Gathered) {
    this.#replicas = replicas;
    this.sees = [...replicas.sees, ...own];
  }

  see(event: TraceEvent): void {
    this.#replicas.see(event);
    const { kind, data, at, place } = event;
    if (kind === "login-started") this.#startedAt.set(data.login, at);
    if (kind === "login-bound") this.#bound(data.login, data.jid, at);
    const self = this.#replicas.running.get(place)?.peer;
    if (self === undefined) return;
    switch (kind) {
      case "connection-opened":
        return void this.#servedBy.set(data.login, self);
      case "peer-down":
        this.#lostAt.set(`${self} ${data.peer}`, at);
        for (const down of this.#open.get(self)?.values() ?? []) down.add(data.peer);
        return;
      case "table-written":
        return void this.#lastKey.set(self, textFromBinary(data.key));
      case "settle-asked":
        return this.#asks(self, data.request, at);
      case "settled":
        return this.#answered(self, data, at);
      default:
    }
  }

  judge(): Verdict {
    return { judged: this.#judged, unknown: this.#unknown, failures: this.#failures };
  }

  #bound(login: string, jid: string, at: number): void {
    const answered = this.#answeredAt.get(`${this.#servedBy.get(login)} ${jid}`);
    if (answered === undefined) return;
    this.#judged += 1;
    if (answered >= (this.#startedAt.get(login) ?? 0)) return;
    this.#failures.push(`${login} was told at ${at} ms that it is bound, others were not`);
  }

  #asks(self: string, request: number, at: number): void {
    const key = `${self} ${request}`;
    const about = `${self} ${this.#lastKey.get(self)}`;
    this.#asking.set(key, about);
    if (!this.#answeredAt.has(about)) this.#answeredAt.set(about, -1);
    const seqs = [...this.#replicas.tables()].map(
      (table) => [table, this.#replicas.history(self, table)?.seq ?? 0] as const,
    );
    this.#asked.set(key, new Map(seqs));
    this.#askedAt.set(key, at);
    const open = this.#open.get(self);
    if (open === undefined) this.#open.set(self, new Map([[request, new Set()]]));
    else open.set(request, new Set());
  }

  #answered(self: string, { request, visible, missing }: TraceKinds["settled"], at: number): void {
    const key = `${self} ${request}`;
    this.#answeredAt.set(this.#asking.get(key) ?? "", at);
    for (const peer of visible) this.#judgeVisible(self, peer, key, at);
    const down = this.#open.get(self)?.get(request);
    this.#open.get(self)?.delete(request);
    this.#judged += 1;
    for (const peer of [...visible, ...missing]) {
      if (down?.has(peer) !== true) continue;
      this.#failures.push(`${self} waited until ${at} ms for ${peer}, which had gone down`);
    }
  }

  #judgeVisible(self: string, peer: string, key: string, at: number): void {
    const reader = this.#replicas.processes.get(peer);
    if (reader === undefined) return;
    if ((this.#lostAt.get(`${peer} ${self}`) ?? -1) >= (this.#askedAt.get(key) ?? 0)) {
      this.#unknown += 1;
      return;
    }
    this.#judged += 1;
    for (const [table, seq] of this.#asked.get(key) ?? []) {
      const shown = this.#replicas.shown(reader, table, self);
      if (shown >= seq) continue;
      this.#failures.push(
        `${self} was told at ${at} ms that ${peer} sees ${table} up to ${seq}; it saw ${shown}`,
      );
    }
  }
}

export function settled(_plan: Plan, gathered: Gathered): Oracle {
  return new Settled(gathered);
}
