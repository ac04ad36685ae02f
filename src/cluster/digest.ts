/**
 * Digest: do two copies of a partition hold the same?
 *
 * The sum mod 2^64 of a hash of every record (key, value and seq, over the bytes as the owner sent them), in
 * two lanes of 32 bits. A sum does not depend on the order and can be kept up to date: a record is added
 * and taken away in time that depends on its own length only. It finds bugs, not liars: who knows the hash can
 * make two records of the same.
 *
 * What two nodes must compute alike has a version; the lowest in sight is used by all.
 */
import type { RecordLayout } from "./record-layout.ts";

/** Of the hash below; it changes with it. */
export const digestVersion = 1;

const { imul } = Math;
const twoTo32 = 4_294_967_296;

export class Digest {
  #low = 0;
  #high = 0;

  get low(): number {
    return this.#low >>> 0;
  }
  get high(): number {
    return this.#high >>> 0;
  }

  add(bytes: DataView, record: RecordLayout): void {
    this.#change(bytes, record, false);
  }

  remove(bytes: DataView, record: RecordLayout): void {
    this.#change(bytes, record, true);
  }

  /**
   * Two lanes that meet at the end. The lengths go in, so that bytes cannot move between key and value.
   */
  #change(bytes: DataView, record: RecordLayout, away: boolean): void {
    const { seq, keyAt, keyLength, valueAt, valueLength } = record;
    const high = Math.floor(seq / twoTo32);
    const lane = 0x9e3779b1;
    const mix = 0x85ebca77;
    let a = imul(seq ^ 0x9e3779b9, 0x85ebca6b) ^ imul(high + 1, 0x27d4eb2f);
    let b = imul(high ^ keyLength, 0xc2b2ae35) ^ seq ^ valueLength;
    for (let part = 0; part < 2; part++) {
      let at = part === 0 ? keyAt : valueAt;
      const end = at + (part === 0 ? keyLength : valueLength);
      for (; at + 3 < end; at += 4) {
        const block = bytes.getInt32(at, true);
        a = imul(a ^ block, lane);
        a ^= a >>> 15;
        b = imul(((b << 13) | (b >>> 19)) ^ block, mix);
      }
      for (; at < end; at++) {
        const last = bytes.getUint8(at);
        a = imul(a ^ last, 0x01000193);
        b = imul(((b << 5) | (b >>> 27)) ^ last, 0xc2b2ae3d);
      }
    }
    a = imul(a ^ (b >>> 16) ^ (a >>> 13), 0x85ebca6b);
    b = imul(b ^ (a >>> 15) ^ (b >>> 13), 0xc2b2ae35);
    a = (a ^ (a >>> 16)) >>> 0;
    b = (b ^ (b >>> 16)) >>> 0;
    const before = this.#low >>> 0;
    const low = away ? before - a : before + a;
    const carry = away ? (low < 0 ? -1 : 0) : low >= twoTo32 ? 1 : 0;
    this.#low = low | 0;
    this.#high = (this.#high + (away ? -b : b) + carry) | 0;
  }
}
