/**
 * Partition: which records of one owner does this node know?
 *
 * One map of keys and one index a partition, so that showing and hiding all of it is one bit. A record is
 * never changed, it is replaced: who holds one holds what was true when it was read. Beside the records
 * go the seq of the last operation, a digest and an estimate of the memory, all kept up to date.
 */
import { flat, type BinaryString } from "../base/bytes.ts";
import { Digest } from "./digest.ts";
import type { Peer } from "./peer.ts";
import { RecordIndex, type Indexed } from "./record-index.ts";

/** What one owner has written under one key. */
export interface TableRecord {
  readonly owner: Peer;
  readonly key: BinaryString;
  readonly value: BinaryString;
  /** The number of the operation that wrote it, of the owner's (boot, table). */
  readonly seq: number;
}

/**
 * What a record is found by beside its key; undefined: by nothing else. It is called with records of every
 * release in the cluster, so it must have an answer for any bytes.
 */
export type IndexExtractor = (key: BinaryString, value: BinaryString) => BinaryString | undefined;

/** Seen around a record of no length: map entry, record, strings' heads, index entry. */
const overheadBytes = 200;

const nothing: readonly TableRecord[] = [];

/** Found by its key, and by its index key if it has one. */
class StoredRecord implements TableRecord, Indexed {
  readonly owner: Peer;
  readonly key: BinaryString;
  readonly value: BinaryString;
  readonly seq: number;
  readonly index: number | BinaryString;

  constructor(
    owner: Peer,
    key: BinaryString,
    value: BinaryString,
    seq: number,
    index: number | BinaryString,
  ) {
    this.owner = owner;
    this.key = key;
    this.value = value;
    this.seq = seq;
    this.index = index;
  }
}

/** Is in no index. */
const notIndexed = -1;

export class Partition {
  readonly owner: Peer;
  readonly digest = new Digest();
  /** Of the last operation that is in it. */
  seq = 0;
  readonly #records = new Map<BinaryString, StoredRecord>();
  readonly #indexBy: IndexExtractor | undefined;
  readonly #index = new RecordIndex<StoredRecord>();
  #bytes = 0;

  constructor(owner: Peer, indexBy?: IndexExtractor) {
    this.owner = owner;
    this.#indexBy = indexBy;
  }

  get size(): number {
    return this.#records.size;
  }

  /** About how much memory it holds. */
  get bytes(): number {
    return this.#bytes + overheadBytes;
  }

  get(key: BinaryString): TableRecord | undefined {
    return this.#records.get(key);
  }

  /** Live: what is written while it runs is met or not. */
  [Symbol.iterator](): MapIterator<TableRecord> {
    return this.#records.values();
  }

  /** The records of an index key; a single one bare. */
  indexed(key: BinaryString): TableRecord | readonly TableRecord[] {
    return this.#index.get(key) ?? nothing;
  }

  /** So many records will come, about: whoever adds them one by one need not make room again and again. */
  reserve(records: number): void {
    if (this.#indexBy !== undefined) this.#index.reserve(records);
  }

  /** Puts a record; returns the one it replaces. Does not touch `seq`: chunks come in any order. */
  put(key: BinaryString, value: BinaryString, seq: number): TableRecord | undefined {
    const before = this.#records.get(key);
    if (before === undefined) {
      this.#insert(key, value, seq);
      return undefined;
    }
    const index = this.#indexOf(key, value);
    const record = new StoredRecord(this.owner, before.key, value, seq, index);
    this.#records.set(record.key, record);
    this.#bytes += value.length - before.value.length;
    this.digest.remove(key, before.value, before.seq);
    this.digest.add(key, value, seq);
    if (index !== before.index) {
      if (before.index !== notIndexed) this.#index.remove(before);
      if (index !== notIndexed) this.#index.add(record);
    } else if (index !== notIndexed) this.#index.replace(before, record);
    return before;
  }

  /** Puts a record if there is none under its key. */
  add(key: BinaryString, value: BinaryString, seq: number): void {
    if (!this.#records.has(key)) this.#insert(key, value, seq);
  }

  /** Removes a record and returns it. */
  delete(key: BinaryString): TableRecord | undefined {
    const before = this.#records.get(key);
    if (before === undefined) return undefined;
    this.#records.delete(key);
    this.#bytes -= key.length + before.value.length + overheadBytes;
    this.digest.remove(key, before.value, before.seq);
    if (before.index !== notIndexed) this.#index.remove(before);
    return before;
  }

  #insert(key: BinaryString, value: BinaryString, seq: number): void {
    const index = this.#indexOf(key, value);
    const record = new StoredRecord(this.owner, key, value, seq, index);
    this.#records.set(key, record);
    this.#bytes += key.length + value.length + overheadBytes;
    this.digest.add(key, value, seq);
    if (index !== notIndexed) this.#index.add(record);
  }

  #indexOf(key: BinaryString, value: BinaryString): number | BinaryString {
    const wanted = this.#indexBy?.(key, value);
    if (wanted === undefined) return notIndexed;
    return key.startsWith(wanted) ? wanted.length : flat(wanted);
  }
}
