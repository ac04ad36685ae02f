/**
 * Timers: when is now, and who wakes the core at its deadline?
 *
 * `RealTime` stands before the loop: it stamps every input with both clocks and keeps a single timer
 * for the earliest deadline. A timer that is set for an earlier moment than needed is left alone: it
 * finds nothing due and is set again, which is cheaper than moving it with every message.
 */
import type { Instant, Now } from "../base/time.ts";
import type { WorldInput } from "../server/effects.ts";
import type { Loop } from "../server/loop.ts";

/** Longer waits overflow Node's timers; waking once in 24 days does no harm. */
const longestWait = 2_147_483_647;

export class RealTime {
  readonly #loop: Pick<Loop, "deliver" | "deadline">;
  #timer: NodeJS.Timeout | undefined;
  #armedFor: Instant | undefined;
  #delivering = false;
  #stopped = false;

  constructor(loop: Pick<Loop, "deliver" | "deadline">) {
    this.#loop = loop;
  }

  now(): Now {
    return { at: Math.floor(performance.now()), wall: Date.now() };
  }

  deliver(input: WorldInput): void {
    // From within a port's method the loop queues it; the outer call sets the timer.
    if (this.#delivering) return this.#loop.deliver(this.now(), input);
    this.#delivering = true;
    try {
      this.#loop.deliver(this.now(), input);
    } finally {
      this.#delivering = false;
      this.#arm();
    }
  }

  /** Sets the timer for a deadline that exists before the first input. */
  start(): void {
    this.#arm();
  }

  /** No more deadlines; lets the process end. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const deadline = this.#loop.deadline();
    if (deadline === undefined || this.#stopped) return;
    if (this.#armedFor !== undefined && this.#armedFor <= deadline) return;
    clearTimeout(this.#timer);
    this.#armedFor = deadline;
    const wait = Math.ceil(deadline - performance.now());
    this.#timer = setTimeout(this.#fire, Math.min(Math.max(wait, 1), longestWait));
  }

  readonly #fire = (): void => {
    this.#armedFor = undefined;
    const deadline = this.#loop.deadline();
    if (deadline !== undefined && deadline <= this.now().at) {
      this.deliver({ type: "deadline-reached" });
    } else this.#arm();
  };
}
