/**
 * Partition: which records of one owner does this node know?
 *
 * One map of keys and one index a partition, so that showing and hiding all of it is one bit. A record is
 * never changed, it is replaced: who holds one holds what was true when it was read. Beside the records
 * go the seq of the last operation, a digest and an estimate of the memory, all kept up to date.
 */
import type { BinaryString } from "../base/bytes.ts";
import { Digest } from "./digest.ts";
import type { Peer } from "./peer.ts";

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

class StoredRecord implements TableRecord {
  readonly owner: Peer;
  readonly key: BinaryString;
  readonly value: BinaryString;
  readonly seq: number;

  constructor(owner: Peer, key: BinaryString, value: BinaryString, seq: number) {
    this.owner = owner;
    this.key = key;
    this.value = value;
    this.seq = seq;
  }
}

export class Partition {
  readonly owner: Peer;
  readonly digest = new Digest();
  /** Of the last operation that is in it. */
  seq = 0;
  readonly #records = new Map<BinaryString, TableRecord>();
  readonly #indexBy: IndexExtractor | undefined;
  /** Most index keys have one record, which is kept bare. */
  readonly #index = new Map<BinaryString, TableRecord | TableRecord[]>();
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

  /** Puts a record; returns the one it replaces. Does not touch `seq`: chunks come in any order. */
  put(key: BinaryString, value: BinaryString, seq: number): TableRecord | undefined {
    const before = this.#records.get(key);
    if (before === undefined) {
      this.#insert(key, value, seq);
      return undefined;
    }
    const record = new StoredRecord(this.owner, before.key, value, seq);
    this.#records.set(record.key, record);
    this.#bytes += value.length - before.value.length;
    this.digest.remove(key, before.value, before.seq);
    this.digest.add(key, value, seq);
    const [from, to] = [this.#indexBy?.(key, before.value), this.#indexBy?.(key, value)];
    if (from !== to) {
      if (from !== undefined) this.#unindex(from, before);
      if (to !== undefined) this.#enter(to, record);
    } else if (to !== undefined) this.#reindex(to, before, record);
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
    const indexKey = this.#indexBy?.(key, before.value);
    if (indexKey !== undefined) this.#unindex(indexKey, before);
    return before;
  }

  #insert(key: BinaryString, value: BinaryString, seq: number): void {
    const record = new StoredRecord(this.owner, key, value, seq);
    this.#records.set(key, record);
    this.#bytes += key.length + value.length + overheadBytes;
    this.digest.add(key, value, seq);
    const indexKey = this.#indexBy?.(key, value);
    if (indexKey !== undefined) this.#enter(indexKey, record);
  }

  #enter(indexKey: BinaryString, record: TableRecord): void {
    const found = this.#index.get(indexKey);
    if (found === undefined) this.#index.set(indexKey, record);
    else if (Array.isArray(found)) found.push(record);
    else this.#index.set(indexKey, [found as TableRecord, record]);
  }

  /** In place: taking an entry out of a large map and putting it back makes the map grow. */
  #reindex(indexKey: BinaryString, before: TableRecord, record: TableRecord): void {
    const found = this.#index.get(indexKey);
    if (Array.isArray(found)) found[found.indexOf(before)] = record;
    else this.#index.set(indexKey, record);
  }

  #unindex(indexKey: BinaryString, record: TableRecord): void {
    const found = this.#index.get(indexKey);
    if (!Array.isArray(found)) {
      this.#index.delete(indexKey);
      return;
    }
    found.splice(found.indexOf(record), 1);
    const [first] = found;
    if (found.length === 1 && first !== undefined) this.#index.set(indexKey, first);
  }
}
