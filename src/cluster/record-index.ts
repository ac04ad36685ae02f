/**
 * Record index: which records of a partition have this index key?
 *
 * An index key is nearly always the start of its record's key (a bare JID, of a full one), so a record says how
 * long it is, and a string of its own for each would cost as much as all the rest here. The records
 * of one index key form a ring, in the order in which they came: the slot points to the last one, and behind
 * that comes the first.
 */
import { flat, type BinaryString } from "../base/bytes.ts";
import { grown, HashSlots, none } from "./hash-slots.ts";
import type { RecordStore } from "./record-store.ts";

/**
 * What a record is found by beside its key; undefined: by nothing else. It is called with records of every
 * release in the cluster, so it must have an answer for any bytes.
 */
export type IndexExtractor = (key: BinaryString, value: BinaryString) => BinaryString | undefined;

/** Instead of a length: the record is in no ring, or its index key is not the start of its key. */
const notIndexed = -1;
const elsewhere = -2;

export class RecordIndex {
  readonly #store: RecordStore;
  readonly #indexBy: IndexExtractor;
  /** The last one of each ring. */
  readonly #slots = new HashSlots();
  /** By number: the next one in its ring. */
  #next = new Int32Array(8);
  /** By number: how many chars of its key are its index key. */
  #lengths = new Int32Array(8);
  /** Index keys that are not the start of their records' keys. */
  readonly #others = new Map<number, BinaryString>();

  constructor(store: RecordStore, indexBy: IndexExtractor) {
    this.#store = store;
    this.#indexBy = indexBy;
  }

  reserve(records: number): void {
    this.#next = grown(this.#next, records);
    this.#lengths = grown(this.#lengths, records);
    this.#slots.reserve(records);
  }

  /** The last record of an index key, or `none`; the first one is `next` to it. */
  last(key: BinaryString, hash: number): number {
    const slots = this.#slots;
    for (let slot = slots.first(hash); ; slot = slots.next(slot)) {
      const number = slots.numberAt(slot);
      if (number === none || (slots.hashOf(number) === hash && this.#isUnder(number, key))) {
        return number;
      }
    }
  }

  next(number: number): number {
    return this.#next[number] as number;
  }

  /** A record that is new. */
  add(number: number, key: BinaryString, value: BinaryString): void {
    this.#next = grown(this.#next, number + 1);
    this.#lengths = grown(this.#lengths, number + 1);
    this.#lengths[number] = notIndexed;
    const wanted = this.#indexBy(key, value);
    if (wanted !== undefined) this.#join(number, key, wanted);
  }

  /** A record was written anew: mostly that changes nothing here. */
  change(number: number, key: BinaryString, value: BinaryString): void {
    const wanted = this.#indexBy(key, value);
    if (wanted !== undefined && this.#stays(number, key, wanted)) return;
    this.remove(number);
    if (wanted !== undefined) this.#join(number, key, wanted);
  }

  remove(number: number): void {
    const length = this.#lengths[number];
    if (length === notIndexed) return;
    if (length === elsewhere) this.#others.delete(number);
    this.#lengths[number] = notIndexed;
    const next = this.next(number);
    if (next === number) return this.#slots.remove(number);
    let before = next;
    while (this.next(before) !== number) before = this.next(before);
    this.#next[before] = next;
    if (this.#slots.has(number)) this.#slots.replace(number, before);
  }

  #join(number: number, key: BinaryString, wanted: BinaryString): void {
    const isStart = key.startsWith(wanted);
    // Bytes are read faster than strings.
    const hash = isStart
      ? this.#store.hashOfStart(number, wanted.length)
      : this.#store.hash.ofText(wanted);
    const last = this.last(wanted, hash);
    if (isStart) this.#lengths[number] = wanted.length;
    else {
      this.#lengths[number] = elsewhere;
      this.#others.set(number, flat(wanted));
    }
    this.#next[number] = last === none ? number : this.next(last);
    if (last === none) return this.#slots.add(number, hash);
    this.#next[last] = number;
    this.#slots.replace(last, number);
  }

  /** Its key is the same as before, and so is what it starts with. */
  #stays(number: number, key: BinaryString, wanted: BinaryString): boolean {
    const length = this.#lengths[number];
    if (length === elsewhere) return this.#others.get(number) === wanted;
    return length === wanted.length && key.startsWith(wanted);
  }

  #isUnder(number: number, key: BinaryString): boolean {
    const length = this.#lengths[number];
    if (length === elsewhere) return this.#others.get(number) === key;
    return length === key.length && this.#store.startsWith(number, key);
  }
}
