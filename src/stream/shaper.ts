/**
 * Shaper: how fast may one connection be read?
 *
 * A token bucket that holds what comes in a second at `maxRate`. What has arrived is taken whole, since it
 * is in memory already; where it was more than the bucket had, nothing is read until that is made up
 * for. So the kernel's buffers fill, and the peer waits: no stanza is lost, and over any stretch of
 * time no more is read than `maxRate` for its length, a second more, and one chunk.
 *
 *     reading --[more than the bucket had]--> paused until it is made up for --> reading
 */
import type { Instant } from "../base/time.ts";

export type ShaperInput =
  | { readonly type: "bytes-received"; readonly count: number }
  | { readonly type: "deadline-reached" };

export type ShaperEffect = "pause-reading" | "resume-reading";

const burst = 1_000;

export class Shaper {
  /** Bytes per millisecond. */
  readonly #rate: number;
  /** When the bucket will be, or has been, empty of debt: a second before it is full. */
  #evenAt: number = Number.NEGATIVE_INFINITY;
  #paused = false;

  /** `maxRate`: bytes per second. */
  constructor(maxRate: number) {
    this.#rate = maxRate / 1_000;
  }

  /** When reading goes on; undefined while it does. */
  deadline(): Instant | undefined {
    return this.#paused ? Math.ceil(this.#evenAt) : undefined;
  }

  step(at: Instant, input: ShaperInput): ShaperEffect | undefined {
    if (input.type === "bytes-received") {
      this.#evenAt = Math.max(this.#evenAt, at - burst) + input.count / this.#rate;
      if (this.#paused || this.#evenAt <= at) return undefined;
      this.#paused = true;
      return "pause-reading";
    }
    if (!this.#paused || this.#evenAt > at) return undefined;
    this.#paused = false;
    return "resume-reading";
  }
}
