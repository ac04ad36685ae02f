/**
 * Random: where does every choice of a simulated run come from?
 *
 * One independent, named stream per purpose (`seed/network/alice`, `seed/node/n1` …). A stream never
 * draws from another, so one more draw in one place moves nothing elsewhere. Not for secrets.
 */
import seedrandom from "seedrandom";
import { allocBytes } from "../../src/base/bytes.ts";

export class Random {
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  /** An integer in [0, below). */
  int(below: number): number {
    return (this.#word() % below) | 0;
  }

  /** An integer in [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.int(high - low + 1);
  }

  /** True with this probability (0 to 1). */
  chance(probability: number): boolean {
    return this.#word() < probability * 0x1_0000_0000;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.int(choices.length)];
    if (choice === undefined) throw new RangeError("cannot pick from an empty list");
    return choice;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.int(last + 1);
      const moved = shuffled[last] as T;
      shuffled[last] = shuffled[other] as T;
      shuffled[other] = moved;
    }
    return shuffled;
  }

  bytes(count: number): Uint8Array {
    const bytes = allocBytes(count);
    for (let at = 0; at < count; at++) bytes[at] = this.int(256);
    return bytes;
  }

  #word(): number {
    return this.#next() >>> 0;
  }
}

/** The stream of this name; the same seed and path always give the same draws. */
export function stream(seed: number, path: string): Random {
  return new Random(wordsOf(`${seed}/${path}`));
}

/**
 * For plans. `xor128` is linear: of two streams whose names are equally long the first words differ by the same
 * bits whatever the seed is, so that of their coins some pairs never come up together. These are told apart by a hash.
 */
export function choices(seed: number, path: string): Random {
  const name = `${seed}/${path}`;
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (let at = 0; at < name.length; at++) {
    low = Math.imul(low ^ name.charCodeAt(at), 0x9e3779b1);
    high = Math.imul(high ^ (low >>> 15), 0x85ebca6b);
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b);
  high = Math.imul(high ^ (high >>> 13) ^ low, 0xc2b2ae35);
  return new Random(wordsOf(`${low >>> 0}/${(high ^ (high >>> 16)) >>> 0}`));
}

function wordsOf(text: string): () => number {
  const generator = seedrandom.xor128(text);
  return () => generator.int32();
}
