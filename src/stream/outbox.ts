/**
 * Outbox: stanzas that wait for a client which does not read fast enough.
 *
 * Empty and without memory while the connection is not congested. Bounded by bytes; it keeps stanzas, not
 * what they look like on the wire, so that what never leaves can be handed back to its senders.
 */
import type { Delivery } from "./c2s-traffic.ts";

/**
 * Leaves at once: about what a connection holds before it is congested. With all at once a client that
 * reads, but slowly, would seem to read nothing until the last byte; and what is written can be neither
 * handed back nor counted.
 */
const pieceBytes = 65_536;

export class Outbox {
  /** The connection takes nothing for now. */
  congested = false;
  readonly #maxBytes: number;
  #waiting: Delivery[] | undefined;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Must what is delivered wait, for the connection or for what came before? */
  get holds(): boolean {
    return this.congested || this.#waiting !== undefined;
  }

  /** Keeps a delivery; false when that was more than the bound allows. */
  put(delivery: Delivery): boolean {
    const { stanza, from, to, transit } = delivery;
    this.#bytes += stanza.size;
    (this.#waiting ??= []).push({
      stanza: stanza.copy(),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(transit === undefined ? {} : { transit }),
    });
    return this.#bytes <= this.#maxBytes;
  }

  /** What leaves next, in order: nothing while the connection takes nothing. */
  take(): readonly Delivery[] {
    if (this.congested) return [];
    const waiting = this.#waiting ?? [];
    let [bytes, count] = [0, 0];
    for (const { stanza } of waiting) {
      if (bytes >= pieceBytes) break;
      bytes += stanza.size;
      count += 1;
    }
    if (count === waiting.length) return this.takeAll();
    this.#bytes -= bytes;
    return waiting.splice(0, count);
  }

  /** What nobody but its addressee can be told of; the rest goes on waiting. */
  takeAnswers(): readonly Delivery[] {
    const answers: Delivery[] = [];
    for (const delivery of this.takeAll()) {
      if (delivery.stanza.isAnswer()) answers.push(delivery);
      else this.put(delivery);
    }
    return answers;
  }

  /** Empties it. */
  takeAll(): readonly Delivery[] {
    const all = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#bytes = 0;
    return all;
  }
}
