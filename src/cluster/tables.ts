/**
 * Tables: how do the tables of all nodes come to show the same?
 *
 * Every node owns a partition of every table and reads those of its peers. Only the owner speaks for its
 * records, pair by pair: it sends each reader what it lacks and then every operation in order, and a
 * reader shows an owner's partition while they are in session and it is caught up. There is no lock, no
 * vote and no merge; a join or a split costs the two ends of a link something, and nobody waits.
 *
 *     own writes -> table -> [flush] operations -> sync-source -> link -> sync-replica -> table
 *
 * This class keeps one `SyncSession` a peer and what outlives sessions: what is kept aside for a return,
 * and who waits until a write is visible everywhere. It does not choose between two owners' records of one
 * key: that is the user's business.
 */
import { assert } from "../base/assert.ts";
import type { BinaryString } from "../base/bytes.ts";
import type { Instant, Now } from "../base/time.ts";
import { digestVersion } from "./digest.ts";
import type { Message } from "./messages.ts";
import type { Operation } from "./operation-log.ts";
import { samePeer, type NodeName, type Peer } from "./peer.ts";
import { Retention } from "./retention.ts";
import { Settlement } from "./settlement.ts";
import { writeBeat, writeOperations } from "./sync-messages.ts";
import { SyncSession } from "./sync-session.ts";
import { ReplicatedTable } from "./table.ts";
import {
  tablesLimits,
  tablesTiming,
  type ReplicaStatus,
  type TablesEffect,
  type TablesInput,
  type TablesLimits,
  type TablesOptions,
  type TablesTiming,
  type TableStatus,
  type UnsharedTables,
} from "./tables-contract.ts";

export * from "./tables-contract.ts";

export class Tables {
  readonly #self: Peer;
  readonly #timing: TablesTiming;
  readonly #limits: TablesLimits;
  /** Their place is the number under which we announce them. */
  readonly #tables: readonly ReplicatedTable[];
  readonly #byName: ReadonlyMap<string, ReplicatedTable>;
  readonly #sessions = new Map<NodeName, SyncSession>();
  readonly #retention: Retention;
  readonly #settlement: Settlement;
  /** Tables whose readers shall report when they show all that was written. */
  readonly #reports = new Set<string>();
  #lastSync = 0;
  #now: Instant = 0;
  #effects: TablesEffect[] = [];

  constructor(options: TablesOptions) {
    const { self, timing = tablesTiming, limits = tablesLimits } = options;
    this.#self = self;
    this.#timing = timing;
    this.#limits = limits;
    this.#tables = options.tables.map(
      (table) => new ReplicatedTable(self, table, limits, options.hash),
    );
    this.#byName = new Map(this.#tables.map((table) => [table.name, table]));
    assert(this.#byName.size === this.#tables.length, "Names of replicated tables are unique");
    this.#retention = new Retention({ after: timing.retention, bytesMax: limits.retainedBytesMax });
    this.#settlement = new Settlement(timing.settleTimeout);
  }

  table(name: string): ReplicatedTable {
    const table = this.#byName.get(name);
    assert(table !== undefined, `There is no replicated table ${name}`);
    return table;
  }

  /** When `step` must next be called, whatever else happens. */
  deadline(): Instant | undefined {
    let first = Math.min(
      this.#retention.deadline() ?? Infinity,
      this.#settlement.deadline() ?? Infinity,
    );
    for (const { staleSince } of this.#sessions.values()) {
      if (staleSince !== undefined) first = Math.min(first, staleSince + this.#timing.staleMax);
    }
    return first === Infinity ? undefined : first;
  }

  step(now: Now, input: TablesInput): readonly TablesEffect[] {
    this.#now = now.at;
    this.#beginSettling();
    switch (input.type) {
      case "peer-up":
        this.#up(input.peer, input.session);
        break;
      case "peer-down":
        this.#down(input.peer, input.final);
        break;
      case "message-received":
        this.#session(input.peer)?.receive(now.at, input.kind, input.body);
        break;
      case "beat-received":
        this.#session(input.peer)?.beat(now.at, input.body);
        break;
      case "queue-full":
        this.#session(input.peer)?.setQueueFull(true);
        break;
      case "queue-drained":
        this.#session(input.peer)?.setQueueFull(false);
        break;
      case "deadline-reached":
        this.#due();
        break;
    }
    this.#settle();
    return this.#take();
  }

  /** The end of a core step: what was written leaves. Call again while `pending`, after `pull`. */
  flush(now: Now): readonly TablesEffect[] {
    this.#now = now.at;
    this.#beginSettling();
    this.#tables.forEach((table, number) => {
      if (table.hasUnsent || this.#reports.has(table.name)) this.#flush(number);
    });
    for (const session of this.#sessions.values()) session.endSyncs();
    this.#settle();
    return this.#take();
  }

  /** What was written so far leaves now, in front of something else that is about to be sent. */
  sendWritten(): readonly TablesEffect[] {
    for (let number = 0; number < this.#tables.length; number += 1) {
      if (this.#tables[number]?.hasUnsent === true) this.#flush(number);
    }
    return this.#take();
  }

  /** Is there something that only the next `flush` will say? */
  get pending(): boolean {
    for (const session of this.#sessions.values()) if (session.ending) return true;
    return false;
  }

  /**
   * One `settled` effect comes when every record written so far, and up to the next `step` or `flush`, is
   * visible at each peer that follows its table now, at the latest after `settleTimeout`; at once, with the
   * next `flush`, if it is already.
   */
  settle(now: Now, request: number): void {
    this.#settlement.ask(now.at, request);
  }

  /** What rides on each heartbeat to this peer: the state of what we own. */
  beatBody(peer: Peer): BinaryString {
    if (this.#session(peer) === undefined) return "";
    const states = this.#tables.map(({ ownPartition: { seq, size, digest } }) => {
      return { seq, count: size, low: digest.low, high: digest.high };
    });
    return writeBeat(digestVersion, states);
  }

  /** The next chunk for a peer, read from the live table now. See `ChunkSource`. */
  pull(peer: Peer, written: number): Message | undefined {
    return this.#session(peer)?.pull(written);
  }

  /** Whether `pull` may find something. */
  ready(peer: Peer): boolean {
    return this.#session(peer)?.pullable === true;
  }

  /** At which position a `send` effect with `sync` went out. */
  sent(peer: Peer, sync: number, position: number): void {
    this.#session(peer)?.sent(sync, position);
  }

  /** Are all tables that we share with this peer caught up here? */
  synced(peer: Peer): boolean {
    return this.#session(peer)?.synced === true;
  }

  /** By estimate: of all that is kept aside for absent peers. */
  get retainedBytes(): number {
    return this.#retention.bytes;
  }

  status(): readonly TableStatus[] {
    return this.#tables.map((table) => {
      const replicas: ReplicaStatus[] = [];
      const readers: TableStatus["readers"][number][] = [];
      for (const session of this.#sessions.values()) {
        const pair = session.pair(table.name);
        if (pair === undefined) continue;
        const { source, replica } = pair;
        replicas.push(replica.status());
        const { state, visibleSeq } = source;
        readers.push({ peer: session.peer, state, visibleSeq });
      }
      for (const { peer, partitions } of this.#retention.kept) {
        const partition = partitions.get(table.name);
        if (partition === undefined) continue;
        const { seq, size: records } = partition;
        const state = "retained";
        replicas.push({ peer, seq, records, visible: false, state, diverged: 0 });
      }
      const { seq, size: records } = table.ownPartition;
      return { name: table.name, seq, records, logBytes: table.log.bytes, replicas, readers };
    });
  }

