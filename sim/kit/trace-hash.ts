/**
 * Trace hash: which 64 bits stand for all that happened?
 *
 * A rolling fingerprint over numbers, text and bytes in the order in which they come: same history, same
 * hash. Whoever traces mixes time, place, kind and data of each event. No cryptography: two multiplicative
 * 32-bit lanes, enough to tell runs apart.
 */
import { allocBytes, writeUtf16 } from "../../src/base/bytes.ts";

export type TraceValue = string | number | boolean | readonly string[] | Uint8Array;

/** From so many characters on it is faster to copy a text and to mix the copy. */
const longText = 48;
const scratchBytes = 16_384;

export class TraceHash {
  #low = 0x811c9dc5;
  #high = 0x01000193;
  readonly #scratch = allocBytes(scratchBytes);
  readonly #words = new DataView(this.#scratch.buffer, this.#scratch.byteOffset, scratchBytes);

  mixValue(value: TraceValue): void {
    if (typeof value === "string") return this.mixText(value);
    if (typeof value === "number") return this.mix(value);
    if (typeof value === "boolean") return this.mix(value ? 1 : 0);
    if (value instanceof Uint8Array) return this.mixBytes(value);
    this.mix(value.length);
    for (const text of value) this.mixText(text);
  }

  /** Any safe integer. */
  mix(number: number): void {
    const low = number | 0;
    const high = Math.trunc(number / 0x1_0000_0000) | 0;
    this.#low = Math.imul(this.#low ^ low, 0x9e3779b1);
    this.#high = Math.imul(this.#high ^ (this.#low >>> 15) ^ high, 0x85ebca6b);
  }

  /** Two characters at a time: most of what is mixed is text and bytes. */
  mixText(text: string): void {
    const { length } = text;
    this.mix(length);
    if (length >= longText) return this.#mixLong(text);
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < length; at += 2) {
      const second = at + 1 < length ? text.charCodeAt(at + 1) << 16 : 0;
      low = Math.imul(low ^ text.charCodeAt(at) ^ second, 0x9e3779b1);
      high = Math.imul(high ^ (low >>> 15), 0x85ebca6b);
    }
    this.#low = low;
    this.#high = high;
  }

  /** The same of a copy, whose pairs of characters are words that lie one behind the other. */
  #mixLong(text: string): void {
    const charsMax = scratchBytes / 2;
    for (let at = 0; at < text.length; at += charsMax) {
      const part = text.length <= charsMax ? text : text.slice(at, at + charsMax);
      this.#mixScratch(writeUtf16(this.#scratch, 0, part));
    }
  }

  /** Four bytes at a time; what is missing of the last four is 0. */
  mixBytes(bytes: Uint8Array): void {
    this.mix(bytes.length);
    for (let at = 0; at < bytes.length; at += scratchBytes) {
      const part = bytes.length <= scratchBytes ? bytes : bytes.subarray(at, at + scratchBytes);
      this.#scratch.set(part);
      this.#mixScratch(part.length);
    }
  }

  #mixScratch(size: number): void {
    const words = this.#words;
    if (size % 4 > 0) this.#scratch.fill(0, size, size + 4 - (size % 4));
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < size; at += 4) {
      low = Math.imul(low ^ words.getInt32(at, true), 0x9e3779b1);
      high = Math.imul(high ^ (low >>> 15), 0x85ebca6b);
    }
    this.#low = low;
    this.#high = high;
  }

  /** 16 hexadecimal digits; of how many events, is part of it. */
  text(count: number): string {
    const low = avalanche(this.#low ^ count);
    const high = avalanche(this.#high ^ low);
    return hex(high) + hex(low);
  }
}

function avalanche(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
