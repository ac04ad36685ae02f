/**
 * Operation log: what did a reader miss that was away for a moment?
 *
 * The owner's recent operations of one table, bounded in bytes and in number; the oldest go first. A reader
 * whose last seq it reaches gets what it missed, any other the whole table.
 */
import type { BinaryString } from "../base/bytes.ts";

export interface Operation {
  readonly seq: number;
  readonly key: BinaryString;
  /** Undefined: the record was deleted. */
  readonly value: BinaryString | undefined;
}

/** Beside key and value, on the wire and about as much as the log's own memory. */
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
      const oldest = this.#operations[this.#first++];
      if (oldest !== undefined) this.#bytes -= cost(oldest);
    }
    // What is dropped leaves memory in lumps, so that dropping costs nothing each.
    if (this.#first > 1024 && this.#first * 2 > this.#operations.length) {
      this.#operations.splice(0, this.#first);
      this.#first = 0;
    } else if (this.#first > 0) {
      this.#operations[this.#first - 1] = released;
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

const released: Operation = { seq: 0, key: "", value: undefined };

function cost({ key, value }: Operation): number {
  return key.length + (value?.length ?? 0) + overheadBytes;
}
