/** Fifo: first in, first out, without moving what stays and without keeping what has left alive. */
export class Fifo<T> implements Iterable<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  first(): T | undefined {
    return this.#items[this.#head];
  }

  shift(): T | undefined {
    const first = this.#items[this.#head];
    if (first === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  clear(): void {
    this.#items.length = 0;
    this.#head = 0;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.last(this.length)[Symbol.iterator]();
  }

  /** The `count` last, the oldest of them first. */
  *last(count: number): Iterable<T> {
    for (let at = this.#items.length - count; at < this.#items.length; at += 1) {
      const item = this.#items[at];
      if (item !== undefined) yield item;
    }
  }
}
