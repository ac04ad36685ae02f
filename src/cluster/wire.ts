/**
 * Wire: how do frames lie in the bytes of a connection?
 *
 *     fixed32 length of what follows | byte kind | byte flags | uint number | options | body
 *
 * Flags: bits 0–1 the class, bit 2 "the body goes on in a later frame of this class", bit 3 "options
 * follow". Control frames have no number. Options are a map of (byte key, binary value) that this
 * release ignores: room for the ends of a relayed frame. Writing is concatenation of binary strings;
 * reading takes chunks cut anywhere, copies a frame only when a cut goes through it, and makes nothing
 * per frame.
 */
import { allocBytes, type BinaryString } from "../base/bytes.ts";
import { Chunk, Piece } from "../base/chunk.ts";
import { binary, byte, uint, WireError } from "./codec.ts";
import { classes, type MessageKind } from "./messages.ts";

/** No frame of this protocol is longer, whatever limits a peer has. */
export const frameBytesMax = 128 * 1_024;

const { fromCharCode } = String;
const classBits = 3;
const moreBit = 4;
const optionsBit = 8;
const knownBits = classBits | moreBit | optionsBit;

/** An unnumbered frame: the handshake's and what is never sent again. */
export function controlFrame(kind: MessageKind, body: BinaryString): BinaryString {
  return frame(kind, classes.control, "", body);
}

/** A frame that keeps its place; `more`: its body goes on in a later one. */
export function numberedFrame(
  kind: MessageKind,
  frameClass: number,
  number: number,
  body: BinaryString,
  more = false,
): BinaryString {
  return frame(kind, more ? frameClass | moreBit : frameClass, uint(number), body);
}

/** As `numberedFrame`, with options, which only later releases understand. */
export function frameWithOptions(
  kind: MessageKind,
  frameClass: number,
  number: number,
  options: ReadonlyMap<number, BinaryString>,
  body: BinaryString,
): BinaryString {
  let map = uint(options.size);
  for (const [key, value] of options) map += byte(key) + binary(value);
  const place = frameClass === classes.control ? "" : uint(number);
  return frame(kind, frameClass | optionsBit, place + map, body);
}

function frame(
  kind: MessageKind,
  flags: number,
  place: BinaryString,
  body: BinaryString,
): BinaryString {
  const length = 2 + place.length + body.length;
  return (
    fromCharCode(
      length >>> 24,
      (length >>> 16) & 255,
      (length >>> 8) & 255,
      length & 255,
      kind,
      flags,
    ) +
    place +
    body
  );
}

/** How many bytes the frame has that begins at `at`. */
export function frameBytesAt(data: BinaryString, at: number): number {
  let length = 0;
  for (let index = 0; index < 4; index += 1) length = length * 256 + data.charCodeAt(at + index);
  return 4 + length;
}

const nothing = new Chunk(new Uint8Array(0), 0, 0);

export class FrameReader {
  /** The longest frame that is accepted, its length field not counted; may be raised at any time. */
  maxBytes: number;

  // The frame that the last `next` found.
  kind: MessageKind = 0;
  frameClass = 0;
  more = false;
  /** 0 for a control frame. */
  number = 0;
  /** Its length on the wire. */
  bytes = 0;

  /** Where its body is. */
  #of = nothing;
  #start = 0;
  #end = 0;

  #chunk = nothing;
  #at = 0;
  /** A length field cut by the end of a chunk: how many of its bytes are in `#head`. */
  #headBytes = 0;
  #head = 0;
  /** A frame cut by the end of a chunk, and how much of it is here. */
  #cut: Uint8Array | undefined;
  #cutBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Only when `next` has returned false. */
  push(chunk: Uint8Array): void {
    this.#chunk = new Chunk(chunk, 0, chunk.length);
    this.#at = 0;
  }

  /** Of the frame that the last `next` found. */
  get body(): Piece {
    return new Piece(this.#of, this.#start, this.#end);
  }

  /** Finds the next whole frame; false when more bytes are needed. Throws `WireError`. */
  next(): boolean {
    if (this.#cut !== undefined) return this.#fill(this.#cut);
    const { bytes } = this.#chunk;
    while (this.#headBytes < 4) {
      if (this.#at >= bytes.length) return this.#exhausted();
      this.#head = this.#head * 256 + (bytes[this.#at++] as number);
      this.#headBytes += 1;
    }
    const length = this.#head;
    if (length > this.maxBytes) {
      throw new WireError(
        `A frame of ${length} bytes is too long: at most ${this.maxBytes} are allowed`,
      );
    }
    if (length < 2) throw new WireError(`A frame of ${length} bytes is too short`);
    this.#head = 0;
    this.#headBytes = 0;
    const end = this.#at + length;
    if (end > bytes.length) {
      this.#cut = allocBytes(length);
      this.#cutBytes = 0;
      return this.#fill(this.#cut);
    }
    const start = this.#at;
    this.#at = end;
    this.#parse(this.#chunk, start, end);
    return true;
  }

  #fill(frame: Uint8Array): boolean {
    const { bytes } = this.#chunk;
    const take = Math.min(frame.length - this.#cutBytes, bytes.length - this.#at);
    frame.set(bytes.subarray(this.#at, this.#at + take), this.#cutBytes);
    this.#at += take;
    this.#cutBytes += take;
    if (this.#cutBytes < frame.length) return this.#exhausted();
    this.#cut = undefined;
    this.#parse(new Chunk(frame, 0, frame.length), 0, frame.length);
    return true;
  }

  /** The chunk is used up: it must not be kept alive by us. */
  #exhausted(): false {
    this.#chunk = nothing;
    this.#at = 0;
    return false;
  }

  #parse(chunk: Chunk, start: number, end: number): void {
    const { bytes } = chunk;
    const flags = bytes[start + 1] as number;
    if ((flags & ~knownBits) !== 0) throw new WireError(`A frame has unknown flags ${flags}`);
    this.kind = bytes[start] as number;
    this.frameClass = flags & classBits;
    this.more = (flags & moreBit) !== 0;
    this.bytes = end - start + 4;
    let at = start + 2;
    this.number = 0;
    if (this.frameClass !== classes.control) {
      this.number = uintAt(bytes, at, end);
      at = afterUint(bytes, at);
      if (this.number === 0) throw new WireError("A frame has number 0");
    }
    if ((flags & optionsBit) !== 0) at = afterOptions(bytes, at, end);
    this.#of = chunk;
    this.#start = at;
    this.#end = end;
  }
}

function uintAt(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start, scale = 1; at < end && at < start + 8; at += 1, scale *= 128) {
    const next = bytes[at] as number;
    value += (next & 127) * scale;
    if (next < 128) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
  }
  throw new WireError("A frame's header holds no integer below 2^53 where one must be");
}

/** Where the integer that `uintAt` accepted ends. */
function afterUint(bytes: Uint8Array, start: number): number {
  let at = start;
  while ((bytes[at] as number) >= 128) at += 1;
  return at + 1;
}

function afterOptions(bytes: Uint8Array, start: number, end: number): number {
  let left = uintAt(bytes, start, end);
  let at = afterUint(bytes, start);
  for (; left > 0; left -= 1) {
    const size = uintAt(bytes, at + 1, end);
    at = afterUint(bytes, at + 1) + size;
    if (at > end) throw new WireError("A frame's options pass its end");
  }
  return at;
}
