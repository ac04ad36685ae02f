/**
 * Interner: which string do these bytes spell, without decoding them again?
 *
 * A direct-mapped cache from the bytes of an attribute's value (or a name) to its text. One slot per
 * hash: a collision replaces what was there, so it is bounded by construction and nobody can make it
 * slow, only useless. Equal bytes mostly give the very same string, which makes comparing cheap.
 */
import { copyBytes } from "../base/bytes.ts";
import { valueFromBytes } from "./escape.ts";

/** Longer texts are decoded each time, so that a cache of n slots is at most n × this many bytes. */
const LENGTH_MAX = 256;

const OBJECTS_MAX = 256;
const KEY_LENGTH_MAX = 1024;

export class Interner {
  readonly #mask: number;
  readonly #keys: (Uint8Array | undefined)[];
  readonly #texts: string[];

  /** `slots` must be a power of two. */
  constructor(slots: number) {
    this.#mask = slots - 1;
    this.#keys = new Array<Uint8Array | undefined>(slots).fill(undefined);
    this.#texts = new Array<string>(slots).fill("");
  }

  /** The unescaped value that these bytes spell. */
  get(bytes: Uint8Array, start: number, end: number): string {
    const slot = hash(bytes, start, end) & this.#mask;
    const key = this.#keys[slot];
    if (key !== undefined && spells(key, bytes, start, end)) return this.#texts[slot] as string;
    const text = valueFromBytes(bytes, start, end);
    if (end - start <= LENGTH_MAX) {
      this.#keys[slot] = copyBytes(bytes, start, end);
      this.#texts[slot] = text;
    }
    return text;
  }
}

/** FNV-1a, folded once so that a power-of-two mask sees the high bits too. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = end - start;
  for (let i = start; i < end; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193);
  return h ^ (h >>> 15);
}

function spells(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

/**
 * The same object for equal keys, so that ten thousand connections share what their headers have in
 * common. Starts anew when it has 256 objects, and shares none with a long key: that costs memory only.
 */
export class ObjectInterner<T> {
  readonly #objects = new Map<string, T>();

  get(key: string, make: () => T): T {
    const known = this.#objects.get(key);
    if (known !== undefined) return known;
    if (key.length > KEY_LENGTH_MAX) return make();
    if (this.#objects.size >= OBJECTS_MAX) this.#objects.clear();
    const made = make();
    this.#objects.set(key, made);
    return made;
  }
}

/** Element and attribute names, stanza types. */
export const names = new Interner(512);
export const namespaces = new Interner(1024);
export const addresses = new Interner(16_384);
