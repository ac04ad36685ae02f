/**
 * Backlog: what waits for a process that stands still or is slow, in order of arrival?
 *
 * Bytes of one connection that follow each other are read in one piece, as from a kernel that has them all, but
 * for those that come in messages; a tick of the timer waits once.
 */
import { concatBytes } from "../src/base/bytes.ts";
import type { Instant } from "../src/base/time.ts";
import type { ConnectionId } from "../src/ports/network.ts";
import type { WorldInput } from "../src/server/effects.ts";

export interface Waiting {
  readonly input: WorldInput;
  readonly login: string;
  readonly since: Instant;
}

/** What Node reads at a time. */
const pieceMax = 65_536;

export class Backlog {
  readonly #inMessages: (connection: ConnectionId) => boolean;
  #waiting: Waiting[] = [];
  /** The longest that anything has waited. */
  longestMs = 0;

  constructor(inMessages: (connection: ConnectionId) => boolean = () => false) {
    this.#inMessages = inMessages;
  }

  get hasTick(): boolean {
    return this.#waiting.some(({ input }) => input.type === "deadline-reached");
  }

  add(waiting: Waiting): void {
    if (!this.#joined(waiting.input)) this.#waiting.push(waiting);
  }

  take(now: Instant): Waiting | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) this.longestMs = Math.max(this.longestMs, now - next.since);
    return next;
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Are its bytes read with those before them? */
  #joined(input: WorldInput): boolean {
    if (input.type !== "bytes-received") return false;
    const { connection, bytes } = input;
    if (this.#inMessages(connection)) return false;
    const at = this.#waiting.findLastIndex(
      (each) => "connection" in each.input && each.input.connection === connection,
    );
    const before = this.#waiting[at];
    if (before?.input.type !== "bytes-received") return false;
    if (before.input.bytes.length + bytes.length > pieceMax) return false;
    const piece = concatBytes(before.input.bytes, bytes);
    this.#waiting[at] = { ...before, input: { ...before.input, bytes: piece } };
    return true;
  }
}
