/**
 * Link window: how much may be on its way to a peer at once?
 *
 * What is let out is out: a login that is written next travels behind it, and whoever binds waits until every
 * peer has seen that login. So no more is let out than the line carries in a quarter of a second beyond its own
 * round trip, up to `windowBytes`; what waits, waits in the queues, where tables overtake stanzas.
 *
 * The line is measured by asking. After every quarter of the window an `ask` goes along, which the peer acknowledges at
 * once; so a small window does not run dry either while the peer saves up its acknowledgements. Bytes on their
 * way, divided by the time until they are acknowledged, is what the line carries, whatever its length:
 *
 *     fits = bytes on their way × (least delay seen + spare) / delay
 *     slower than that:  window = fits          within it:  window = the larger of both
 *
 * On a fast line `fits` is beyond all bounds with the first answer, and the window is `windowBytes`. A peer that
 * paused makes it small once; the next answer undoes it. Little on its way, acknowledged in time, says nothing
 * against the line.
 */
import type { Duration, Instant } from "../base/time.ts";
import { Fifo } from "./fifo.ts";

const initialBytes = 65_536;
/** A line that carries less than a few of it a second is no line for a cluster. */
export const leastWindowBytes = 8_192;
/** What may wait on the line in front of a frame. */
export const spareDelay: Duration = 250;

interface Ask {
  /** The last frame before it. */
  readonly number: number;
  readonly at: Instant;
  /** On their way, it included. */
  readonly bytes: number;
}

export class LinkWindow {
  readonly #max: number;
  #bytes: number;
  /** Since the last ask. */
  #sinceAsk = 0;
  /** The last frame before an ask. */
  #asked = 0;
  readonly #asks = new Fifo<Ask>();
  #leastDelay = Infinity;

  /** `windowBytes`: never more. */
  constructor(windowBytes: number) {
    this.#max = windowBytes;
    this.#bytes = Math.min(initialBytes, windowBytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A frame is written, with `onItsWay` in all. Must the peer be asked to acknowledge it? */
  wrote(now: Instant, number: number, bytes: number, onItsWay: number): boolean {
    this.#sinceAsk += bytes;
    if (this.#sinceAsk * 4 < this.#bytes) return false;
    this.#sinceAsk = 0;
    this.#asked = number;
    this.#asks.push({ number, at: now, bytes: onItsWay });
    return true;
  }

  /**
   * No more fits. Must the peer be asked to acknowledge what is `written`? Not timed: most of it may have
   * arrived long ago.
   */
  isFull(acked: number, written: number): boolean {
    if (this.#asked > acked || written === acked) return false;
    this.#sinceAsk = 0;
    this.#asked = written;
    return true;
  }

  acknowledged(now: Instant, number: number): void {
    for (let ask = this.#asks.first(); ask && ask.number <= number; ask = this.#asks.first()) {
      this.#asks.shift();
      this.#answered(Math.max(1, now - ask.at), ask.bytes);
    }
  }

  #answered(delay: Duration, bytes: number): void {
    this.#leastDelay = Math.min(this.#leastDelay, delay);
    const most = this.#leastDelay + spareDelay;
    const fits = Math.max(leastWindowBytes, Math.floor((bytes * most) / delay));
    this.#bytes = Math.min(this.#max, delay > most ? fits : Math.max(this.#bytes, fits));
  }

  /** A new connection: what was asked on the old one may be lost, and the line be another. */
  resumed(): void {
    this.#asks.clear();
    this.#sinceAsk = 0;
    this.#asked = 0;
    this.#leastDelay = Infinity;
    this.#bytes = Math.min(initialBytes, this.#max);
  }
}
