/**
 * Sync replica: what do we know of one owner's part of one table, and what do we show of it?
 *
 *     asked --[delta]-> current            what was kept from an earlier session is made true in one step
 *       |                 |  ^
 *       +--[begin]-> loading-+             [end]: swapped in in one step
 *
 * During a session a partition is shown from its first catch-up on; until then everything stays as it was
 * before, hidden. A snapshot is loaded beside what is there, and takes its place whole: nobody ever reads a
 * half of it. Operations that arrive meanwhile go into both. An operation that is not the next one is
 * dropped, and the owner asked again. A chunk's record is ignored when an operation has touched its key
 * since `begin`: the operation is later.
 */
import { flat, type BinaryString } from "../base/bytes.ts";
import type { Duration, Instant } from "../base/time.ts";
import type { WireReader } from "./codec.ts";
import { Partition } from "./partition.ts";
import type { Peer } from "./peer.ts";
import {
  readBounds,
  readChunk,
  readCount,
  readDelta,
  readOperations,
  type Operations,
  type TableState,
} from "./sync-messages.ts";
import type { ReplicatedTable } from "./table.ts";
import type { ReplicaStatus, TablesEffect, TablesTiming } from "./tables-contract.ts";
import { RecordWalk, type WireRecords } from "./wire-records.ts";

/** How a replica speaks with its owner and to those above. */
export interface ReplicaOutlet {
  readonly effect: (effect: TablesEffect) => void;
  /** Asks the owner for what follows on `seq`, for all, or for a snapshot in any case. */
  readonly ask: (table: ReplicatedTable, seq: number | undefined, snapshot: boolean) => void;
  readonly report: (table: ReplicatedTable, seq: number) => void;
}

interface Loading {
  readonly sync: number;
  readonly partition: Partition;
  /** Keys that operations have deleted since `begin`; those that they wrote are in the partition. */
  readonly deleted: Set<BinaryString>;
  /** An operation was missing: what is loaded is worth nothing at its end. */
  broken: boolean;
}

export class SyncReplica {
  readonly owner: Peer;
  readonly table: ReplicatedTable;
  readonly #outlet: ReplicaOutlet;
  readonly #timing: TablesTiming;
  #partition: Partition | undefined;
  #visible = false;
  #asked = false;
  #loading: Loading | undefined;
  /** The owner's state at a seq that we have not reached yet. */
  #expected: TableState | undefined;
  /** The owner wants to hear when this seq is visible. */
  #reportAt: number | undefined;
  /** The last seq that it was told of. */
  #reported = 0;
  #diverged = 0;
  #healAt: Instant = -Infinity;
  #healAfter: Duration;

  constructor(
    owner: Peer,
    table: ReplicatedTable,
    kept: Partition | undefined,
    outlet: ReplicaOutlet,
    timing: TablesTiming,
  ) {
    this.owner = owner;
    this.table = table;
    this.#partition = kept;
    this.#outlet = outlet;
    this.#timing = timing;
    this.#healAfter = timing.healAfter;
  }

  /** Has it been caught up since `peer-up`? */
  get visible(): boolean {
    return this.#visible;
  }

  status(): ReplicaStatus {
    return {
      peer: this.owner,
      seq: this.#partition?.seq ?? 0,
      records: this.#partition?.size ?? 0,
      visible: this.#visible,
      state: this.#loading !== undefined ? "loading" : this.#asked ? "asked" : "current",
      diverged: this.#diverged,
    };
  }

