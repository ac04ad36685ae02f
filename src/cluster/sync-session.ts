/**
 * Sync session: what passes between this node and one peer from `peer-up` to `peer-down`?
 *
 * Both sides open with the list of their tables and, for each, what they already have of the other's. A
 * table that the other lacks, or has with another schema, is left out in both directions.
 */
import type { BinaryString } from "../base/bytes.ts";
import type { Piece } from "../base/chunk.ts";
import type { Instant } from "../base/time.ts";
import { readerOf, WireError, WireReader } from "./codec.ts";
import { digestVersion } from "./digest.ts";
import { kinds, type Message, type MessageKind } from "./messages.ts";
import type { Partition } from "./partition.ts";
import type { Peer } from "./peer.ts";
import {
  mainStream,
  readBeat,
  readHave,
  readHead,
  readTables,
  readVisible,
  writeHave,
  writeTables,
  writeVisible,
} from "./sync-messages.ts";
import { SyncReplica } from "./sync-replica.ts";
import { SyncSource, type Answer } from "./sync-source.ts";
import type { ReplicatedTable } from "./table.ts";
import type {
  TablesEffect,
  TablesLimits,
  TablesTiming,
  UnsharedTables,
} from "./tables-contract.ts";

export interface SyncSessionOptions {
  readonly self: Peer;
  readonly peer: Peer;
  readonly session: number;
  /** In the order in which we count them. */
  readonly tables: readonly ReplicatedTable[];
  /** What was kept of this peer. */
  readonly kept: ReadonlyMap<string, Partition>;
  readonly timing: TablesTiming;
  readonly limits: TablesLimits;
  readonly effect: (effect: TablesEffect) => void;
  /** A number that no sync had before. */
  readonly nextSync: () => number;
  /** Sends what was written to a table to those who follow it. */
  readonly flush: (number: number) => void;
}

/** One table on both sides. */
interface Pair {
  readonly number: number;
  readonly source: SyncSource;
  readonly replica: SyncReplica;
}

export class SyncSession {
  readonly peer: Peer;
  readonly #options: SyncSessionOptions;
  /** All of ours until the peer's list is here, then those that both have. */
  #pairs: readonly Pair[];
  /** Names of tables that only one of us has, or that have another schema there. */
  #unshared: Omit<UnsharedTables, "peer"> = { missing: [], unknown: [] };
  /** By the peer's numbers; undefined until its list is here. */
  #theirs: ReadonlyMap<number, Pair> | undefined;
  #digestVersion = digestVersion;
  #queueFull = false;
  #staleSince: Instant | undefined;
  #syncedSaid = false;
  /** It broke the protocol or was too slow: what it still says is not listened to. */
  #given = false;

