/**
 * Later frames: how would a later release write what this one writes?
 *
 * Takes the frames of one connection as they leave and adds what the wire has room for: fields at the end
 * of messages and entries, a field behind an operation or record, options of frames and stanzas, one table
 * more, a newer digest. A frame that is part of a larger message is left alone, and so is one that may be:
 * after a resumption nobody here knows where a message begins.
 */
import { bytesFromBinary, type BinaryString } from "../../src/base/bytes.ts";
import { binary, byte, readerOf, text, uint, type WireReader } from "../../src/cluster/codec.ts";
import { addressOption, readHello, writeHello } from "../../src/cluster/handshake.ts";
import { kinds } from "../../src/cluster/messages.ts";
import {
  controlFrame,
  FrameReader,
  frameBytesMax,
  frameWithOptions,
} from "../../src/cluster/wire.ts";

/** A field that nobody knows. */
export const unknownField = "what a later release says";
/** Announced under this number. */
export const laterTable = 77;

const laterDigest = 9;
const extended = 2;
const laterOption = 200;
/** Unnumbered, and to be ignored. */
const laterControl = 210;
const frameOptions = new Map([[laterOption, unknownField]]);
const anyVersion = { min: 0, max: Number.MAX_SAFE_INTEGER };
/** Longer ones stay as they are: with our fields no frame passes what a peer accepts. */
const bodyMax = frameBytesMax >> 1;

export class LaterFrames {
  /** Classes in which the next frame begins a message. */
  readonly #between = new Set<number>();
  readonly #helloSaid: (before: BinaryString, after: BinaryString) => void;

  /** `helloSaid`: proofs are about the hello that is sent. */
  constructor(helloSaid: (before: BinaryString, after: BinaryString) => void) {
    this.#helloSaid = helloSaid;
  }

  /** Whole frames, as every write has them. */
  rewrite(data: BinaryString): BinaryString {
    const reader = new FrameReader(frameBytesMax);
    reader.push(bytesFromBinary(data));
    let out = "";
    for (let at = 0; reader.next();) {
      const end = at + reader.bytes;
      out += this.#rewritten(reader) ?? data.slice(at, end);
      at = end;
    }
    return out;
  }

  #rewritten({ kind, frameClass, more, number, body }: FrameReader): BinaryString | undefined {
    const begins = frameClass === 0 || number === 1 || this.#between.has(frameClass);
    if (more) this.#between.delete(frameClass);
    else this.#between.add(frameClass);
    if (more || !begins || body.length > bodyMax) return undefined;
    const later = kind === kinds.hello ? this.#hello(body.bytes) : laterBody(kind, readerOf(body));
    const frame = frameWithOptions(kind, frameClass, number, frameOptions, later);
    return kind === kinds.beat ? frame + controlFrame(laterControl, unknownField) : frame;
  }

  #hello(body: Uint8Array): BinaryString {
    const hello = readHello(body, anyVersion);
    if ("speaks" in hello) return unknownField;
    const options = new Map([[`later-${addressOption}`, unknownField], ...hello.options]);
    const later = writeHello({ ...hello, features: ["later"], options }) + unknownField;
    this.#helloSaid(writeHello(hello), later);
    return later;
  }
}

function laterBody(kind: number, reader: WireReader): BinaryString {
  switch (kind) {
    case kinds.tables:
      return laterTables(reader);
    case kinds.beat:
      return laterBeat(reader);
    case kinds.operations:
      return head(reader) + byte(reader.byte()) + uint(reader.uint()) + records(reader);
    case kinds.delta:
      return head(reader) + uint(reader.uint()) + records(reader);
    case kinds.chunk:
      return head(reader) + uint(reader.uint()) + records(reader);
    case kinds.stanza:
      return laterStanza(reader);
    case kinds.ack:
    case kinds.bye:
    case kinds.have:
    case kinds.begin:
    case kinds.end:
    case kinds.visible:
    case kinds.endSessions:
      return rest(reader) + unknownField;
    default:
      return rest(reader);
  }
}

/** Number of the table and its stream. */
function head(reader: WireReader): BinaryString {
  return uint(reader.uint()) + uint(reader.uint());
}

function rest(reader: WireReader): BinaryString {
  let all = "";
  while (!reader.done) all += byte(reader.byte());
  return all;
}

function laterTables(reader: WireReader): BinaryString {
  reader.uint();
  const count = reader.uint();
  const other = uint(laterTable) + text("later-things") + uint(1);
  return uint(laterDigest) + uint(count + 1) + entries(reader, count) + binary(other);
}

function laterBeat(reader: WireReader): BinaryString {
  let body = "";
  for (let clocks = 0; clocks < 4; clocks += 1) body += uint(reader.uint());
  if (reader.done) return body;
  reader.uint();
  const count = reader.uint();
  return body + uint(laterDigest) + uint(count) + entries(reader, count) + unknownField;
}

function entries(reader: WireReader, count: number): BinaryString {
  let all = "";
  for (let at = 0; at < count; at += 1) all += binary(reader.binary() + unknownField);
  return all;
}

/** Of a chunk or, as they are laid out alike, operations. */
function records(reader: WireReader): BinaryString {
  const count = reader.uint();
  let all = uint(count);
  for (let at = 0; at < count; at += 1) {
    all += byte(reader.byte() | extended) + uint(reader.uint());
    all += binary(reader.binary()) + binary(reader.binary()) + binary(unknownField);
  }
  return all + unknownField;
}

/** Only its options have room: what follows them is the stanza. */
function laterStanza(reader: WireReader): BinaryString {
  const id = binary(reader.binary()) + uint(reader.uint());
  const flags = byte(reader.byte()) + byte(reader.byte()) + byte(reader.byte());
  const addresses = binary(reader.binary()) + binary(reader.binary());
  return id + flags + addresses + binary(reader.binary() + unknownField) + rest(reader);
}
