/**
 * Outbox: stanzas that wait for a client which does not read fast enough.
 *
 * Empty and without memory while the connection is not congested. Bounded by bytes; it keeps stanzas, not
 * what they look like on the wire, so that what never leaves can be handed back to its senders.
 */
import type { Delivery } from "./c2s-traffic.ts";

export class Outbox {
  readonly #maxBytes: number;
  #waiting: Delivery[] | undefined;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
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
