/**
 * Clock: what do the two clocks of a machine say, and when will they say it?
 *
 * The monotonic clock counts from an origin of its own; the wall clock runs beside it and can be set. Both
 * hang on one crystal, which may run fast or slow: so much for every million milliseconds of the world.
 */
import type { Instant, Now } from "../../src/base/time.ts";
import type { World } from "./world.ts";

export interface ClockOptions {
  /** Where the monotonic clock stands at the world's beginning. */
  readonly monotonicOrigin: number;
  /** Where the wall clock stands at the world's beginning. */
  readonly wallOrigin: number;
  /** Parts per million, an integer; positive: it runs fast. Missing: it is right. */
  readonly drift?: number;
}

const million = 1_000_000;

export class Clock {
  readonly #world: Pick<World, "now">;
  readonly #monotonicOrigin: number;
  readonly #wallOrigin: number;
  readonly #drift: number;
  #wallOffset = 0;

  constructor(world: Pick<World, "now">, options: ClockOptions) {
    const { monotonicOrigin, wallOrigin, drift = 0 } = options;
    if (drift <= -million) throw new RangeError("a clock does not stand still or go back");
    this.#world = world;
    this.#monotonicOrigin = monotonicOrigin;
    this.#wallOrigin = wallOrigin;
    this.#drift = drift;
  }

  now(): Now {
    const elapsed = this.#elapsed(this.#world.now());
    return {
      at: this.#monotonicOrigin + elapsed,
      wall: this.#wallOrigin + elapsed + this.#wallOffset,
    };
  }

  /** The wall clock is set by this much; the monotonic clock does not notice. */
  jump(by: number): void {
    this.#wallOffset += by;
  }

  /**
   * The first moment of the world at which the monotonic clock has reached this. "At once" (-Infinity)
   * and "never" are no moments: no step leads to them.
   */
  reaches(at: Instant): Instant {
    if (!Number.isFinite(at)) return at;
    const elapsed = at - this.#monotonicOrigin;
    // Right but for rounding: the steps below are few.
    let moment = Math.ceil((elapsed / (million + this.#drift)) * million);
    while (this.#elapsed(moment) < elapsed) moment++;
    while (this.#elapsed(moment - 1) >= elapsed) moment--;
    return moment;
  }

  /** What it has counted since the world's beginning. */
  #elapsed(moment: Instant): number {
    return moment + Math.floor((moment * this.#drift) / million);
  }
}
