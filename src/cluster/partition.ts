/**
 * Partition: which records of one owner does this node know?
 *
 * One store and one index a partition, so that showing and hiding all of it is one bit. A record is never
 * changed, it is replaced: who holds one holds what was true when it was read. Beside the records go the seq
 * of the last operation, a digest and an estimate of the memory, all kept up to date.
 */
import { binaryFromBytes, textFromBytes, type BinaryString } from "../base/bytes.ts";
import type { Digest } from "./digest.ts";
import { none } from "./hash-slots.ts";
import { knownHash } from "./key-hash.ts";
import type { Peer } from "./peer.ts";
import { RecordIndex, type IndexExtractor } from "./record-index.ts";
import { RecordLayout } from "./record-layout.ts";
import type { Operation } from "./operation-log.ts";
import { RecordStore, type CopyCursor, type CopyLimits } from "./record-store.ts";
import type { RecordWalk, WireRecords } from "./wire-records.ts";

export type { IndexExtractor } from "./record-index.ts";

/** What one owner has written under one key. */
export interface TableRecord {
  readonly owner: Peer;
  readonly key: BinaryString;
  readonly value: BinaryString;
  /** Its UTF-8 as text, for who keeps nothing else there. */
  readonly valueText: string;
  /** The number of the operation that wrote it, of the owner's (boot, table). */
  readonly seq: number;
}

export type RecordVisitor = (record: TableRecord) => void;

/** Of a partition without records. */
const overheadBytes = 200;

/** Of records for which room is made at once: a peer may say that it will send any number. */
const reservedMax = 1_000_000;

/** One serves all: it is read right after it was filled. */
const layout = new RecordLayout();

/** Where a record lies: bytes that never change. What is not asked for is not made. */
class StoredRecord implements TableRecord {
  readonly owner: Peer;
  readonly #bytes: Uint8Array;
  readonly #at: number;
  #key: BinaryString | undefined;
  #value: BinaryString | undefined;

  constructor(owner: Peer, bytes: Uint8Array, at: number) {
    this.owner = owner;
    this.#bytes = bytes;
    this.#at = at;
  }

  get key(): BinaryString {
    if (this.#key !== undefined) return this.#key;
    layout.read(this.#bytes, this.#at);
    const { keyAt, keyLength } = layout;
    return (this.#key = binaryFromBytes(this.#bytes, keyAt, keyAt + keyLength));
  }

  get value(): BinaryString {
    if (this.#value !== undefined) return this.#value;
    layout.read(this.#bytes, this.#at);
    const { valueAt, valueLength } = layout;
    return (this.#value = binaryFromBytes(this.#bytes, valueAt, valueAt + valueLength));
  }

  get valueText(): string {
    layout.read(this.#bytes, this.#at);
    const { valueAt, valueLength } = layout;
    return textFromBytes(this.#bytes, valueAt, valueAt + valueLength);
  }

  get seq(): number {
    layout.read(this.#bytes, this.#at);
    return layout.seq;
  }
}

export class Partition {
  readonly owner: Peer;
  /** Of the last operation that is in it. */
  seq = 0;
  /** How often it has been written to. */
  changes = 0;
  readonly #records: RecordStore;
  readonly #index: RecordIndex | undefined;

  constructor(owner: Peer, indexBy?: IndexExtractor, hash = knownHash) {
    this.owner = owner;
    this.#records = new RecordStore(hash);
    this.#index = indexBy === undefined ? undefined : new RecordIndex(this.#records, indexBy);
  }

  get digest(): Digest {
    return this.#records.digest;
  }

  get size(): number {
    return this.#records.size;
  }

  /** About how much memory it holds. */
  get bytes(): number {
    return this.#records.bytes + overheadBytes;
  }

  /** Who asks several partitions makes the hash once. */
  get(key: BinaryString, hash = this.#records.hash.ofText(key)): TableRecord | undefined {
    const number = this.#records.find(key, hash);
    return number === none ? undefined : this.#record(number);
  }

  /** Live: what is written while it runs is met or not. */
  *[Symbol.iterator](): IterableIterator<TableRecord> {
    for (let number = 0; number < this.#records.end; number++) {
      if (this.#records.has(number)) yield this.#record(number);
    }
  }

  /** The records of an index key, in the order in which they came. */
  eachIndexed(key: BinaryString, hash: number, visit: RecordVisitor): void {
    const last = this.#index?.last(key, hash) ?? none;
    if (last !== none) this.#eachInRing(last, visit);
  }

  /** So many records will come, about: whoever adds them one by one need not make room again and again. */
  reserve(records: number): void {
    const numbers = Math.min(records, reservedMax);
    this.#records.reserve(numbers);
    this.#index?.reserve(numbers);
  }

  /** Puts a record, and returns what others are told of it. Does not touch `seq`: chunks come in any order. */
  put(key: BinaryString, value: BinaryString, seq: number): Operation {
    const records = this.#records;
    this.changes += 1;
    const hash = records.hash.ofText(key);
    const number = records.find(key, hash);
    if (number === none) {
      const added = records.insert(key, value, seq, hash);
      this.#index?.add(added, key, value);
      return records.operation(added);
    }
    records.replace(number, key, value, seq);
    this.#index?.change(number, key, value);
    return records.operation(number);
  }

  /** Deletes a record, and returns what others are told of it; undefined if there is none. */
  delete(key: BinaryString, seq: number): Operation | undefined {
    const number = this.#records.find(key, this.#records.hash.ofText(key));
    if (number === none) return undefined;
    this.changes += 1;
    this.#index?.remove(number);
    return this.#records.delete(number, key, seq);
  }

  /** Does what an operation says, whatever its seq. */
  take(operation: RecordWalk): void {
    const { view, layout: found } = operation;
    const records = this.#records;
    this.changes += 1;
    const hash = records.hash.ofBytes(view, found.keyAt, found.keyLength);
    const number = records.findReceived(operation, hash);
    if (operation.isDeletion) {
      if (number === none) return;
      this.#index?.remove(number);
      records.remove(number);
    } else if (number === none) {
      const added = records.insertReceived(operation, hash);
      this.#index?.add(added, operation.key, operation.value);
    } else {
      records.replaceReceived(number, operation);
      this.#index?.change(number, operation.key, operation.value);
    }
  }

  /** Puts those records whose key is not here yet and not among `except`. */
  load(records: WireRecords, except: ReadonlySet<BinaryString>): void {
    const index = this.#index;
    this.changes += 1;
    if (index === undefined) this.#records.load(records, except);
    else this.#records.load(records, except, (number, key, value) => index.add(number, key, value));
  }

  /** A cursor for all records that are there now and are not written anew. */
  copyAll(): CopyCursor {
    return this.#records.copyFrom(this.seq);
  }

  /** The next of them, as the wire wants them. */
  copy(
    cursor: CopyCursor,
    limits: CopyLimits,
  ): { readonly count: number; readonly records: BinaryString } {
    return this.#records.copy(cursor, limits);
  }

  #record(number: number): TableRecord {
    const { bytes } = this.#records.slabOf(number);
    return new StoredRecord(this.owner, bytes, this.#records.offsetOf(number));
  }

  /** Whoever is visited may write: the ring is walked before. */
  #eachInRing(last: number, visit: RecordVisitor): void {
    const index = this.#index;
    if (index === undefined) return;
    let number = index.next(last);
    if (number === last) return visit(this.#record(last));
    const records = [this.#record(number)];
    while (number !== last) records.push(this.#record((number = index.next(number))));
    for (const record of records) visit(record);
  }
}
