/**
 * World: what time is it, and what happens next?
 *
 * One queue of events ordered by (time, sequence number). Running takes the first event, moves the
 * virtual clock to it and calls it: one event, one synchronous step. Nothing here knows of XMPP,
 * nodes or networks. An event that schedules at the same instant for ever is a bug of somebody: the
 * cap on events per instant turns it into a failure.
 */
import type { Instant } from "../../src/base/time.ts";

export interface WorldOptions {
  /** More events than this at one instant are taken for a loop without progress. */
  readonly eventsPerInstantMax: number;
}

interface Scheduled {
  readonly at: Instant;
  readonly sequence: number;
  readonly run: () => void;
}

export class TimeStandsStill extends Error {
  override readonly name = "TimeStandsStill";
}

export class World {
  readonly #eventsPerInstantMax: number;
  /** A binary heap: the children of i are 2i+1 and 2i+2. */
  readonly #heap: Scheduled[] = [];
  #sequence = 0;
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
  schedule(at: Instant, run: () => void): void {
    this.#insert({ at: at < this.#now ? this.#now : at, sequence: this.#sequence++, run });
  }

  after(delay: number, run: () => void): void {
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
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#removeFirst();
      this.#advance(next.at);
      this.#processed++;
      next.run();
      if (this.#stopped) return;
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

  #insert(event: Scheduled): void {
    const heap = this.#heap;
    let hole = heap.length;
    heap.push(event);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent] as Scheduled;
      if (!precedes(event, above)) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = event;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const moved = heap.pop() as Scheduled;
    const size = heap.length;
    if (size === 0) return;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && precedes(heap[right] as Scheduled, heap[child] as Scheduled))
        child = right;
      const below = heap[child] as Scheduled;
      if (!precedes(below, moved)) break;
      heap[hole] = below;
      hole = child;
    }
    heap[hole] = moved;
  }
}

function precedes(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
