/**
 * Operation log: what did a reader miss that was away for a moment?
 *
 * The owner's recent operations of one table, bounded in bytes and in number; the oldest go first. A reader
 * whose last seq it reaches gets what it missed, any other the whole table.
 *
 * An operation lies where its record was written. It keeps those bytes in memory when the record has been
 * replaced and its slab emptied: once more what the log is bounded to, at most.
 */

/** Where one lies, as `record-layout.ts` says: bytes that never change, but for the flag `dead`. */
export interface Operation {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
}

/** Beside key and value, about as much as the log's own memory. */
const overheadBytes = 32;

export class OperationLog {
  readonly #operations: Operation[] = [];
  readonly #bytesMax: number;
  readonly #countMax: number;
  #first = 0;
  #bytes = 0;

  constructor(limits: { readonly bytesMax: number; readonly countMax: number }) {
    this.#bytesMax = limits.bytesMax;
    this.#countMax = limits.countMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#operations.length - this.#first;
  }

  add(operation: Operation): void {
    this.#operations.push(operation);
    this.#bytes += cost(operation);
    while (this.size > 0 && (this.#bytes > this.#bytesMax || this.size > this.#countMax)) {
      const oldest = this.#operations[this.#first];
      if (oldest !== undefined) this.#bytes -= cost(oldest);
      this.#operations[this.#first++] = released;
    }
    // What is dropped leaves memory in lumps, so that dropping costs nothing each.
    if (this.#first > 1024 && this.#first * 2 > this.#operations.length) {
      this.#operations.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /**
   * The operations after `seq` in order, or undefined if the log does not reach back to the next one or they
   * pass so many bytes. `last` is the owner's present seq.
   */
  after(seq: number, last: number, bytesMax: number): readonly Operation[] | undefined {
    const missed = last - seq;
    if (missed < 0 || missed > this.size) return undefined;
    const operations = this.#operations.slice(this.#operations.length - missed);
    let bytes = 0;
    for (const operation of operations) bytes += cost(operation);
    return bytes <= bytesMax ? operations : undefined;
  }
}

const released: Operation = { bytes: new Uint8Array(0), at: 0, end: 0 };

function cost({ at, end }: Operation): number {
  return end - at + overheadBytes;
}
