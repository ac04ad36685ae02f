/**
 * Key hash: under which number is a key looked for?
 *
 * Clients choose what keys are made of (names of users, resources), and some would choose keys of one hash, so that
 * each look-up meets all of them. So the hash depends on words that one process alone knows: it is NH of UMAC
 * (RFC 4418 §5.2.2) with words of 16 bits. Two words of the key, a secret one added to each, are multiplied, and
 * the products are added up. Whichever two keys somebody chooses, one in 65,536 secrets gives them one sum. No
 * step waits for the one before, so that costs no more than a hash that anybody can know.
 *
 * To read a string char by char costs more than all the rest of a search. So it is done once: on the way to the
 * hash the chars are put down as bytes, and those are compared with the keys of records, four at a time.
 */
import type { BinaryString } from "../base/bytes.ts";

const { imul } = Math;
/** More than the words of the longest JID (RFC 7622 §3.1); a longer key meets them again. */
const secrets = 2_048;

export class KeyHash {
  readonly #words = new Uint16Array(secrets);
  /** The text that was asked for last, and its bytes. */
  #sought: BinaryString = "";
  #bytes = new DataView(new ArrayBuffer(256));
  #room = 256;

  /** Who does not know the seed, of at least 16 bytes, cannot foretell a hash. */
  constructor(seed: Uint8Array) {
    const view = new DataView(seed.buffer, seed.byteOffset, seed.length);
    const state = [0, 4, 8, 12].map((at) => view.getInt32(at, true)) as Four;
    for (let at = 0; at < 16; at += 1) drawn(state); // until each word depends on the whole seed
    for (let at = 0; at < secrets; at += 1) this.#words[at] = drawn(state) >>> 16;
  }

  ofText(text: BinaryString): number {
    const { length } = text;
    if (length > this.#room) {
      this.#room = 2 * length;
      this.#bytes = new DataView(new ArrayBuffer(this.#room));
    }
    this.#sought = text;
    const [words, bytes] = [this.#words, this.#bytes];
    let sum = length;
    let at = 0;
    let next = 0;
    for (; at + 3 < length; at += 4) {
      const a = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8);
      const b = text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 8);
      bytes.setInt32(at, a | (b << 16), true);
      sum = (sum + product(a, words[next] as number, b, words[next + 1] as number)) | 0;
      next = (next + 2) % secrets;
    }
    if (at === length) return stirred(sum);
    let rest = 0;
    for (let shift = 0; at < length; at++, shift += 8) {
      const char = text.charCodeAt(at);
      bytes.setUint8(at, char);
      rest |= char << shift;
    }
    return this.#last(sum, rest, next);
  }

  /** Do the bytes from `start` on begin with this text? They are at least as many. */
  isTextAt(view: DataView, start: number, text: BinaryString): boolean {
    if (this.#sought !== text) this.ofText(text);
    const bytes = this.#bytes;
    const { length } = text;
    let at = 0;
    for (; at + 3 < length; at += 4) {
      if (view.getInt32(start + at, true) !== bytes.getInt32(at, true)) return false;
    }
    for (; at < length; at++) {
      if (view.getUint8(start + at) !== bytes.getUint8(at)) return false;
    }
    return true;
  }

  /** Of the same chars, as bytes. */
  ofBytes(view: DataView, start: number, length: number): number {
    const words = this.#words;
    let sum = length;
    let at = 0;
    let next = 0;
    for (; at + 3 < length; at += 4) {
      const a = view.getUint16(start + at, true);
      const b = view.getUint16(start + at + 2, true);
      sum = (sum + product(a, words[next] as number, b, words[next + 1] as number)) | 0;
      next = (next + 2) % secrets;
    }
    if (at === length) return stirred(sum);
    let rest = 0;
    for (let shift = 0; at < length; at++, shift += 8) rest |= view.getUint8(start + at) << shift;
    return this.#last(sum, rest, next);
  }

  /** With the one to three chars at the end. */
  #last(sum: number, rest: number, next: number): number {
    const [first, second] = [this.#words[next] as number, this.#words[next + 1] as number];
    return stirred((sum + product(rest & 0xffff, first, rest >>> 16, second)) | 0);
  }
}

/** Where nobody hostile chooses keys: it is the same everywhere. */
export const knownHash = new KeyHash(new Uint8Array(16));

function product(a: number, first: number, b: number, second: number): number {
  return imul((a + first) & 0xffff, (b + second) & 0xffff);
}

/** A bijection; its high bits choose the slot. */
function stirred(sum: number): number {
  const mixed = imul(sum, 0x85ebca6b);
  return imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
}

type Four = [number, number, number, number];

/** The next number of a small fast counting generator (sfc32): what it makes is shown to nobody. */
function drawn(state: Four): number {
  const [a, b, c, counter] = state;
  const number = (a + b + counter) | 0;
  state[0] = b ^ (b >>> 9);
  state[1] = (c + (c << 3)) | 0;
  state[2] = (((c << 21) | (c >>> 11)) + number) | 0;
  state[3] = (counter + 1) | 0;
  return number;
}
