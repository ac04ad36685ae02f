/**
 * Pipe: one direction of a simulated connection. When does which piece of bytes arrive?
 *
 * Bytes are cut anywhere and travel in pieces, each with its own latency, but never overtake each
 * other; those that come at one instant are read as one, as from a kernel that has them all. A piece
 * that is lost is sent again and holds up what follows; on a slow line one follows the other as the line has
 * room. What a reader does not take fills a window of
 * bounded size, then the sender's queue. A silent pipe loses nothing and delivers nothing: TCP would
 * send again, so the pieces arrive when the silence ends, if it ends. A deaf pipe delivers, but no
 * acknowledgement comes back: the window fills though the reader reads.
 *
 *     write -> unsent --[window has room]--> in transit -> arrived --[reading, not silent]--> receiver
 */
import type { BinaryString } from "../../src/base/bytes.ts";
import type { Instant } from "../../src/base/time.ts";
import type { Random } from "./random.ts";
import { sentAgainAfter } from "./retransmission.ts";
import type { World } from "./world.ts";

/** What travels. Marks keep their place among the bytes, as a FIN or a TLS record does. */
export type Segment =
  | { readonly type: "bytes"; readonly data: BinaryString; readonly secured: boolean }
  | { readonly type: "fin" | "client-hello" | "server-hello" | "tls-finished" };

export interface PipeOptions {
  /** Least and most milliseconds that a piece travels. */
  readonly latencyMs: readonly [number, number];
  /** Probability that a write is cut into pieces. */
  readonly cutChance: number;
  /** Bytes that both kernels hold for a receiver that does not read; more where `windowMin` is. */
  readonly windowBytes: number;
}

/** What Node reads at a time. */
const readMax = 65_536;

/** Of a slow line: a piece is no longer than what it carries in so long, but a packet at least. */
const pieceMs = 50;
const packetBytes = 1_460;

/** Comes as a whole at one instant. */
interface Arrival {
  readonly at: Instant;
  readonly segments: Segment[];
}

export class Pipe {
  readonly #world: World;
  readonly #random: Random;
  readonly #options: PipeOptions;
  readonly #receive: (segment: Segment) => void;
  /** Called whenever `unsentBytes` has become smaller. */
  readonly #onSent: () => void;
  readonly #extraLatency: () => number;
  readonly #loss: () => number;
  readonly #rate: () => number;
  readonly #windowMin: () => number;
  #unsent: Segment[] = [];
  #unsentBytes = 0;
  #windowUsed = 0;
  #arrived: Segment[] = [];
  #lastArrival = 0;
  /** When the last piece has left. */
  #lineFreeAt = 0;
  /** The last that is under way. */
  #underWay: Arrival | undefined;
  #reading = true;
  #silent = false;
  #deaf = false;
  /** Read by the receiver while no acknowledgement came back. */
  #unacknowledged = 0;
  #cut = false;

  constructor(parts: {
    world: World;
    random: Random;
    options: PipeOptions;
    receive: (segment: Segment) => void;
    onSent: () => void;
    extraLatency: () => number;
    /** Probability that a piece is lost on its way. */
    loss: () => number;
    /** Bytes a second that the line carries. */
    rate: () => number;
    /** The least that both kernels hold now. */
    windowMin: () => number;
  }) {
    this.#world = parts.world;
    this.#random = parts.random;
    this.#options = parts.options;
    this.#receive = parts.receive;
    this.#onSent = parts.onSent;
    this.#extraLatency = parts.extraLatency;
    this.#loss = parts.loss;
    this.#rate = parts.rate;
    this.#windowMin = parts.windowMin;
  }

  /** Bytes that no kernel has taken yet. */
  unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Is anything written that the receiver has not been given? */
  idle(): boolean {
    return this.#unsent.length === 0 && this.#windowUsed === 0 && this.#arrived.length === 0;
  }

