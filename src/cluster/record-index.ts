/**
 * Record index: which records of a partition have this index key?
 *
 * A hash table with open addressing that holds no keys: an index key is nearly always the start of its
 * record's key (a bare JID, of a full one), so a record says how long it is, and a string of its own for each
 * would cost as much as all the rest here. Hashes stand beside the slots, so that looking for what is
 * not there, as in the partitions of most owners, touches no record.
 */
import type { BinaryString } from "../base/bytes.ts";

export interface Indexed {
  readonly key: BinaryString;
  /** How many chars of the key are the index key; or the index key, where it is something else. */
  readonly index: number | BinaryString;
}

const { imul } = Math;
const smallest = 8;
/** 24 MiB. */
const reservedMax = 2 ** 21;

export class RecordIndex<R extends Indexed> {
  /** Most index keys have one record, which is kept bare. A power of two, at most three quarters full. */
  #slots: (R | R[] | undefined)[] = emptySlots(smallest);
  #hashes = new Int32Array(smallest);
  #used = 0;

  /** The records of an index key in the order in which they came; a single one bare. */
  get(key: BinaryString): R | readonly R[] | undefined {
    return this.#slots[this.#find(key, key.length, hashOf(key, key.length))];
  }

  /** Makes room for so many index keys at once, within reason: a peer may say any number. */
  reserve(keys: number): void {
    let size = this.#slots.length;
    while (size < reservedMax && size * 3 < keys * 4) size *= 2;
    if (size > this.#slots.length) this.#resize(size);
  }

  add(record: R): void {
    const hash = hashOfIndex(record);
    const at = this.#locate(record, hash);
    const found = this.#slots[at];
    if (found === undefined) this.#occupy(at, record, hash);
    else if (Array.isArray(found)) found.push(record);
    else this.#slots[at] = [found, record];
  }

  /** `record` has the same index key as `before`, and takes its place. */
  replace(before: R, record: R): void {
    const at = this.#locate(before, hashOfIndex(before));
    const found = this.#slots[at];
    if (Array.isArray(found)) found[found.indexOf(before)] = record;
    else this.#slots[at] = record;
  }

  remove(record: R): void {
    const at = this.#locate(record, hashOfIndex(record));
    const found = this.#slots[at];
    if (!Array.isArray(found)) {
      this.#vacate(at);
      return;
    }
    found.splice(found.indexOf(record), 1);
    const [first] = found;
    if (found.length === 1 && first !== undefined) this.#slots[at] = first;
  }

  #locate({ key, index }: R, hash: number): number {
    return typeof index === "number"
      ? this.#find(key, index, hash)
      : this.#find(index, index.length, hash);
  }

  /** The slot of the index key that is the first `length` chars of `text`, or the one that it would get. */
  #find(text: BinaryString, length: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = hash & mask;
    for (; ; at = (at + 1) & mask) {
      const found = slots[at];
      if (found === undefined) return at;
      if (this.#hashes[at] === hash && hasIndex(found, text, length)) return at;
    }
  }

  #occupy(at: number, record: R, hash: number): void {
    this.#slots[at] = record;
    this.#hashes[at] = hash;
    this.#used += 1;
    if (this.#used * 4 > this.#slots.length * 3) this.#resize(this.#slots.length * 2);
  }

  #resize(size: number): void {
    const [slots, hashes] = [this.#slots, this.#hashes];
    this.#slots = emptySlots(size);
    this.#hashes = new Int32Array(size);
    for (const [at, found] of slots.entries()) {
      if (found !== undefined) this.#settle(found, hashes[at] ?? 0);
    }
  }

  #settle(found: R | R[], hash: number): void {
    const mask = this.#slots.length - 1;
    let at = hash & mask;
    while (this.#slots[at] !== undefined) at = (at + 1) & mask;
    this.#slots[at] = found;
    this.#hashes[at] = hash;
  }

  /** Those behind it that it has pushed on move up, so that nobody's search ends here too early. */
  #vacate(at: number): void {
    const mask = this.#slots.length - 1;
    this.#slots[at] = undefined;
    this.#used -= 1;
    for (let next = (at + 1) & mask; ; next = (next + 1) & mask) {
      const found = this.#slots[next];
      if (found === undefined) return;
      this.#slots[next] = undefined;
      this.#settle(found, this.#hashes[next] ?? 0);
    }
  }
}

function emptySlots<T>(size: number): (T | undefined)[] {
  return new Array<T | undefined>(size).fill(undefined);
}

function hasIndex<R extends Indexed>(found: R | R[], text: BinaryString, length: number): boolean {
  const record = Array.isArray(found) ? found[0] : found;
  if (record === undefined) return false;
  const { key, index } = record;
  return typeof index === "number"
    ? index === length && sameStart(key, text, length)
    : index.length === length && sameStart(index, text, length);
}

/** Without making a string of either start. */
function sameStart(a: BinaryString, b: BinaryString, length: number): boolean {
  for (let at = 0; at < length; at++) if (a.charCodeAt(at) !== b.charCodeAt(at)) return false;
  return true;
}

function hashOfIndex({ key, index }: Indexed): number {
  return typeof index === "number" ? hashOf(key, index) : hashOf(index, index.length);
}

/** FNV-1a with a last stir, since the low bits choose the slot. */
function hashOf(text: BinaryString, length: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < length; at++) hash = imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
