/**
 * Link session: a run of numbered frames between two processes that outlives its connections.
 *
 *     send → queues --[room in the window]--> number, write, retain --[acknowledged]--> gone
 *
 * Outgoing: messages wait in `link-queues.ts`; a frame gets its number when it is written, and is
 * kept (`retained-frames.ts`) until the peer has acknowledged it, since a new connection sends again whatever
 * the peer lacks. At most a window (`link-window.ts`) is kept so; chunks of a sync are made only when there is
 * room for them. Incoming: each number once and in order, fragments put together, acknowledgements counted.
 */
import { assert } from "../base/assert.ts";
import { allocBytes, type BinaryString } from "../base/bytes.ts";
import { Piece } from "../base/chunk.ts";
import type { Instant } from "../base/time.ts";
import { uint, WireError } from "./codec.ts";
import type { SessionId } from "./handshake.ts";
import { leastWindowBytes, LinkWindow } from "./link-window.ts";
import type { ChunkSource } from "./mesh-contract.ts";
import { frameOverhead, LinkQueues, type LinkQueue, type Outgoing } from "./link-queues.ts";
import { classes, ignorableFrom, kinds, type Message, type MessageKind } from "./messages.ts";
import type { Peer } from "./peer.ts";
import { RetainedFrames } from "./retained-frames.ts";
import type { LinkLimits } from "./timing.ts";
import { controlFrame, type FrameReader } from "./wire.ts";

interface Assembly {
  readonly kind: MessageKind;
  bytes: Uint8Array;
  size: number;
}

/** Whoever reads this acknowledges what was before it. */
const ask = controlFrame(kinds.ask, "");

/** The kinds that are handed up. */
const ours: ReadonlySet<MessageKind> = new Set(
  Object.values(kinds).filter((kind) => kind > kinds.bye && kind < ignorableFrom),
);

export class LinkSession {
  readonly id: SessionId;
  readonly peer: Peer;
  /** Its name on this node. */
  readonly ordinal: number;
  readonly #limits: LinkLimits;

  readonly #queues: LinkQueues;
  readonly #window: LinkWindow;
  #now: Instant = 0;
  /** Written and not acknowledged. */
  readonly #retained = new RetainedFrames();
  #resend = false;
  #bytesSinceChunk = 0;

  #received = 0;
  #ackTold = 0;
  #ackAsked = false;
  #bytesSinceAck = 0;
  readonly #assemblies: (Assembly | undefined)[] = [];

  framesSent = 0;
  framesResent = 0;

  constructor(options: { id: SessionId; peer: Peer; ordinal: number; limits: LinkLimits }) {
    this.id = options.id;
    this.peer = options.peer;
    this.ordinal = options.ordinal;
    this.#limits = options.limits;
    this.#queues = new LinkQueues(options.limits);
    this.#window = new LinkWindow(options.limits.windowBytes);
  }

  /** What waits, by class; for whoever watches how much. */
  get queues(): LinkQueues {
    return this.#queues;
  }

  get unackedBytes(): number {
    return this.#retained.bytes;
  }

  /** The last number that was handed up here. */
  get received(): number {
    return this.#received;
  }

  /** The last number that was written. */
  get written(): number {
    return this.#retained.written;
  }

  /** Queues a message; the queue's `sent` is its position among those of its class. */
  send(kind: MessageKind, body: BinaryString): LinkQueue {
    const max = this.#limits.messageBytes;
    assert(body.length <= max, `A message has ${body.length} bytes, at most ${max} are allowed`);
    return this.#queues.push(kind, body);
  }