  /** Asks for what is missing: at the start of each session, and after a gap. */
  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#outlet.ask(this.table, this.#partition?.seq, false);
  }

  /** The session is over: hides what is shown and hands over what may be worth keeping. */
  down(): Partition | undefined {
    this.#loading = undefined;
    if (this.#visible && this.#partition !== undefined) {
      this.#visible = false;
      this.table.hide(this.#partition);
      this.#tell("partition-hidden", this.#partition);
    }
    return this.#partition;
  }

  operations(now: Instant, reader: WireReader): void {
    const message = readOperations(reader);
    const { from, last, records } = message;
    if (message.report) this.#reportAt = Math.max(this.#reportAt ?? 0, last);
    const loading = this.#loading;
    if (loading !== undefined) load(loading, message);
    const partition = this.#partition;
    if (partition !== undefined && from <= partition.seq) this.#apply(now, partition, records);
    else if (loading === undefined) this.#gap(from);
    this.#report();
  }

  delta(now: Instant, reader: WireReader): void {
    const { from, records } = readDelta(reader);
    this.#asked = false;
    this.#loading = undefined;
    if (from === 0)
      this.#partition ??= new Partition(this.owner, this.table.options.indexBy, this.table.hash);
    const partition = this.#partition;
    if (partition === undefined || from > partition.seq) return this.#gap(from);
    this.#apply(now, partition, records);
    this.#show(partition);
    this.#report();
  }

  begin(reader: WireReader): void {
    const { sync, seq } = readBounds(reader);
    this.#asked = false;
    this.#expected = undefined;
    const partition = new Partition(this.owner, this.table.options.indexBy, this.table.hash);
    partition.seq = seq;
    partition.reserve(readCount(reader));
    this.#loading = { sync, partition, deleted: new Set(), broken: false };
  }

  chunk(reader: WireReader): void {
    const loading = this.#loading;
    if (loading === undefined) return;
    const records = readChunk(reader, loading.sync);
    // What an operation wrote is there already.
    if (records !== undefined) loading.partition.load(records, loading.deleted);
  }

  end(reader: WireReader): void {
    const { sync, seq } = readBounds(reader);
    const loading = this.#loading;
    if (loading?.sync !== sync) return;
    this.#loading = undefined;
    if (loading.broken || loading.partition.seq !== seq) return this.#gap(seq);
    const before = this.#partition;
    const after = loading.partition;
    this.#partition = after;
    this.#expected = undefined;
    if (this.#visible && before !== undefined) {
      this.table.replace(before, after);
      this.#tellDifference(before, after);
    } else this.#show(after);
    this.#report();
  }

  /** What the owner has; compared once we are where it was. */
  expect(now: Instant, state: TableState): void {
    const partition = this.#partition;
    if (!this.#visible || partition === undefined || this.#loading !== undefined) return;
    if (state.seq < partition.seq) return;
    // A kept one is reached first; the next comes with the next beat.
    if (this.#expected === undefined || this.#expected.seq < partition.seq) this.#expected = state;
    this.#check(now, partition);
  }

  /** Operations that follow on what is there or overlap it; only new ones count. */
  #apply(now: Instant, partition: Partition, records: WireRecords): void {
    const changes = this.#visible && this.table.options.changes === true;
    const before = changes ? new Map<BinaryString, BinaryString | undefined>() : undefined;
    const operation = new RecordWalk(records);
    while (operation.next()) {
      if (operation.seq !== partition.seq + 1) continue;
      partition.seq = operation.seq;
      if (before !== undefined) noteBefore(before, partition, operation.key);
      partition.take(operation);
      if (this.#expected !== undefined) this.#check(now, partition);
    }
    if (before === undefined) return;
    for (const [key, old] of before) this.#tellChange(key, old, partition.get(key)?.value);
  }

  #gap(from: number): void {
    if (this.#asked) return;
    this.#log("warning", "table-gap", { seq: this.#partition?.seq, from });
    this.ask();
  }

  #show(partition: Partition): void {
    if (this.#visible) return;
    this.#visible = true;
    this.table.show(partition);
    this.#tell("partition-shown", partition);
  }

  #report(): void {
    const seq = this.#visible ? (this.#partition?.seq ?? 0) : -1;
    if (this.#reportAt === undefined || seq < this.#reportAt) return;
    this.#reportAt = undefined;
    this.#tellVisible(seq);
  }

  #tellVisible(seq: number): void {
    this.#reported = seq;
    this.#outlet.report(this.table, seq);
  }

  #check(now: Instant, partition: Partition): void {
    const expected = this.#expected;
    if (expected === undefined || expected.seq > partition.seq) return;
    this.#expected = undefined;
    if (expected.seq < partition.seq || this.#asked || this.#loading !== undefined) return;
    const { digest, size } = partition;
    if (expected.count === size && expected.low === digest.low && expected.high === digest.high) {
      this.#healAfter = this.#timing.healAfter;
      // Nobody may wait for it, but an operator who looks sees how far we are.
      if (this.#visible && partition.seq > this.#reported) this.#tellVisible(partition.seq);
      return;
    }
    this.#diverged += 1;
    this.#log("error", "table-diverged", {
      seq: expected.seq,
      records: size,
      ownerRecords: expected.count,
    });
    // Digests that never agree must not make snapshots for ever.
    if (now < this.#healAt) return;
    this.#healAt = now + this.#healAfter;
    this.#healAfter = Math.min(this.#healAfter * 2, this.#timing.healAfterMax);
    this.#asked = true;
    this.#outlet.ask(this.table, undefined, true);
  }

  #tell(type: "partition-shown" | "partition-hidden", records: Partition): void {
    this.#outlet.effect({ type, table: this.table.name, owner: this.owner, records });
  }

  #tellDifference(before: Partition, after: Partition): void {
    if (this.table.options.changes !== true) return;
    for (const { key, value } of before) this.#tellChange(key, value, after.get(key)?.value);
    for (const { key, value } of after) {
      if (before.get(key) === undefined) this.#tellChange(key, undefined, value);
    }
  }

  #tellChange(
    key: BinaryString,
    before: BinaryString | undefined,
    after: BinaryString | undefined,
  ): void {
    if (before === after) return;
    const { name: table } = this.table;
    this.#outlet.effect({
      type: "record-changed",
      table,
      owner: this.owner,
      key,
      before,
      after,
    });
  }

  #log(
    level: "warning" | "error",
    event: string,
    fields: Readonly<Record<string, number | undefined>>,
  ): void {
    const { name, incarnation } = this.owner;
    this.#outlet.effect({
      type: "log",
      level,
      event,
      fields: { table: this.table.name, owner: name, incarnation, ...fields },
    });
  }
}

/** Operations of a session go into what is being loaded, too. */
function load(loading: Loading, { from, records }: Operations): void {
  const { partition, deleted } = loading;
  if (from > partition.seq) loading.broken = true;
  const operation = new RecordWalk(records);
  while (operation.next()) {
    if (operation.seq !== partition.seq + 1) continue;
    partition.seq = operation.seq;
    partition.take(operation);
    if (operation.isDeletion) deleted.add(flat(operation.key));
  }
}

/** What was there before the first of several operations on one key. */
function noteBefore(
  before: Map<BinaryString, BinaryString | undefined>,
  partition: Partition,
  key: BinaryString,
): void {
  if (!before.has(key)) before.set(flat(key), partition.get(key)?.value);
}
