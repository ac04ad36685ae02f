/**
 * Deadlines: which of many moments comes first?
 *
 * One binary heap for all streams of a node: half the memory of timers, as fast, and deterministic. An
 * item carries its own position in the heap, so that moving or removing it needs no search. Owners
 * that are active all the time should be lazy: leave the deadline where it is and look again when it
 * fires.
 */
import type { Instant } from "./time.ts";

/** What can be put into `Deadlines`; `deadlineSlot` belongs to the heap and is -1 outside it. */
export interface Scheduled {
  deadlineSlot: number;
}

export class Deadlines<T extends Scheduled> {
  readonly #items: T[] = [];
  readonly #at: Instant[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The earliest moment, or undefined when there is none. */
  next(): Instant | undefined {
    return this.#at[0];
  }

  /** Puts the item at a moment, moves it there, or (undefined) takes it out. */
  set(item: T, at: Instant | undefined): void {
    if (at === undefined) return this.#remove(item);
    if (item.deadlineSlot < 0) {
      item.deadlineSlot = this.#items.length;
      this.#items.push(item);
      this.#at.push(at);
      this.#up(item.deadlineSlot);
      return;
    }
    const slot = item.deadlineSlot;
    const before = this.#time(slot);
    if (at === before) return;
    this.#at[slot] = at;
    if (at < before) this.#up(slot);
    else this.#down(slot);
  }

  /** Takes out and returns one item whose moment has come; undefined when none is due. */
  takeDue(now: Instant): T | undefined {
    const first = this.#items[0];
    if (first === undefined || this.#time(0) > now) return undefined;
    this.#remove(first);
    return first;
  }

  #time(slot: number): Instant {
    return this.#at[slot] ?? Infinity;
  }

  #remove(item: T): void {
    const slot = item.deadlineSlot;
    if (slot < 0) return;
    item.deadlineSlot = -1;
    const last = this.#items.pop();
    const lastAt = this.#at.pop();
    if (last === undefined || lastAt === undefined || last === item) return;
    this.#place(slot, last, lastAt);
    this.#up(slot);
    this.#down(last.deadlineSlot);
  }

  #place(slot: number, item: T, at: Instant): void {
    this.#items[slot] = item;
    this.#at[slot] = at;
    item.deadlineSlot = slot;
  }

  #up(from: number): void {
    let slot = from;
    while (slot > 0 && this.#time(slot) < this.#time((slot - 1) >> 1)) {
      slot = this.#swap(slot, (slot - 1) >> 1);
    }
  }

  #down(from: number): void {
    let slot = from;
    for (;;) {
      const left = 2 * slot + 1;
      const child = this.#time(left + 1) < this.#time(left) ? left + 1 : left;
      if (!(this.#time(child) < this.#time(slot))) return;
      slot = this.#swap(slot, child);
    }
  }

  /** Exchanges two slots; returns the second. */
  #swap(a: number, b: number): number {
    const [itemA, itemB, atA, atB] = [this.#items[a], this.#items[b], this.#time(a), this.#time(b)];
    if (itemA !== undefined && itemB !== undefined) {
      this.#place(a, itemB, atB);
      this.#place(b, itemA, atA);
    }
    return b;
  }
}