  /** Of peers that have not the same tables: neither side gets those of the other. */
  unshared(): readonly UnsharedTables[] {
    return [...this.#sessions.values()]
      .map(({ unshared }) => unshared)
      .filter(({ missing, unknown }) => missing.length + unknown.length > 0);
  }

  #session(peer: Peer): SyncSession | undefined {
    const session = this.#sessions.get(peer.name);
    return session !== undefined && samePeer(session.peer, peer) ? session : undefined;
  }

  #up(peer: Peer, number: number): void {
    const before = this.#sessions.get(peer.name);
    assert(before === undefined, `Two sessions with ${peer.name}`);
    const session = new SyncSession({
      self: this.#self,
      peer,
      session: number,
      tables: this.#tables,
      kept: this.#retention.take(peer),
      timing: this.#timing,
      limits: this.#limits,
      effect: (effect) => void this.#effects.push(effect),
      nextSync: () => ++this.#lastSync,
      flush: (table) => this.#flush(table),
    });
    this.#sessions.set(peer.name, session);
    session.open();
  }

  #down(peer: Peer, final: boolean): void {
    const session = this.#session(peer);
    if (session === undefined) return;
    this.#sessions.delete(peer.name);
    const kept = session.close();
    if (!final && kept.size > 0) this.#retention.add(this.#now, peer, kept);
    this.#settlement.lose(session.peer);
  }

  #due(): void {
    this.#retention.expire(this.#now);
    for (const session of this.#sessions.values()) {
      if ((session.staleSince ?? Infinity) + this.#timing.staleMax <= this.#now) {
        session.give(`It took no operations for ${this.#timing.staleMax} ms`);
      }
    }
  }

  /** Sends what was written to one table since the last time, the same bytes to all who follow it. */
  #flush(number: number): void {
    const table = this.#tables[number];
    if (table === undefined) return;
    const report = this.#reports.delete(table.name);
    const operations = table.takeUnsent();
    const followers = [...this.#sessions.values()].filter((session) => session.follows(table.name));
    if (followers.length === 0 || (operations.length === 0 && !report)) return;
    const from = table.ownPartition.seq - operations.length;
    const bodies = this.#bodies(number, from, operations, report);
    for (const session of followers) session.operations(this.#now, table.name, from, bodies);
  }

  #bodies(
    number: number,
    from: number,
    operations: readonly Operation[],
    report: boolean,
  ): readonly BinaryString[] {
    const { operationsBytesMax } = this.#limits;
    const bodies: BinaryString[] = [];
    let first = 0;
    let bytes = 0;
    for (const [index, { at, end }] of operations.entries()) {
      const size = end - at;
      if (bytes > 0 && bytes + size > operationsBytesMax) {
        const part = operations.slice(first, index);
        bodies.push(writeOperations(number, from + first, part, false));
        [first, bytes] = [index, 0];
      }
      bytes += size;
    }
    const last = first === 0 ? operations : operations.slice(first);
    bodies.push(writeOperations(number, from + first, last, report));
    return bodies;
  }

  #beginSettling(): void {
    if (!this.#settlement.asked) return;
    for (const name of this.#settlement.begin(this.#sessions.values())) this.#reports.add(name);
  }

  #settle(): void {
    for (const effect of this.#settlement.take(this.#now)) this.#effects.push(effect);
  }

  #take(): readonly TablesEffect[] {
    const effects = this.#effects;
    if (effects.length > 0) this.#effects = [];
    return effects;
  }
}
