/**
 * Partition: which records of one owner does this node know?
 *
 * One map of keys and one index a partition, so that showing and hiding all of it is one bit. A record is
 * never changed, it is replaced: who holds one holds what was true when it was read. Beside the records
 * go the seq of the last operation, a digest and an estimate of the memory, all kept up to date.
 */
import { binaryFromBytes, bytesFromBinary, type BinaryString } from "../base/bytes.ts";
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

/**
 * The same string in one piece with memory of its own. Strings that are slices or sums of others are found
 * in a map several times more slowly, and they keep those others alive.
 */
export function flat(text: BinaryString): BinaryString {
  return binaryFromBytes(bytesFromBinary(text));
}

class StoredRecord implements TableRecord {
  readonly owner: Peer;
  readonly key: BinaryString;
  readonly value: BinaryString;
  readonly seq: number;
  readonly indexKey: BinaryString | undefined;

  constructor(
    owner: Peer,
    key: BinaryString,
    value: BinaryString,
    seq: number,
    indexKey: BinaryString | undefined,
  ) {
    this.owner = owner;
    this.key = key;
    this.value = value;
    this.seq = seq;
    this.indexKey = indexKey;
  }
}

export class Partition {
  readonly owner: Peer;
  readonly digest = new Digest();
  /** Of the last operation that is in it. */
  seq = 0;
  readonly #records = new Map<BinaryString, StoredRecord>();
  readonly #indexBy: IndexExtractor | undefined;
  /** Most index keys have one record, which is kept bare. */
  readonly #index = new Map<BinaryString, StoredRecord | StoredRecord[]>();
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
    const wanted = this.#indexBy?.(key, value);
    const moved = wanted !== before.indexKey;
    const indexKey = moved && wanted !== undefined ? flat(wanted) : before.indexKey;
    const record = new StoredRecord(
      this.owner,
      before.key,
      value,
      seq,
      wanted === undefined ? undefined : indexKey,
    );
    this.#records.set(record.key, record);
    this.#bytes += value.length - before.value.length;
    this.digest.remove(key, before.value, before.seq);
    this.digest.add(key, value, seq);
    if (moved) {
      this.#unindex(before);
      this.#enter(record);
    } else this.#reindex(before, record);
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
    this.#unindex(before);
    return before;
  }

  #insert(key: BinaryString, value: BinaryString, seq: number): void {
    const wanted = this.#indexBy?.(key, value);
    const indexKey = wanted === undefined ? undefined : flat(wanted);
    const record = new StoredRecord(this.owner, key, value, seq, indexKey);
    this.#records.set(key, record);
    this.#bytes += key.length + value.length + overheadBytes;
    this.digest.add(key, value, seq);
    this.#enter(record);
  }

  #enter(record: StoredRecord): void {
    const { indexKey } = record;
    if (indexKey === undefined) return;
    const found = this.#index.get(indexKey);
    if (found === undefined) this.#index.set(indexKey, record);
    else if (Array.isArray(found)) found.push(record);
    else this.#index.set(indexKey, [found, record]);
  }

  /** In place: taking an entry out of a large map and putting it back makes the map grow. */
  #reindex(before: StoredRecord, record: StoredRecord): void {
    const { indexKey } = before;
    if (indexKey === undefined) return;
    const found = this.#index.get(indexKey);
    if (Array.isArray(found)) found[found.indexOf(before)] = record;
    else this.#index.set(indexKey, record);
  }

  #unindex(record: StoredRecord): void {
    const { indexKey } = record;
    if (indexKey === undefined) return;
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
