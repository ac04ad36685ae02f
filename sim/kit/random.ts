/**
 * Random: where does every choice of a simulated run come from?
 *
 * One independent, named stream per purpose (`seed/network/alice`, `seed/node/n1` …). A stream never
 * draws from another, so one more draw in one place moves nothing elsewhere. What others' doings ask for
 * (how long is this piece under way?) is drawn by the moment, or one message less would move all that come
 * after it on its line. Not for secrets.
 */
import seedrandom from "seedrandom";
import { allocBytes } from "../../src/base/bytes.ts";
import type { Instant } from "../../src/base/time.ts";

export class Random {
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  /** An integer in [0, below). */
  int(below: number): number {
    return (this.word() % below) | 0;
  }

  /** An integer in [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.int(high - low + 1);
  }

  /** True with this probability (0 to 1). */
  chance(probability: number): boolean {
    return this.word() < probability * 0x1_0000_0000;
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

  /** 32 bits. */
  word(): number {
    return this.#next() >>> 0;
  }
}

/** The stream of this name; the same seed and path always give the same draws. */
export function stream(seed: number, path: string): Random {
  return new Random(wordsOf(`${seed}/${path}`));
}

/** Where a part of the world has its draws from: the path is a purpose, and may end in `#2`, the second of a kind. */
export type Draws = (path: string) => Random;

/** One draw after the other: the next is another when one has been left out. */
export function inTurn(seed: number): Draws {
  return (path) => stream(seed, path);
}

/**
 * Draws that depend on the moment, and only within one on how many there were before. So what is left out of a plan
 * moves nothing that it has not itself led to: a message less on a line, and the next is as long under way as
 * before. Nor do they depend on how many of a kind there were, but on who it is.
 */
export function byMoment(seed: number, now: () => Instant): Draws {
  return (path) => {
    const own = stream(seed, path.replace(/#\d+$/, ""));
    const [low, high] = [own.word(), own.word()];
    let moment = -1;
    let count = 0;
    return new Random(() => {
      const at = now();
      if (at !== moment) {
        moment = at;
        count = 0;
      }
      count++;
      return mixed(low ^ Math.imul(at, 0x9e3779b1), high ^ Math.imul(count, 0x85ebca6b));
    });
  };
}

/** Each bit of both words tells in each bit of what comes out. */
function mixed(one: number, other: number): number {
  let word = one ^ (one >>> 16);
  word = Math.imul(word, 0x85ebca6b);
  word ^= (word >>> 13) ^ other;
  word = Math.imul(word, 0xc2b2ae35);
  word ^= word >>> 16;
  word = Math.imul(word, 0x9e3779b1);
  return word ^ (word >>> 15);
}

/**
 * For plans, and what one client does in its logins. `xor128` is linear: of two streams whose names are equally long the
 * words differ by the same bits whatever the seed is, so that of their coins some pairs never come up together. These are
 * told apart by a hash.
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
