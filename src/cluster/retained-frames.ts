/**
 * Retained frames: what was written to a peer and may have to be written again, until it is acknowledged.
 *
 *     add, add … → cut: one piece, which is written and kept → acknowledged: gone
 *
 * A piece is kept as it lies on the wire, one string for all its frames: nothing is made for each of them, and
 * a new connection is given what is left as it is. Whoever must know what was not received reads it as a peer
 * would (`undelivered`). The frames of a sync have pieces of their own; they are counted, and never handed back.
 */
import { assert } from "../base/assert.ts";
import { bytesFromBinary, inOnePiece, type BinaryString } from "../base/bytes.ts";
import { Fifo } from "./fifo.ts";
import { classes, type Message } from "./messages.ts";
import type { Outgoing } from "./link-queues.ts";
import { frameBytesAt, frameBytesMax, FrameReader, numberedFrame } from "./wire.ts";

/** What a retained frame costs beside its bytes on the wire, roughly. */
export const retainedOverhead = 56;

interface Piece {
  /** The number of its last frame. */
  readonly last: number;
  data: BinaryString;
  cost: number;
  readonly sync: boolean;
}

export class RetainedFrames {
  readonly #pieces = new Fifo<Piece>();
  /** The bodies of which more than one frame was made, with the number of their last. */
  readonly #whole = new Fifo<{ readonly last: number; readonly body: BinaryString }>();
  #acked = 0;
  #written = 0;
  #bytes = 0;
  #syncBytes = 0;

  /** The frames since the last cut. */
  #open: BinaryString = "";
  #openFrames = 0;
  #openIsSync = false;

  /** The number of the last frame that the peer has acknowledged. */
  get acked(): number {
    return this.#acked;
  }

  /** The number of the last frame. */
  get written(): number {
    return this.#written;
  }

  get length(): number {
    return this.#written - this.#acked;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of which frames of a sync. */
  get syncBytes(): number {
    return this.#syncBytes;
  }

  /** Bytes since the last cut. */
  get open(): number {
    return this.#open.length;
  }

  /** Gives the frame its number. What is returned ends the piece before it, and is to be written. */
  add({ kind, body, frameClass, start, end }: Outgoing): BinaryString {
    const sync = frameClass === classes.sync;
    const before = sync === this.#openIsSync ? "" : this.cut();
    this.#openIsSync = sync;
    const number = (this.#written += 1);
    const more = end < body.length;
    const part = end - start === body.length ? body : body.slice(start, end);
    const frame = numberedFrame(kind, frameClass, number, part, more);
    if (start > 0 && !more && !sync) this.#whole.push({ last: number, body });
    this.#open += frame;
    this.#openFrames += 1;
    const cost = frame.length + retainedOverhead;
    this.#bytes += cost;
    if (sync) this.#syncBytes += cost;
    return before;
  }

  /** The frames since the last cut, for the wire. */
  cut(): BinaryString {
    if (this.#open === "") return "";
    const data = inOnePiece(this.#open);
    const cost = data.length + this.#openFrames * retainedOverhead;
    this.#pieces.push({ last: this.#written, data, cost, sync: this.#openIsSync });
    this.#open = "";
    this.#openFrames = 0;
    return data;
  }

  /** The peer has everything up to this number, which is at most the last that was written; true if that is news. */
  acknowledged(number: number): boolean {
    assert(this.#open === "" && number <= this.#written, "only what was written is acknowledged");
    if (number <= this.#acked) return false;
    let piece = this.#pieces.first();
    for (; piece !== undefined && piece.last <= number; piece = this.#pieces.first()) {
      this.#pieces.shift();
      this.#release(piece, piece.cost);
      this.#acked = piece.last;
    }
    if (piece !== undefined && this.#acked < number) this.#shorten(piece, number - this.#acked);
    this.#acked = number;
    while ((this.#whole.first()?.last ?? Infinity) <= number) this.#whole.shift();
    return true;
  }

  #shorten(piece: Piece, frames: number): void {
    let at = 0;
    for (let count = 0; count < frames; count += 1) at += frameBytesAt(piece.data, at);
    const cost = at + frames * retainedOverhead;
    piece.data = piece.data.slice(at);
    piece.cost -= cost;
    this.#release(piece, cost);
  }

  #release({ sync }: Piece, cost: number): void {
    this.#bytes -= cost;
    if (sync) this.#syncBytes -= cost;
  }

  /** All of it, for a new connection. */
  again(): BinaryString {
    let out = "";
    for (const { data } of this.#pieces) out += data;
    return out;
  }

  /** The messages whose last frame is not acknowledged, but for those of a sync. */
  undelivered(): readonly Message[] {
    const messages: Message[] = [];
    const whole = new Map([...this.#whole].map(({ last, body }) => [last, body]));
    const reader = new FrameReader(frameBytesMax);
    for (const { data, sync } of this.#pieces) {
      if (sync) continue;
      reader.push(bytesFromBinary(data));
      while (reader.next()) {
        const { kind, number, more, body } = reader;
        if (more) continue;
        messages.push({ kind, body: whole.get(number) ?? body.chunk.binary(body.start, body.end) });
      }
    }
    return messages;
  }
}