  send(segment: Segment): void {
    if (this.#cut) return;
    this.#unsent.push(segment);
    if (segment.type === "bytes") this.#unsentBytes += segment.data.length;
    this.#pump();
  }

  setReading(reading: boolean): void {
    if (this.#reading === reading) return;
    this.#reading = reading;
    if (reading) this.#world.after(0, () => this.#drain());
  }

  setSilent(silent: boolean): void {
    if (this.#silent === silent) return;
    this.#silent = silent;
    if (!silent) this.#world.after(this.#latency(), () => this.#drain());
  }

  /** Is the way back, on which acknowledgements travel, blocked? */
  setDeaf(deaf: boolean): void {
    if (this.#deaf === deaf) return;
    this.#deaf = deaf;
    if (deaf) return;
    this.#windowUsed -= this.#unacknowledged;
    this.#unacknowledged = 0;
    this.#pump();
  }

  /** Nothing arrives any more, not even what is under way. */
  cut(): void {
    this.#cut = true;
    this.#unsent = [];
    this.#arrived = [];
    this.#unsentBytes = 0;
  }

  #pump(): void {
    const before = this.#unsentBytes;
    const windowBytes = Math.max(this.#options.windowBytes, this.#windowMin());
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      if (next.type !== "bytes") {
        this.#unsent.shift();
        this.#transmit(next);
        continue;
      }
      const room = windowBytes - this.#windowUsed;
      // No crumbs for every crumb that is read (RFC 9293 §3.8.6.2.1, silly window avoidance).
      if (room < next.data.length && room < windowBytes >> 1) break;
      const taken = next.data.length <= room ? next.data : next.data.slice(0, room);
      this.#unsentBytes -= taken.length;
      if (taken.length === next.data.length) this.#unsent.shift();
      else this.#unsent[0] = { ...next, data: next.data.slice(room) };
      this.#windowUsed += taken.length;
      const { secured } = next;
      for (const data of this.#pieces(taken)) this.#transmit({ type: "bytes", data, secured });
    }
    if (this.#unsentBytes < before) this.#onSent();
  }

  /** Cuts anywhere: mostly in two, now and then into crumbs, byte by byte where it is short. */
  #pieces(data: BinaryString): readonly BinaryString[] {
    const rate = this.#rate();
    const room = Math.max(packetBytes, Math.floor((rate * pieceMs) / 1_000));
    const cuts = data.length > 1 && this.#random.chance(this.#options.cutChance);
    if (!cuts) return chunksOf(data, room);
    const pieces: BinaryString[] = [];
    const crumbs = data.length < 2_000 && this.#random.chance(0.1);
    const pieceMax = Math.min(room, crumbs ? Math.max(1, data.length >> 4) : data.length);
    for (let at = 0; at < data.length;) {
      const size = Math.min(data.length - at, 1 + this.#random.int(pieceMax));
      pieces.push(data.slice(at, at + size));
      at += size;
    }
    return pieces;
  }

  #transmit(segment: Segment): void {
    const trip = this.#latency();
    const lostFor = sentAgainAfter(this.#random, this.#loss(), 2 * trip);
    const due = this.#leavesAt(segment) + trip + lostFor;
    const at = Math.max(this.#lastArrival, due);
    this.#lastArrival = at;
    if (this.#underWay?.at === at) return append(this.#underWay.segments, segment);
    const arrival = { at, segments: [segment] };
    this.#underWay = arrival;
    this.#world.schedule(at, () => {
      if (this.#underWay === arrival) this.#underWay = undefined;
      if (this.#cut) return;
      for (const each of arrival.segments) append(this.#arrived, each);
      this.#drain();
    });
  }

  /** When its last byte is on the line. */
  #leavesAt(segment: Segment): Instant {
    const now = this.#world.now();
    const rate = this.#rate();
    if (segment.type !== "bytes" || rate === Infinity) return now;
    const takes = Math.ceil((segment.data.length * 1_000) / rate);
    this.#lineFreeAt = Math.max(now, this.#lineFreeAt) + takes;
    return this.#lineFreeAt;
  }

  #latency(): number {
    const [low, high] = this.#options.latencyMs;
    return this.#random.between(low, high) + this.#extraLatency();
  }

  #drain(): void {
    while (this.#reading && !this.#silent && !this.#cut) {
      const segment = this.#arrived.shift();
      if (segment === undefined) return;
      if (segment.type === "bytes") {
        if (this.#deaf) this.#unacknowledged += segment.data.length;
        else {
          this.#windowUsed -= segment.data.length;
          this.#pump();
        }
      }
      this.#receive(segment);
    }
  }
}

function chunksOf(data: BinaryString, size: number): readonly BinaryString[] {
  if (data.length <= size) return [data];
  const chunks: BinaryString[] = [];
  for (let at = 0; at < data.length; at += size) chunks.push(data.slice(at, at + size));
  return chunks;
}

/** Bytes after bytes are one piece. */
function append(segments: Segment[], segment: Segment): void {
  const last = segments.at(-1);
  if (last?.type !== "bytes" || segment.type !== "bytes") return void segments.push(segment);
  const { secured } = last;
  const data = last.data + segment.data;
  if (secured !== segment.secured || data.length > readMax) return void segments.push(segment);
  segments[segments.length - 1] = { type: "bytes", data, secured };
}
