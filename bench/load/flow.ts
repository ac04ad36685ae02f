/**
 * Flow: the messages from one client to another, each bearing its number and the time it was sent.
 *
 * The receiver sees by the numbers what was lost, duplicated or reordered.
 */
import type { Faults } from "./spec.ts";

/** Body: mark, sender, number, microseconds; then filler. All of fixed width, so found without parsing. */
const mark = "<body>~";
const widths = { sender: 5, number: 9, sentAt: 12 } as const;
const fixed = mark.length + widths.sender + widths.number + widths.sentAt;

/** How many bytes a body has at least. */
export const bodyBytesMin = fixed - "<body>".length;

export interface Arrival {
  readonly sender: number;
  readonly number: number;
  readonly sentAtMicros: number;
}

export class Flow {
  sent = 0;
  #next = 0;
  #missing: Set<number> | undefined;
  readonly #head: string;
  readonly #middle: string;
  readonly #tail: string;

  constructor(sender: number, to: string, bodyBytes: number) {
    const digits = String(sender).padStart(widths.sender, "0");
    this.#head = `<message to='${to}' type='chat' id='`;
    this.#middle = `'>${mark}${digits}`;
    this.#tail = `${"x".repeat(bodyBytes - bodyBytesMin)}</body></message>`;
  }

  /** Each has an id of its own, as those of clients have: a server may know a tag that it has seen before. */
  message(nowMicros: number): string {
    const number = String(this.sent++).padStart(widths.number, "0");
    const sentAt = String(nowMicros).padStart(widths.sentAt, "0");
    return this.#head + number + this.#middle + number + sentAt + this.#tail;
  }

  arrived(number: number, faults: Faults): void {
    if (number === this.#next) {
      this.#next += 1;
    } else if (number > this.#next) {
      this.#missing ??= new Set();
      for (let gap = this.#next; gap < number; gap++) this.#missing.add(gap);
      this.#next = number + 1;
    } else if (this.#missing?.delete(number) === true) {
      faults.reordered += 1;
    } else {
      faults.duplicated += 1;
    }
  }

  get lost(): number {
    return this.sent - this.#next + (this.#missing?.size ?? 0);
  }
}

/** Reads all whole messages; returns the text that may be the beginning of the next. */
export function readArrivals(text: string, onArrival: (arrival: Arrival) => void): string {
  let position = 0;
  for (;;) {
    const at = text.indexOf(mark, position);
    if (at < 0) return text.slice(Math.max(position, text.length - mark.length + 1));
    if (at + fixed > text.length) return text.slice(at);
    const number = at + mark.length + widths.sender;
    const sentAt = number + widths.number;
    position = at + fixed;
    onArrival({
      sender: Number(text.slice(at + mark.length, number)),
      number: Number(text.slice(number, sentAt)),
      sentAtMicros: Number(text.slice(sentAt, position)),
    });
  }
}
