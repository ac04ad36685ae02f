/**
 * Sync source: what does one reader get of one table of ours?
 *
 *     waiting --[have]-> current                      the log reaches back: one delta
 *        |                 |  ^ ^
 *        +--[have]-> syncing -+ |                     begin, chunks, end
 *                      |   |    |
 *                    [an operation was dropped] -> stale --[queue drained]-> current or syncing
 *
 * Operations go to a reader from its answer on, not before: they would have a gap. Chunks are read from
 * the live table when the wire takes them, never from a copy: a frozen one would bring back what was
 * deleted meanwhile. What was written since `begin` is skipped, for it went as an operation.
 *
 * At most one sync runs: a request meanwhile is absorbed, since the reader sent it before `begin` was there.
 * From the first operation that could not be queued the reader gets no more of this table, and goes on
 * from the last one sent when there is room again.
 */
import { assert } from "../base/assert.ts";
import { kinds, type Message } from "./messages.ts";
import type { Partition } from "./partition.ts";
import type { Peer } from "./peer.ts";
import type { CopyCursor, CopyLimits } from "./record-store.ts";
import { writeBegin, writeChunk, writeDelta, writeEnd, type Have } from "./sync-messages.ts";
import type { ReplicatedTable } from "./table.ts";
import type { TablesLimits } from "./tables-contract.ts";

interface Snapshot {
  readonly sync: number;
  /** How far the chunks have come. */
  readonly cursor: CopyCursor;
  /** The position of `begin` in the session; chunks must not pass it. */
  beginAt: number | undefined;
}

export type SourceState = "waiting" | "syncing" | "current" | "stale";

/** A message to the reader; with `sync`, the source must be told its position. */
export interface Answer extends Message {
  readonly sync?: number;
}

export class SyncSource {
  readonly table: ReplicatedTable;
  /** The last of our seqs that the reader has reported as visible. */
  visibleSeq = 0;
  readonly #number: number;
  readonly #self: Peer;
  readonly #limits: TablesLimits;
  readonly #chunkLimits: CopyLimits;
  #state: SourceState = "waiting";
  #snapshot: Snapshot | undefined;
  /** All chunks are out, `end` is not. */
  #ending = false;
  /** While stale: the last seq that the reader has or is about to have; undefined: nothing of use. */
  #resumeFrom: number | undefined;

  constructor(table: ReplicatedTable, number: number, self: Peer, limits: TablesLimits) {
    this.table = table;
    this.#number = number;
    this.#self = self;
    this.#limits = limits;
    this.#chunkLimits = {
      bytesMax: limits.chunkBytesMax - chunkHeadBytes,
      recordsMax: limits.chunkRecordsMax,
    };
  }

  get state(): SourceState {
    return this.#state;
  }

  /** Does it get operations as they come? */
  get follows(): boolean {
    return this.#state === "current" || this.#state === "syncing";
  }

  /** The sync that waits for chunks to be pulled. */
  get pullable(): boolean {
    return this.#snapshot?.beginAt !== undefined && !this.#ending;
  }

  /** All chunks are out; `end` is due. */
  get ending(): boolean {
    return this.#ending;
  }

  /** The reader has asked; all operations so far have been sent to those who follow. */
  asked(have: Have, sync: number, queueFull: boolean): Answer | undefined {
    if (this.#state === "syncing") return undefined;
    const from = this.#trusted(have);
    if (queueFull || this.#state === "stale") {
      this.#state = "stale";
      this.#resumeFrom = from;
      return undefined;
    }
    return this.#answer(from, sync);
  }

  /** An operation could not be queued; `sent` is the last seq that was. */
  hold(sent: number): void {
    assert(this.follows, "Only who follows can fall behind");
    // A reader that was loading has no state that a delta could start from.
    this.#resumeFrom = this.#state === "current" ? sent : undefined;
    this.#state = "stale";
    this.#snapshot = undefined;
    this.#ending = false;
  }

  /** There is room again, and all operations so far have been sent to those who follow. */
  resume(sync: number): Answer {
    assert(this.#state === "stale", "Only a stale reader is resumed");
    return this.#answer(this.#resumeFrom, sync);
  }

  sent(sync: number, position: number): void {
    if (this.#snapshot?.sync === sync) this.#snapshot.beginAt = position;
  }

  /** The next chunk, if its `begin` is on the wire. */
  pull(written: number): Message | undefined {
    const snapshot = this.#snapshot;
    if (snapshot?.beginAt === undefined || this.#ending || snapshot.beginAt > written) {
      return undefined;
    }
    const { sync, cursor } = snapshot;
    const { count, records } = this.#partition.copy(cursor, this.#chunkLimits);
    if (cursor.next >= cursor.end) this.#ending = true;
    if (count === 0 && this.#ending) return undefined;
    return { kind: kinds.chunk, body: writeChunk(this.#number, sync, count, records) };
  }

  /** After the last chunk, once the operations so far have been sent: the sync is over. */
  end(): Message | undefined {
    const snapshot = this.#snapshot;
    if (!this.#ending || snapshot === undefined) return undefined;
    this.#ending = false;
    this.#snapshot = undefined;
    this.#state = "current";
    return {
      kind: kinds.end,
      body: writeEnd(this.#number, snapshot.sync, this.#partition.seq),
    };
  }

  get #partition(): Partition {
    return this.table.ownPartition;
  }

  /** The seq that the reader can go on from, if it speaks of this very process. */
  #trusted({ owner, seq, snapshot }: Have): number | undefined {
    const { boot, incarnation } = this.#self;
    if (snapshot || owner.boot !== boot || owner.incarnation !== incarnation) return undefined;
    return seq ?? 0;
  }

  #answer(from: number | undefined, sync: number): Answer {
    const { seq } = this.#partition;
    const missed =
      from === undefined ? undefined : this.table.log.after(from, seq, this.#limits.deltaBytesMax);
    this.#resumeFrom = undefined;
    if (from !== undefined && missed !== undefined) {
      this.#state = "current";
      return { kind: kinds.delta, body: writeDelta(this.#number, from, missed) };
    }
    this.#state = "syncing";
    this.#snapshot = {
      sync,
      cursor: this.#partition.copyAll(),
      beginAt: undefined,
    };
    return {
      kind: kinds.begin,
      body: writeBegin(this.#number, sync, seq, this.#partition.size),
      sync,
    };
  }
}

/** Room for everything in a chunk but its records. */
const chunkHeadBytes = 32;
