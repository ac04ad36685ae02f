/**
 * Link queues: of what waits for a peer, which message is written next?
 *
 * Two classes wait apart: what nodes tell each other of their tables, which is little and keeps logins
 * quick, and stanzas, which may be a flood. Each class keeps its order. Between them:
 *
 *     a table message overtakes the stanzas that wait     a flood never holds the directory back
 *     a stanza overtakes no table message                 whoever reads it has seen what its sender had
 *     after `overtakingBytes` they share byte for byte    nor does the directory hold stanzas back
 *
 * So a stanza waits no longer than in one queue for all, but for the bytes that may overtake it.
 *
 * A stanza comes as a sum of strings that keeps alive the chunk in which it was received. Most are written in
 * the same turn, and what is kept of them is what was written; what stays in the queue gets memory of its own.
 */
import { flat, type BinaryString } from "../base/bytes.ts";
import { Fifo } from "./fifo.ts";
import { classes, classOf, type MessageKind } from "./messages.ts";
import type { LinkLimits } from "./timing.ts";

/** A message that waits, or (part of) one that is written: the part from `start` to `end`. */
export interface Outgoing {
  readonly kind: MessageKind;
  body: BinaryString;
  readonly frameClass: number;
  readonly start: number;
  readonly end: number;
  /** Of a stanza: how many table messages were sent before it. */
  readonly after: number;
}

/** What a queued or retained frame costs beside its body, in memory as on the wire, roughly. */
export const frameOverhead = 64;
const cost = (frame: Outgoing): number => frame.end - frame.start + frameOverhead;

/** From now on it keeps alive nothing but its own memory. */
function settle(message: Outgoing): void {
  message.body = flat(message.body);
}

/** One class. */
export class LinkQueue {
  /** More is too much. */
  readonly bytesMax: number;
  readonly #waiting = new Fifo<Outgoing>();
  /** How many of the last have bodies that keep others alive. */
  #loose = 0;
  /** How much of the first message has been written, as fragments. */
  #cutAt = 0;
  bytes = 0;
  /** Messages so far; written ones are written whole. */
  sent = 0;
  written = 0;
  /** Whether those above have been told that too much waits. */
  full = false;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get first(): Outgoing | undefined {
    return this.#waiting.first();
  }

  /** How long the next fragment is. */
  nextBytes(fragmentBytes: number): number {
    return Math.min((this.#waiting.first()?.end ?? 0) - this.#cutAt, fragmentBytes);
  }

  /** `loose`: its body keeps others alive. */
  push(message: Outgoing, loose = false): void {
    this.#waiting.push(message);
    if (loose) this.#loose += 1;
    this.bytes += cost(message);
    this.sent += 1;
  }

  /** So many bytes of `first`, as it is or as a fragment. */
  take(first: Outgoing, bytes: number): Outgoing {
    const start = this.#cutAt;
    const end = start + bytes;
    if (end === first.end) {
      this.#waiting.shift();
      this.bytes -= cost(first);
      this.written += 1;
      this.#cutAt = 0;
      if (start === 0) return first;
    } else {
      this.#cutAt = end;
      if (this.#loose >= this.#waiting.length) {
        settle(first);
        this.#loose = this.#waiting.length - 1;
      }
    }
    return { ...first, start, end };
  }

  /** The end of a turn: what has not been written will wait. */
  settle(): void {
    if (this.#loose === 0) return;
    const { length } = this.#waiting;
    for (const message of this.#waiting.last(Math.min(this.#loose, length))) settle(message);
    this.#loose = 0;
  }

  [Symbol.iterator](): Iterator<Outgoing> {
    return this.#waiting[Symbol.iterator]();
  }
}

export class LinkQueues {
  readonly tables: LinkQueue;
  readonly stanzas: LinkQueue;
  readonly #limits: LinkLimits;
  /** Bytes of table messages that have overtaken stanzas, less those of stanzas written since. */
  #ahead = 0;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
    const { queueBytes, tableQueueBytes = queueBytes } = limits;
    this.tables = new LinkQueue(tableQueueBytes);
    this.stanzas = new LinkQueue(queueBytes);
  }

  get length(): number {
    return this.tables.length + this.stanzas.length;
  }

  get bytes(): number {
    return this.tables.bytes + this.stanzas.bytes;
  }

  /** Returns the queue that the message waits in now. */
  push(kind: MessageKind, body: BinaryString): LinkQueue {
    const frameClass = classOf(kind);
    const queue = frameClass === classes.stanzas ? this.stanzas : this.tables;
    const after = this.tables.sent;
    const message = { kind, body, frameClass, start: 0, end: body.length, after };
    queue.push(message, queue === this.stanzas);
    return queue;
  }

  /** The queue whose first message is next. */
  next(): LinkQueue | undefined {
    const { tables, stanzas } = this;
    const stanza = stanzas.first;
    if (stanza === undefined) return tables.length > 0 ? tables : undefined;
    if (tables.length === 0) return stanzas;
    const mayOvertake = this.#ahead < this.#limits.overtakingBytes;
    return mayOvertake || tables.written < stanza.after ? tables : stanzas;
  }

  /** The next frame from the queue that is next. */
  take(queue: LinkQueue, first: Outgoing, bytes: number): Outgoing {
    const { tables, stanzas } = this;
    if (queue === stanzas) this.#ahead = Math.max(0, this.#ahead - bytes - frameOverhead);
    else if (stanzas.first === undefined) this.#ahead = 0;
    else if (tables.written >= stanzas.first.after) this.#ahead += bytes + frameOverhead;
    return queue.take(first, bytes);
  }
}
