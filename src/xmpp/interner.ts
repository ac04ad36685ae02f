/**
 * Interner: which string do these bytes spell, without decoding them again?
 *
 * A direct-mapped cache from the bytes of an attribute's value (or a name) to its text, or to whatever
 * else bytes stand for. One slot per hash: a collision replaces what was there, so it is bounded by
 * construction and nobody can make it slow, only useless. Equal bytes mostly give the very same string,
 * which makes comparing cheap.
 */
import { copyBytes } from "../base/bytes.ts";
import { valueFromBytes } from "./escape.ts";

/** Longer texts are decoded each time, so that a cache of n slots is at most n × this many bytes. */
const LENGTH_MAX = 256;

const KEY_LENGTH_MAX = 1024;

export class Interner<T = string> {
  readonly #mask: number;
  readonly #keys: (Uint8Array | undefined)[];
  readonly #values: (T | undefined)[];
  readonly #decode: (bytes: Uint8Array, start: number, end: number) => T;

  /** `slots` must be a power of two. */
  constructor(slots: number, decode: (bytes: Uint8Array, start: number, end: number) => T) {
    this.#decode = decode;
    this.#mask = slots - 1;
    this.#keys = new Array<Uint8Array | undefined>(slots).fill(undefined);
    this.#values = new Array<T | undefined>(slots).fill(undefined);
  }

  /** What these bytes spell. */
  get(bytes: Uint8Array, start: number, end: number): T {
    const slot = hash(bytes, start, end) & this.#mask;
    const key = this.#keys[slot];
    if (key !== undefined && spells(key, bytes, start, end)) return this.#values[slot] as T;
    const value = this.#decode(bytes, start, end);
    if (end - start <= LENGTH_MAX) {
      this.#keys[slot] = copyBytes(bytes, start, end);
      this.#values[slot] = value;
    }
    return value;
  }
}

/** In the manner of MurmurHash3: four bytes a step, folded at the end so that a mask sees the high bits too. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = end - start;
  let i = start;
  for (; i + 3 < end; i += 4) {
    const four =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    h = mix(h, four);
  }
  for (; i < end; i++) h = mix(h, bytes[i] as number);
  return h ^ (h >>> 15);
}

/** The shift brings the high bits down, where the next product spreads them. */
function mix(h: number, value: number): number {
  const product = Math.imul(h ^ value, 0x9e3779b1);
  return product ^ (product >>> 15);
}

function spells(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

/**
 * The same object for equal keys, so that ten thousand connections share what their headers have in
 * common. Starts anew when it is full, and shares none with a long key: that costs memory only.
 */
export class ObjectInterner<T> {
  readonly #max: number;
  readonly #objects = new Map<string, T>();

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string, make: (key: string) => T): T {
    const known = this.#objects.get(key);
    if (known !== undefined) return known;
    if (key.length > KEY_LENGTH_MAX) return make(key);
    if (this.#objects.size >= this.#max) this.#objects.clear();
    const made = make(key);
    this.#objects.set(key, made);
    return made;
  }
}

/** Element and attribute names, stanza types. */
export const names = new Interner(512, valueFromBytes);
export const namespaces = new Interner(1024, valueFromBytes);
export const addresses = new Interner(16_384, valueFromBytes);
