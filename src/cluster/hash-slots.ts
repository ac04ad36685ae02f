/**
 * Hash slots: which numbers have this hash?
 *
 * A hash table with open addressing over the numbers of records. It holds no keys: whoever asks compares those
 * of the few numbers that it is shown. Hashes stand beside, by number, so that growing and looking for what is
 * not there, as in the partitions of most owners, touches no record.
 *
 *     for (let slot = slots.first(hash); ; slot = slots.next(slot)) {
 *       const number = slots.numberAt(slot);            // none: it is not there
 *       if (slots.hashOf(number) === hash && …) …
 *     }
 */
/** Of no record. */
export const none = -1;

const smallest = 8;
const twoTo32 = 4_294_967_296;

export class HashSlots {
  /** Numbers plus one; at most three quarters are taken. */
  #slots = new Int32Array(smallest);
  /** By number. */
  #hashes = new Int32Array(smallest);
  #used = 0;

  /** The slot where the search for a hash begins: the hash, stretched over the table. */
  first(hash: number): number {
    return Math.floor(((hash >>> 0) * this.#slots.length) / twoTo32);
  }

  next(slot: number): number {
    return slot + 1 === this.#slots.length ? 0 : slot + 1;
  }

  numberAt(slot: number): number {
    return (this.#slots[slot] as number) - 1;
  }

  hashOf(number: number): number {
    return this.#hashes[number] as number;
  }

  /** Has it a slot? */
  has(number: number): boolean {
    return number < this.#hashes.length && this.numberAt(this.#slotOf(number)) === number;
  }

  /** Makes room for so many at once. */
  reserve(numbers: number): void {
    const size = Math.ceil((numbers * 4) / 3) + smallest;
    if (size > this.#slots.length) this.#resize(size);
    this.#hashes = grown(this.#hashes, numbers);
  }

  add(number: number, hash: number): void {
    this.#setHash(number, hash);
    this.#used += 1;
    if (this.#used * 4 > this.#slots.length * 3) this.#resize((this.#slots.length * 3) >> 1);
    this.#settle(number);
  }

  /** `after` has the same hash and takes the slot of `before`. */
  replace(before: number, after: number): void {
    this.#setHash(after, this.hashOf(before));
    this.#slots[this.#slotOf(before)] = after + 1;
  }

  /** Those behind it that it has pushed on move up, so that nobody's search ends here too early. */
  remove(number: number): void {
    let slot = this.#slotOf(number);
    this.#slots[slot] = 0;
    this.#used -= 1;
    for (;;) {
      slot = this.next(slot);
      const pushed = this.numberAt(slot);
      if (pushed === none) return;
      this.#slots[slot] = 0;
      this.#settle(pushed);
    }
  }

  #setHash(number: number, hash: number): void {
    if (number >= this.#hashes.length) this.#hashes = grown(this.#hashes, number + 1);
    this.#hashes[number] = hash;
  }

  /** The slot of a number, or where its search ends. */
  #slotOf(number: number): number {
    let slot = this.first(this.hashOf(number));
    for (;;) {
      const found = this.numberAt(slot);
      if (found === number || found === none) return slot;
      slot = this.next(slot);
    }
  }

  #settle(number: number): void {
    let slot = this.first(this.hashOf(number));
    while (this.#slots[slot] !== 0) slot = this.next(slot);
    this.#slots[slot] = number + 1;
  }

  #resize(size: number): void {
    const before = this.#slots;
    this.#slots = new Int32Array(size);
    for (const taken of before) if (taken !== 0) this.#settle(taken - 1);
  }
}

/** The same column with room for so many numbers, and some more. */
export function grown<Column extends Int32Array | Uint32Array>(
  column: Column,
  numbers: number,
): Column {
  if (numbers <= column.length) return column;
  const size = Math.max(numbers, (column.length * 3) >> 1);
  const larger = column instanceof Int32Array ? new Int32Array(size) : new Uint32Array(size);
  larger.set(column);
  return larger as Column;
}
