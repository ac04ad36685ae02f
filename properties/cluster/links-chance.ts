/** Links chance: draws from a seed, an order of events, and the cryptography that a mesh is given. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** Small and fast (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  createHmac("sha256", key).update(data).digest();

export const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b);

/** Where the event belongs in a list ordered from the latest to the earliest. */
export function lowerSlot(events: readonly { at: number }[], event: { at: number }): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.at ?? 0) > event.at) low = middle + 1;
    else high = middle;
  }
  return low;
}
