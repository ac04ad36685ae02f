/**
 * Line limit: may one more line of this kind be written to the log?
 *
 * What strangers can cause as often as they like must not fill the disk. In each period, which begins with
 * the first line, at most `max` are written; at its end one number tells how many were left out.
 */
import { assert } from "./assert.ts";
import type { Duration, Instant } from "./time.ts";

export interface LineLimitOptions {
  readonly max: number;
  readonly period: Duration;
}

export class LineLimit {
  readonly #options: LineLimitOptions;
  #endsAt: Instant | undefined;
  #lines = 0;

  constructor(options: LineLimitOptions) {
    assert(options.max > 0, "the first line is always written");
    this.#options = options;
  }

  /** When `expire` must be called: only if something was left out. */
  deadline(): Instant | undefined {
    return this.#lines > this.#options.max ? this.#endsAt : undefined;
  }

  /** Counts a line; may it be written? Call `expire` before. */
  allows(at: Instant): boolean {
    this.#endsAt ??= at + this.#options.period;
    this.#lines += 1;
    return this.#lines <= this.#options.max;
  }

  /** How many lines were left out in the period that has ended by now; 0: none, or it goes on. */
  expire(at: Instant): number {
    if (this.#endsAt === undefined || at < this.#endsAt) return 0;
    const leftOut = Math.max(0, this.#lines - this.#options.max);
    this.#endsAt = undefined;
    this.#lines = 0;
    return leftOut;
  }
}
