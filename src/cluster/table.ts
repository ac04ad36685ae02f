/**
 * Table: what do the nodes of the cluster have under this key?
 *
 * The face of one replicated table. Writes go to the own partition, are seen here at once and leave at the end
 * of the step; reads walk the partitions that are visible, the own one first, and touch no network. Two owners
 * may have a record under one key: a read gives both, since each speaks for itself alone.
 *
 * A read of one record (`first`, `own`, `each`, `eachByIndex`) makes nothing but what points to it; its key and
 * value are taken out of the bytes when they are asked for.
 */
import { assert } from "../base/assert.ts";
import type { BinaryString } from "../base/bytes.ts";
import { OperationLog, type Operation } from "./operation-log.ts";
import { knownHash, type KeyHash } from "./key-hash.ts";
import {
  Partition,
  type IndexExtractor,
  type RecordVisitor,
  type TableRecord,
} from "./partition.ts";
import { samePeer, type Peer } from "./peer.ts";

export interface TableOptions {
  readonly name: string;
  /** Counts incompatible changes of what records mean; nodes replicate a table only if theirs are equal. */
  readonly schema: number;
  readonly indexBy?: IndexExtractor;
  /** Are `record-changed` effects wanted? By default not. */
  readonly changes?: boolean;
}

export interface TableLimits {
  /** A record's key and value together: a chunk must hold at least one. */
  readonly recordBytesMax: number;
  readonly logBytesMax: number;
  readonly logOperationsMax: number;
}

export class ReplicatedTable {
  readonly name: string;
  readonly options: TableOptions;
  /** Of its partitions' keys, whoever owns them: a key's hash is computed once. */
  readonly hash: KeyHash;
  readonly #limits: TableLimits;
  readonly #own: Partition;
  readonly #log: OperationLog;
  /** The own one first, then others in the order in which they were shown. */
  readonly #visible: Partition[];
  #unsent: Operation[] = [];
  /** Of `version`: what keeps it from ever falling. */
  #shown = 0;

  constructor(self: Peer, options: TableOptions, limits: TableLimits, hash = knownHash) {
    this.hash = hash;
    this.name = options.name;
    this.options = options;
    this.#limits = limits;
    this.#own = new Partition(self, options.indexBy, hash);
    this.#log = new OperationLog({
      bytesMax: limits.logBytesMax,
      countMax: limits.logOperationsMax,
    });
    this.#visible = [this.#own];
  }

  /** Writes a record of this node; returns its seq. */
  put(key: BinaryString, value: BinaryString): number {
    const bytes = key.length + value.length;
    const max = this.#limits.recordBytesMax;
    assert(
      bytes <= max,
      `A record of table ${this.name} has ${bytes} bytes, the maximum is ${max}`,
    );
    const seq = ++this.#own.seq;
    this.#wrote(this.#own.put(key, value, seq));
    return seq;
  }

  /** Deletes a record of this node; false if there is none. */
  delete(key: BinaryString): boolean {
    const operation = this.#own.delete(key, this.#own.seq + 1);
    if (operation === undefined) return false;
    this.#own.seq += 1;
    this.#wrote(operation);
    return true;
  }

  /** A record of that key, this node's own if it has one. */
  first(key: BinaryString): TableRecord | undefined {
    const hash = this.hash.ofText(key);
    for (const partition of this.#visible) {
      const record = partition.get(key, hash);
      if (record !== undefined) return record;
    }
    return undefined;
  }

  /** This node's own record. */
  own(key: BinaryString): TableRecord | undefined {
    return this.#own.get(key);
  }

  /** All visible records of a key, at most one an owner. */
  get(key: BinaryString): readonly TableRecord[] {
    const hash = this.hash.ofText(key);
    // Mostly there is one, and an empty list that grows makes room for many.
    let records: TableRecord[] | undefined;
    for (const partition of this.#visible) {
      const record = partition.get(key, hash);
      if (record === undefined) continue;
      if (records === undefined) records = [record];
      else records.push(record);
    }
    return records ?? [];
  }

  each(key: BinaryString, visit: RecordVisitor): void {
    const hash = this.hash.ofText(key);
    for (const partition of this.#visible) {
      const record = partition.get(key, hash);
      if (record !== undefined) visit(record);
    }
  }

  /** All visible records of an index key. */
  byIndex(key: BinaryString): readonly TableRecord[] {
    const records: TableRecord[] = [];
    this.eachByIndex(key, (record) => records.push(record));
    return records;
  }

  eachByIndex(key: BinaryString, visit: RecordVisitor): void {
    const hash = this.hash.ofText(key);
    for (const partition of this.#visible) partition.eachIndexed(key, hash, visit);
  }

  /** The visible records of one owner; none if its partition is not visible. */
  *ownedBy(owner: Peer): IterableIterator<TableRecord> {
    yield* this.visiblePartition(owner) ?? [];
  }

  /** All visible records, read as they are when the iteration comes to them. */
  *entries(): IterableIterator<TableRecord> {
    for (const partition of [...this.#visible]) yield* partition;
  }

  /** How many records are visible. */
  get size(): number {
    let size = 0;
    for (const partition of this.#visible) size += partition.size;
    return size;
  }

  /** Rises with each change of what others have written: who keeps what he has read of it compares. */
  get version(): number {
    let version = this.#shown - this.#own.changes;
    for (const { changes } of this.#visible) version += changes;
    return version;
  }

  /** The owners whose partitions are visible, this node first. */
  get owners(): readonly Peer[] {
    return this.#visible.map(({ owner }) => owner);
  }

  // What follows is for the machine that replicates the table.

  /** @internal */
  visiblePartition(owner: Peer): Partition | undefined {
    return this.#visible.find((each) => samePeer(each.owner, owner));
  }

  /** @internal */
  get ownPartition(): Partition {
    return this.#own;
  }

  /** @internal */
  get log(): OperationLog {
    return this.#log;
  }

  /** @internal Operations since the last call, in order. */
  takeUnsent(): readonly Operation[] {
    const unsent = this.#unsent;
    if (unsent.length > 0) this.#unsent = [];
    return unsent;
  }

  /** @internal */
  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }

  /** @internal */
  show(partition: Partition): void {
    assert(!this.#visible.includes(partition), "A partition is shown once");
    this.#visible.push(partition);
    this.#shown += 1;
  }

  /** @internal One partition takes the place of another in one step. */
  replace(before: Partition, after: Partition): void {
    const at = this.#visible.indexOf(before);
    assert(at > 0, "Only a replica that is visible can be replaced");
    this.#visible[at] = after;
    this.#shown += before.changes + 1;
  }

  /** @internal */
  hide(partition: Partition): void {
    const at = this.#visible.indexOf(partition);
    assert(at > 0, "Only a replica that is visible can be hidden");
    this.#visible.splice(at, 1);
    this.#shown += partition.changes + 1;
  }

  #wrote(operation: Operation): void {
    this.#log.add(operation);
    this.#unsent.push(operation);
  }
}
