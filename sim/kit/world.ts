/**
 * World: what time is it, and what happens next?
 *
 * One queue of events ordered by time, and within an instant by when they were scheduled. Running takes the
 * first event, moves the virtual clock to it and calls it: one event, one synchronous step. Nothing here
 * knows of XMPP, nodes or networks. An event that schedules at the same instant for ever is a bug of somebody: the
 * cap on events per instant turns it into a failure.
 */
import type { Instant } from "../../src/base/time.ts";

export interface WorldOptions {
  /** More events than this at one instant are taken for a loop without progress. */
  readonly eventsPerInstantMax: number;
}

type Act = () => void;

export class TimeStandsStill extends Error {
  override readonly name = "TimeStandsStill";
}

export class World {
  readonly #eventsPerInstantMax: number;
  /** What is due at each instant to come, in the order in which it was scheduled. */
  readonly #due = new Map<Instant, Act[]>();
  /** Those instants: a binary heap, the children of i are 2i+1 and 2i+2. */
  readonly #instants: Instant[] = [];
  /** What of the first instant has been run. */
  #done = 0;
  #now: Instant = 0;
  #atThisInstant = 0;
  #processed = 0;
  #stopped = false;

  constructor(options: WorldOptions = { eventsPerInstantMax: 100_000 }) {
    this.#eventsPerInstantMax = options.eventsPerInstantMax;
  }

  now(): Instant {
    return this.#now;
  }

  /** Events that have been run. */
  processed(): number {
    return this.#processed;
  }

  /** Runs at this time, or at once (after what is already due) if it has passed. */
  schedule(at: Instant, run: Act): void {
    const when = at < this.#now ? this.#now : at;
    const others = this.#due.get(when);
    if (others !== undefined) return void others.push(run);
    this.#due.set(when, [run]);
    this.#insert(when);
  }

  after(delay: number, run: Act): void {
    this.schedule(this.#now + delay, run);
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Nothing runs any more: a node has shown a bug. */
  stop(): void {
    this.#stopped = true;
  }

  /** Runs all that is due up to and including this time, then moves the clock there. */
  runUntil(end: Instant): void {
    for (let at = this.#instants[0]; at !== undefined && at <= end; at = this.#instants[0]) {
      const due = this.#due.get(at) as Act[];
      while (this.#done < due.length) {
        const run = due[this.#done++] as Act;
        this.#advance(at);
        this.#processed++;
        run();
        if (this.#stopped) return;
      }
      this.#due.delete(at);
      this.#removeFirst();
      this.#done = 0;
    }
    if (this.#stopped) return;
    this.#now = end;
    this.#atThisInstant = 0;
  }

  #advance(to: Instant): void {
    if (to > this.#now) {
      this.#now = to;
      this.#atThisInstant = 0;
      return;
    }
    if (++this.#atThisInstant > this.#eventsPerInstantMax) {
      throw new TimeStandsStill(
        `More than ${this.#eventsPerInstantMax} events at ${to} ms: something runs in a circle`,
      );
    }
  }

  #insert(instant: Instant): void {
    const heap = this.#instants;
    let hole = heap.length;
    heap.push(instant);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent] as Instant;
      if (instant >= above) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = instant;
  }

  #removeFirst(): void {
    const heap = this.#instants;
    const moved = heap.pop() as Instant;
    const size = heap.length;
    if (size === 0) return;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && (heap[right] as Instant) < (heap[child] as Instant)) child = right;
      const below = heap[child] as Instant;
      if (below >= moved) break;
      heap[hole] = below;
      hole = child;
    }
    heap[hole] = moved;
  }
}