  constructor(options: SyncSessionOptions) {
    const { self, peer, tables, kept, limits, timing } = options;
    this.peer = peer;
    this.#options = options;
    const numbers = new Map(tables.map((table, number) => [table, number]));
    const outlet = {
      effect: options.effect,
      ask: (table: ReplicatedTable, seq: number | undefined, snapshot: boolean) =>
        this.#send(kinds.have, writeHave(numbers.get(table) ?? 0, peer, seq, snapshot)),
      report: (table: ReplicatedTable, seq: number) =>
        this.#send(kinds.visible, writeVisible(numbers.get(table) ?? 0, seq)),
    };
    this.#pairs = tables.map((table, number) => ({
      number,
      source: new SyncSource(table, number, self, limits),
      replica: new SyncReplica(peer, table, kept.get(table.name), outlet, timing),
    }));
  }

  /** Says what we have and asks for what we lack. */
  open(): void {
    const tables = this.#options.tables.map(({ name, options: { schema } }, number) => {
      return { number, name, schema };
    });
    this.#send(kinds.tables, writeTables(digestVersion, tables));
    for (const { replica } of this.#pairs) replica.ask();
    this.#checkSynced();
  }

  /** Hides what is shown; returns what may be worth keeping. */
  close(): ReadonlyMap<string, Partition> {
    const kept = new Map<string, Partition>();
    for (const { replica } of this.#pairs) {
      const partition = replica.down();
      if (partition !== undefined) kept.set(replica.table.name, partition);
    }
    return kept;
  }

  get synced(): boolean {
    return this.#theirs !== undefined && this.#pairs.every(({ replica }) => replica.visible);
  }

  get unshared(): UnsharedTables {
    return { peer: this.peer, ...this.#unshared };
  }

  get queueFull(): boolean {
    return this.#queueFull;
  }

  get staleSince(): Instant | undefined {
    return this.#given ? undefined : this.#staleSince;
  }

  /** Tables that the peer takes from us. */
  get sources(): Iterable<SyncSource> {
    return this.#pairs.map(({ source }) => source);
  }

  /** By name of table. */
  pair(name: string): Pair | undefined {
    return this.#pairs.find(({ source }) => source.table.name === name);
  }

  /** Ends it from our side; the links will say when it is over. */
  give(reason: string): void {
    if (this.#given) return;
    this.#given = true;
    this.#options.effect({ type: "disconnect", peer: this.peer, reason });
  }

  receive(now: Instant, kind: MessageKind, body: Piece): void {
    this.#listen(() => this.#read(now, kind, readerOf(body)));
    this.#checkSynced();
  }

  beat(now: Instant, body: Uint8Array): void {
    if (body.length === 0) return;
    this.#listen(() => {
      const { digest, tables } = readBeat(new WireReader(body));
      // The lowest version in sight is used by all; there is one so far.
      if (Math.min(digest, this.#digestVersion) !== digestVersion) return;
      for (const state of tables) {
        if (state.stream !== mainStream) continue;
        this.#theirs?.get(state.table)?.replica.expect(now, state);
      }
    });
  }

  setQueueFull(full: boolean): void {
    this.#queueFull = full;
    if (full) return;
    this.#staleSince = undefined;
    for (const { number, source } of this.#pairs) {
      if (source.state !== "stale") continue;
      this.#options.flush(number);
      this.#answer(source.resume(this.#options.nextSync()));
    }
  }

  /** Does the peer get operations of this table as they come? */
  follows(name: string): boolean {
    return this.pair(name)?.source.follows === true;
  }

  /** Operations of one table, already written down: `from` is the seq before them. */
  operations(now: Instant, name: string, from: number, bodies: readonly BinaryString[]): void {
    const source = this.pair(name)?.source;
    if (source?.follows !== true) return;
    if (this.#queueFull) {
      source.hold(from);
      this.#staleSince ??= now;
      return;
    }
    for (const body of bodies) this.#send(kinds.operations, body);
  }

  /** Ends syncs whose chunks are all out. */
  endSyncs(): void {
    for (const { source } of this.#pairs) {
      const end = source.end();
      if (end !== undefined) this.#send(end.kind, end.body);
    }
  }

  get ending(): boolean {
    return this.#pairs.some(({ source }) => source.ending);
  }

  sent(sync: number, position: number): void {
    for (const { source } of this.#pairs) source.sent(sync, position);
  }

  get pullable(): boolean {
    return this.#pairs.some(({ source }) => source.pullable);
  }

  pull(written: number): Message | undefined {
    for (const { source } of this.#pairs) {
      const chunk = source.pull(written);
      if (chunk !== undefined) return chunk;
    }
    return undefined;
  }

  #listen(read: () => void): void {
    if (this.#given) return;
    try {
      read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const { name, incarnation } = this.peer;
      const fields = { peer: name, incarnation, reason: error.message };
      this.#options.effect({ type: "log", level: "error", event: "table-message-bad", fields });
      this.give(error.message);
    }
  }

  #read(now: Instant, kind: MessageKind, reader: WireReader): void {
    if (kind === kinds.tables) return this.#announced(reader);
    const { table, stream } = readHead(reader);
    const pair = this.#theirs?.get(table);
    // Another stream, or a table that one of us lacks, is another release's business.
    if (pair === undefined || stream !== mainStream) return;
    const { source, replica, number } = pair;
    switch (kind) {
      case kinds.have: {
        const have = readHave(reader);
        this.#options.flush(number);
        const answer = source.asked(have, this.#options.nextSync(), this.#queueFull);
        if (answer !== undefined) this.#answer(answer);
        else if (source.state === "stale") this.#staleSince ??= now;
        break;
      }
      case kinds.operations:
        replica.operations(now, reader);
        break;
      case kinds.delta:
        replica.delta(now, reader);
        break;
      case kinds.begin:
        replica.begin(reader);
        break;
      case kinds.chunk:
        replica.chunk(reader);
        break;
      case kinds.end:
        replica.end(reader);
        break;
      case kinds.visible: {
        const seq = Math.min(readVisible(reader), source.table.ownPartition.seq);
        source.visibleSeq = Math.max(source.visibleSeq, seq);
        break;
      }
    }
  }

  #announced(reader: WireReader): void {
    if (this.#theirs !== undefined) throw new WireError("Tables are announced once in a session");
    const { digest, tables } = readTables(reader);
    this.#digestVersion = Math.min(digest, digestVersion);
    const theirs = new Map<number, Pair>();
    const unmatched = new Set(this.#pairs);
    const unknown: string[] = [];
    for (const { number, name, schema } of tables) {
      const pair = this.pair(name);
      if (pair?.source.table.options.schema !== schema) {
        unknown.push(name);
        continue;
      }
      theirs.set(number, pair);
      unmatched.delete(pair);
    }
    for (const { replica } of unmatched) {
      const fields = { table: replica.table.name, peer: this.peer.name };
      this.#options.effect({ type: "log", level: "warning", event: "table-not-shared", fields });
    }
    const missing = [...unmatched].map(({ replica }) => replica.table.name);
    this.#unshared = { missing, unknown };
    this.#pairs = this.#pairs.filter((pair) => !unmatched.has(pair));
    this.#theirs = theirs;
  }

  #answer({ kind, body, sync }: Answer): void {
    this.#send(kind, body, sync);
  }

  #send(kind: MessageKind, body: BinaryString, sync?: number): void {
    const { peer, session, effect } = this.#options;
    const message = { type: "send", peer, session, kind, body } as const;
    effect(sync === undefined ? message : { ...message, sync });
  }

  #checkSynced(): void {
    if (this.#syncedSaid || !this.synced) return;
    this.#syncedSaid = true;
    this.#options.effect({ type: "peer-synced", peer: this.peer });
  }
}
