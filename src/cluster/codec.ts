/**
 * Codec: how are numbers and strings laid out on the wire between nodes?
 *
 * Positional: what comes when is known to both sides from the message's kind and the protocol version,
 * so nothing is named. Writing makes a binary string (the cheapest thing to send, `base/bytes.ts`),
 * reading walks over the received bytes, checks every bound and throws `WireError`, which the link
 * turns into the end of the connection. What follows the last field that a reader knows is kept by
 * `rest()` or ignored: a newer release may append fields.
 *
 *     uint    7 bits a byte, low first, high bit = more follows; below 2^53
 *     binary  uint length, bytes          text  the same, UTF-8
 *     fixed32 / fixed64 / double          big-endian
 */
import {
  binaryFromBytes,
  binaryFromText,
  isUtf8,
  textFromBytes,
  type BinaryString,
} from "../base/bytes.ts";
import type { Piece } from "../base/chunk.ts";

/** What a peer sent is not what the protocol allows; the message says where. */
export class WireError extends Error {
  override readonly name = "WireError";
}

const { fromCharCode } = String;
const twoTo32 = 4_294_967_296;

/** Non-negative integer below 2^53. */
export function uint(value: number): BinaryString {
  if (value < 128) return fromCharCode(value);
  if (value < 16_384) return fromCharCode((value & 127) | 128, value >> 7);
  if (value < 2_097_152) {
    return fromCharCode((value & 127) | 128, ((value >> 7) & 127) | 128, value >> 14);
  }
  let out = "";
  let rest = value;
  while (rest >= 128) {
    out += fromCharCode((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return out + fromCharCode(rest);
}

/** An integer from 0 to 255. */
export function byte(value: number): BinaryString {
  return fromCharCode(value & 255);
}

export function flag(value: boolean): BinaryString {
  return value ? "\x01" : "\x00";
}

/** An unsigned 32-bit integer. */
export function fixed32(value: number): BinaryString {
  return fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** A non-negative integer below 2^53 in eight bytes. */
export function fixed64(value: number): BinaryString {
  return fixed32(Math.floor(value / twoTo32)) + fixed32((value % twoTo32) >>> 0);
}

export function binary(value: BinaryString): BinaryString {
  return uint(value.length) + value;
}

export function text(value: string): BinaryString {
  return binary(binaryFromText(value));
}

/** Of one message. */
export function readerOf({ chunk, start, end }: Piece): WireReader {
  return new WireReader(chunk.bytes, start, end);
}

export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  byte(): number {
    if (this.#at >= this.#end) throw new WireError(`The message ends at byte ${this.#at}`);
    return this.#bytes[this.#at++] as number;
  }

  flag(): boolean {
    return this.byte() !== 0;
  }

  uint(): number {
    let value = this.byte();
    if (value < 128) return value;
    value -= 128;
    for (let scale = 128; ; scale *= 128) {
      const next = this.byte();
      value += (next & 127) * scale;
      if (!Number.isSafeInteger(value)) throw new WireError("An integer exceeds 2^53");
      if (next < 128) return value;
      if (scale > Number.MAX_SAFE_INTEGER) throw new WireError("An integer has too many bytes");
    }
  }

  fixed32(): number {
    const bytes = this.#take(4);
    const [a = 0, b = 0, c = 0, d = 0] = [
      this.#bytes[bytes],
      this.#bytes[bytes + 1],
      this.#bytes[bytes + 2],
      this.#bytes[bytes + 3],
    ];
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  fixed64(): number {
    const value = this.fixed32() * twoTo32 + this.fixed32();
    if (!Number.isSafeInteger(value)) throw new WireError("An integer exceeds 2^53");
    return value;
  }

  /** What is read: valid as long as the received bytes are. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Where the next field begins. */
  get position(): number {
    return this.#at;
  }

  /** A string of its own: it does not keep the received bytes alive. */
  binary(max = Number.MAX_SAFE_INTEGER): BinaryString {
    const length = this.uint();
    if (length > max)
      throw new WireError(`A field has ${length} bytes, at most ${max} are allowed`);
    const start = this.#take(length);
    return binaryFromBytes(this.#bytes, start, start + length);
  }

  /** Passes a field by. */
  skip(): void {
    this.#take(this.uint());
  }

  /** What `decode` makes of a field's bytes. */
  field<T>(max: number, decode: (bytes: Uint8Array, start: number, end: number) => T): T {
    const length = this.uint();
    if (length > max)
      throw new WireError(`A field has ${length} bytes, at most ${max} are allowed`);
    const start = this.#take(length);
    return decode(this.#bytes, start, start + length);
  }

  /** UTF-8; at most so many bytes. */
  text(max: number): string {
    const length = this.uint();
    if (length > max) throw new WireError(`A text has ${length} bytes, at most ${max} are allowed`);
    const start = this.#take(length);
    if (!isUtf8(this.#bytes.subarray(start, start + length))) {
      throw new WireError("A text is not UTF-8");
    }
    return textFromBytes(this.#bytes, start, start + length);
  }

  /** A field of its own length, to be read by itself: what its reader does not know is skipped with it. */
  nested(): WireReader {
    const length = this.uint();
    const start = this.#take(length);
    return new WireReader(this.#bytes, start, start + length);
  }

  /** A view of what is left: valid as long as the received bytes are. */
  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at, this.#end);
    this.#at = this.#end;
    return rest;
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) {
      throw new WireError(`A field of ${length} bytes at ${start} passes the end at ${this.#end}`);
    }
    this.#at = start + length;
    return start;
  }
}