  /**
   * The next piece of what may go out now, until there is none: first what a new connection lacks, then
   * messages and chunks as far as the window allows.
   */
  write(chunks: ChunkSource | undefined, now: Instant = this.#now): BinaryString {
    this.#now = now;
    let out = this.#resend ? this.#writeAgain() : "";
    const limits = this.#limits;
    const retained = this.#retained;
    const fragmentBytes = this.#fragmentBytes();
    let full = false;
    let syncs = chunks !== undefined && chunks.ready?.(this.peer) !== false;
    while (out.length + retained.open < limits.pieceBytes) {
      const queue = this.#queues.next();
      const first = queue?.first;
      const chunkIsDue = syncs && this.#bytesSinceChunk >= limits.messagesPerChunk;
      if (queue !== undefined && first !== undefined && !chunkIsDue) {
        const bytes = queue.nextBytes(fragmentBytes);
        full = !this.#hasRoom(bytes + frameOverhead);
        if (full) break;
        this.#bytesSinceChunk += bytes;
        out += this.#number(this.#queues.take(queue, first, bytes));
        continue;
      }
      full = syncs && !this.#hasRoomForChunk(chunks?.bytesMax);
      if (!syncs || full) break;
      const chunk = chunks?.pull(this.peer, this.#queues.tables.written);
      if (chunk === undefined) syncs = false;
      else out += this.#writeWhole(chunk, classes.sync);
      this.#bytesSinceChunk = 0;
    }
    out += retained.cut();
    if (full && this.#window.isFull(retained.acked, this.written)) out += ask;
    // With traffic an acknowledgement costs least.
    return out !== "" && this.#received > this.#ackTold ? this.ack() + out : out;
  }

  /** Whether an acknowledgement is due without traffic: the peer's window must not run dry. */
  ackIsDue(): boolean {
    return (
      this.#ackAsked ||
      this.#bytesSinceAck >= this.#limits.ackBytes ||
      this.#received - this.#ackTold >= this.#limits.ackFrames
    );
  }

  /** The peer asks for it. */
  askedForAck(): void {
    this.#ackAsked = this.#received > this.#ackTold;
  }

  /** The frame that tells what was received. */
  ack(): BinaryString {
    this.#told();
    return controlFrame(kinds.ack, uint(this.#received));
  }

  /** Something else has told the peer (heartbeat, hello, bye). */
  #told(): void {
    this.#ackTold = this.#received;
    this.#ackAsked = false;
    this.#bytesSinceAck = 0;
  }

  /** For a frame that tells it beside other things. */
  tellReceived(): BinaryString {
    this.#told();
    return uint(this.#received);
  }

  /** The peer has everything up to this number; true if that was news. */
  acknowledged(number: number, now: Instant = this.#now): boolean {
    if (number > this.written) {
      throw new WireError(`Frame ${number} is acknowledged, the last one sent is ${this.written}`);
    }
    const isNews = this.#retained.acknowledged(number);
    this.#window.acknowledged(now, number);
    return isNews;
  }

  /** A new connection: the peer has everything up to this number, what follows is to be sent again. */
  resume(peerReceived: number): void {
    this.acknowledged(peerReceived);
    this.#resend = this.#retained.length > 0;
    this.#window.resumed();
    this.#told();
  }

  /** What this process cannot know to have arrived; `peerReceived` if the peer has told at last. */
  undelivered(peerReceived = 0): readonly Message[] {
    if (peerReceived <= this.written) this.acknowledged(peerReceived);
    const { tables, stanzas } = this.#queues;
    const waiting = [...tables, ...stanzas].map(({ kind, body }) => ({ kind, body }));
    return [...this.#retained.undelivered(), ...waiting];
  }

  /** Takes the reader's numbered frame in; the body of the message that it completes, if any. */
  receive(frame: FrameReader): Piece | undefined {
    if (frame.number <= this.#received) return undefined; // sent again, and here already
    if (frame.number !== this.#received + 1) {
      throw new WireError(`Frame ${frame.number} follows frame ${this.#received}`);
    }
    if (!ours.has(frame.kind)) {
      if (frame.kind < ignorableFrom)
        throw new WireError(`Frames of kind ${frame.kind} mean nothing`);
      this.#count(frame);
      return undefined;
    }
    const { frameClass } = frame;
    const assembly = this.#assemblies[frameClass];
    if (assembly === undefined && !frame.more) {
      this.#count(frame);
      return frame.body;
    }
    const whole = this.#assemble(
      frame,
      assembly ?? { kind: frame.kind, bytes: frame.body.bytes, size: 0 },
    );
    this.#count(frame);
    return whole;
  }

  #count(frame: FrameReader): void {
    this.#received = frame.number;
    this.#bytesSinceAck += frame.bytes;
  }

  #assemble(frame: FrameReader, assembly: Assembly): Piece | undefined {
    const { bytes: body } = frame.body;
    const size = assembly.size + body.length;
    const max = this.#limits.messageBytes;
    if (size > max) throw new WireError(`A message has ${size} bytes, at most ${max} are allowed`);
    if (frame.kind !== assembly.kind) {
      throw new WireError(
        `A frame of kind ${frame.kind} goes on with one of kind ${assembly.kind}`,
      );
    }
    if (assembly.size === 0 || size > assembly.bytes.length) {
      const grown = allocBytes(Math.min(max, Math.max(size, 2 * assembly.size, 128 * 1_024)));
      grown.set(assembly.bytes.subarray(0, assembly.size));
      assembly.bytes = grown;
    }
    assembly.bytes.set(body, assembly.size);
    assembly.size = size;
    this.#assemblies[frame.frameClass] = frame.more ? assembly : undefined;
    return frame.more ? undefined : Piece.of(assembly.bytes.subarray(0, size));
  }

  /** One frame always fits into an empty window, however small that is. */
  #hasRoom(bytes: number): boolean {
    const { bytes: retained } = this.#retained;
    return retained === 0 || retained + bytes <= this.#window.bytes;
  }

  /** Of a narrow line no frame takes more than a quarter. */
  #fragmentBytes(): number {
    const quarter = Math.max(leastWindowBytes, this.#window.bytes) >> 2;
    return Math.min(this.#limits.fragmentBytes, quarter);
  }

  /**
   * How long a chunk is shows when it is read; before, the longest that it may be counts. But no more than half
   * of what is allowed: it would wait until nothing is under way, which others may keep from ever coming.
   */
  #hasRoomForChunk(chunkBytesMax = Infinity): boolean {
    const { fragmentBytes, syncWindowBytes } = this.#limits;
    const { bytes: windowBytes } = this.#window;
    const bytes = Math.min(fragmentBytes, chunkBytesMax) + frameOverhead;
    return (
      this.#retained.syncBytes + Math.min(bytes, syncWindowBytes >> 1) <= syncWindowBytes &&
      this.#retained.bytes + Math.min(bytes, windowBytes >> 1) <= windowBytes
    );
  }

  #writeWhole({ kind, body }: Message, frameClass: number): BinaryString {
    let out = "";
    let start = 0;
    do {
      const end = Math.min(body.length, start + this.#limits.fragmentBytes);
      out += this.#number({ kind, body, frameClass, start, end, after: 0 });
      start = end;
    } while (start < body.length);
    return out;
  }

  /** The frame is the next one; returned are pieces that are complete with it, an ask after each quarter of the window. */
  #number(frame: Outgoing): BinaryString {
    const before = this.#retained.add(frame);
    this.framesSent += 1;
    const bytes = frame.end - frame.start + frameOverhead;
    const asks = this.#window.wrote(this.#now, this.written, bytes, this.#retained.bytes);
    return asks ? before + this.#retained.cut() + ask : before;
  }

  #writeAgain(): BinaryString {
    this.#resend = false;
    this.framesResent += this.#retained.length;
    return this.#retained.again();
  }
}
