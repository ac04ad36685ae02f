/**
 * Wire records: what lies in received bytes, and is taken from there without a string or an object for each?
 *
 * Records and operations lie on the wire as in memory (`record-layout.ts`): they have been looked through once and
 * are copied into slabs. Whoever must have a key or a value as a string gets a piece of one string for all, made
 * when it is first asked for: to look at, not to keep, since it keeps all the others alive.
 */
import { binaryFromBytes, type BinaryString } from "../base/bytes.ts";
import { isDeletion, RecordLayout } from "./record-layout.ts";

/** Records as they lie in received bytes, one behind the other. */
export interface WireRecords {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Walks over them. Its fields are those of the record that the last `next` has found. */
export class RecordWalk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly layout = new RecordLayout();
  at: number;
  readonly #start: number;
  readonly #end: number;
  #next: number;
  #text: BinaryString | undefined;

  constructor({ bytes, start, end }: WireRecords) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = start;
    this.#start = start;
    this.#end = end;
    this.#next = start;
  }

  next(): boolean {
    if (this.#next >= this.#end) return false;
    this.at = this.#next;
    this.layout.read(this.bytes, this.at);
    this.#next = this.layout.end;
    return true;
  }

  get seq(): number {
    return this.layout.seq;
  }

  get isDeletion(): boolean {
    return isDeletion(this.bytes, this.at);
  }

  get key(): BinaryString {
    const { keyAt, keyLength } = this.layout;
    return this.#piece(keyAt, keyAt + keyLength);
  }

  get value(): BinaryString {
    const { valueAt, valueLength } = this.layout;
    return this.#piece(valueAt, valueAt + valueLength);
  }

  #piece(from: number, to: number): BinaryString {
    const text = (this.#text ??= binaryFromBytes(this.bytes, this.#start, this.#end));
    return text.slice(from - this.#start, to - this.#start);
  }
}
