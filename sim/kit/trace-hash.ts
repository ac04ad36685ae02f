/**
 * Trace hash: which 64 bits stand for all that happened?
 *
 * A rolling fingerprint over numbers, text and bytes in the order in which they come: same history, same
 * hash. Whoever traces mixes time, place, kind and data of each event. No cryptography: two multiplicative
 * 32-bit lanes, enough to tell runs apart.
 */
export type TraceValue = string | number | boolean | readonly string[] | Uint8Array;

export class TraceHash {
  #low = 0x811c9dc5;
  #high = 0x01000193;

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

  /** Four bytes at a time. */
  mixBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.mix(length);
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < length; at += 4) {
      low = Math.imul(low ^ wordAt(bytes, at, Math.min(4, length - at)), 0x9e3779b1);
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

/** So many bytes from here on, as one number. */
function wordAt(bytes: Uint8Array, at: number, count: number): number {
  let word = bytes[at] as number;
  if (count > 1) word |= (bytes[at + 1] as number) << 8;
  if (count > 2) word |= (bytes[at + 2] as number) << 16;
  if (count > 3) word |= (bytes[at + 3] as number) << 24;
  return word;
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
