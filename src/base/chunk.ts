/**
 * Chunk: bytes that were received together, and the same as a binary string once a part is forwarded.
 *
 * The string is made of all of them at once, and what is forwarded are substrings of it: a call into the
 * platform for each stanza costs more than all else that forwarding does. **A substring keeps the whole
 * string alive**, so who keeps what he was given past the turn makes it `flat` (see `base/bytes.ts`).
 */
import { binaryFromBytes, type BinaryString } from "./bytes.ts";

export class Chunk {
  readonly bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #text: BinaryString | undefined;

  /** What is before `start` and after `end` is none of its business. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** From index `from` to `to` of `bytes`. */
  binary(from: number, to: number): BinaryString {
    const text = (this.#text ??= binaryFromBytes(this.bytes, this.#start, this.#end));
    return text.substring(from - this.#start, to - this.#start);
  }
}

/** Part of a chunk: one message among those that were received together. As long-lived as the chunk's bytes are. */
export class Piece {
  readonly chunk: Chunk;
  /** In the chunk's bytes. */
  readonly start: number;
  readonly end: number;

  constructor(chunk: Chunk, start: number, end: number) {
    this.chunk = chunk;
    this.start = start;
    this.end = end;
  }

  /** All of these bytes. */
  static of(bytes: Uint8Array): Piece {
    return new Piece(new Chunk(bytes, 0, bytes.length), 0, bytes.length);
  }

  get length(): number {
    return this.end - this.start;
  }

  /** A view of it. */
  get bytes(): Uint8Array {
    return this.chunk.bytes.subarray(this.start, this.end);
  }
}
