/**
 * Handshake: who is at the other end, and what do we both still know of each other?
 *
 *     dialler   -- hello -->            acceptor
 *               <-- hello --
 *               -- proof -->            up
 *     up        <-- welcome or refused --
 *
 * Both prove that they know the cluster's secret, over both hellos (whose nonces are new each time) and,
 * with TLS, over what only the two ends of this connection know. The role is part of what is proved: a
 * stranger who sends us our own proof back has proved nothing. A hello is not secret and, before the
 * proof, not to be believed.
 */
import {
  binaryFromBytes,
  bytesFromBinary,
  fromHex,
  toHex,
  type BinaryString,
} from "../base/bytes.ts";
import { binary, byte, text, uint, WireError, WireReader } from "./codec.ts";
import type { MeshOptions } from "./mesh-contract.ts";
import { commonVersion, type ProtocolRange } from "./protocol.ts";
import { controlFrame } from "./wire.ts";
import { kinds } from "./messages.ts";
import type { Peer } from "./peer.ts";

const magic = "mrkt";
const nonceBytes = 16;
/** The nonces of the dialler and of the acceptor. */
const sessionBytes = 2 * nonceBytes;
const featuresMax = 64;
const optionsMax = 64;
const nameMax = 255;

/** A session's name on both sides; "" where there is none. */
export type SessionId = BinaryString;

export interface GivenUp {
  readonly session: SessionId;
  /** The last number that was handed up in it. */
  readonly received: number;
}

export interface Hello extends ProtocolRange {
  readonly cluster: string;
  readonly peer: Peer;
  readonly nonce: BinaryString;
  readonly features: readonly string[];
  /** The session that the sender can go on with. */
  readonly session: SessionId;
  /** The last number that was handed up in it. */
  readonly received: number;
  readonly lastGivenUp: GivenUp;
  /** How many connections the sender has accepted, or entered as their dialler, with this peer's boot. */
  readonly accepted: number;
  /** The number of this dial; an acceptor says 0. */
  readonly dial: number;
  /** What later releases add; unknown keys are ignored. */
  readonly options: ReadonlyMap<string, BinaryString>;
}

/** The dialler's address of its own listener, if it has one. */
export const addressOption = "address";

export type Role = "dialler" | "acceptor";

export function writeHello(hello: Hello): BinaryString {
  const { peer, lastGivenUp } = hello;
  let body = magic + uint(hello.min) + uint(hello.max) + text(hello.cluster);
  body += writePeer(peer) + binary(hello.nonce) + uint(hello.features.length);
  for (const feature of hello.features) body += text(feature);
  body += binary(hello.session) + uint(hello.received);
  body += binary(lastGivenUp.session) + uint(lastGivenUp.received);
  body += uint(hello.accepted) + uint(hello.dial) + uint(hello.options.size);
  for (const [key, value] of hello.options) body += text(key) + binary(value);
  return body;
}

/** Of a hello without a common version: nothing else of it can be relied on. */
export interface Incompatible {
  readonly speaks: ProtocolRange;
}

export function readHello(body: Uint8Array, ours: ProtocolRange): Hello | Incompatible {
  const reader = new WireReader(body);
  for (let at = 0; at < magic.length; at += 1) {
    if (reader.byte() !== magic.charCodeAt(at)) throw new WireError("This is no node of ours");
  }
  const [min, max] = [reader.uint(), reader.uint()];
  if (commonVersion({ min, max }, ours) === undefined) return { speaks: { min, max } };
  const cluster = reader.text(nameMax);
  const peer = readPeer(reader);
  const nonce = exact(reader.binary(nonceBytes), nonceBytes, "A nonce");
  const features = Array.from({ length: counted(reader, featuresMax) }, () => reader.text(64));
  const session = readSession(reader);
  const received = reader.uint();
  const lastGivenUp = { session: readSession(reader), received: reader.uint() };
  const [accepted, dial] = [reader.uint(), reader.uint()];
  const options = new Map<string, BinaryString>();
  for (let left = counted(reader, optionsMax); left > 0; left -= 1) {
    options.set(reader.text(64), reader.binary());
  }
  return {
    ...{ min, max, cluster, peer, nonce, features, session, received, lastGivenUp },
    ...{ accepted, dial, options },
  };
}

function writePeer(peer: Peer): BinaryString {
  return text(peer.name) + uint(peer.incarnation) + binaryFromBytes(fromHex(peer.boot));
}

function readPeer(reader: WireReader): Peer {
  const name = reader.text(nameMax);
  if (name === "") throw new WireError("A node has no name");
  const incarnation = reader.uint();
  const boot = Array.from({ length: 8 }, () => reader.byte());
  return { name, incarnation, boot: toHex(Uint8Array.from(boot)) };
}

function readSession(reader: WireReader): SessionId {
  const id = reader.binary(sessionBytes);
  return id === "" ? id : exact(id, sessionBytes, "A session's name");
}

function exact(value: BinaryString, length: number, what: string): BinaryString {
  if (value.length !== length) {
    throw new WireError(`${what} has ${value.length} bytes, not ${length}`);
  }
  return value;
}

function counted(reader: WireReader, max: number): number {
  const count = reader.uint();
  if (count > max) throw new WireError(`A hello lists ${count} things, at most ${max} are allowed`);
  return count;
}

/** Both sides draw a nonce, so no session is ever named twice. */
export function sessionOf(dialler: Hello, acceptor: Hello): SessionId {
  return dialler.nonce + acceptor.nonce;
}

export function newNonce(options: MeshOptions): BinaryString {
  return binaryFromBytes(options.entropy.bytes(nonceBytes));
}

/** What the side in `role` must be able to compute; `says` is what else it vouches for. */
export function proofOf(
  options: Pick<MeshOptions, "hmac" | "secret">,
  role: Role,
  hellos: { readonly own: BinaryString; readonly peer: BinaryString },
  channelBinding: BinaryString,
  says: BinaryString = "",
): Uint8Array {
  const claim = text(role) + binary(hellos.own) + binary(hellos.peer);
  const data = claim + binary(channelBinding) + binary(says);
  return options.hmac(options.secret, bytesFromBinary(data));
}

/** Why a handshake failed; a later release may know more, which read as `other`. */
export const refusals = [
  "other",
  "secret",
  "cluster",
  "own-name",
  "version",
  "superseded",
  "other-boot-up",
  "leaving",
] as const;
export type Refusal = (typeof refusals)[number];

export interface Refused {
  readonly refusal: Refusal;
  readonly detail: string;
  /** Of the greater incarnation, when superseded: only believed with a proof. */
  readonly by: Peer | undefined;
  /** What the proof is about. */
  readonly says: BinaryString;
  readonly proof: Uint8Array;
}

/** The refusal without its proof. */
export function writeRefusal(refusal: Refusal, detail: string, by?: Peer): BinaryString {
  const more = by === undefined ? "" : writePeer(by);
  return byte(refusals.indexOf(refusal)) + text(detail.slice(0, 80)) + binary(more);
}

export function refusedFrame(says: BinaryString, proof?: Uint8Array): BinaryString {
  const shown = proof === undefined ? "" : binaryFromBytes(proof);
  return controlFrame(kinds.refused, binary(says) + binary(shown));
}

export function readRefused(body: Uint8Array): Refused {
  const reader = new WireReader(body);
  const says = reader.binary(1_024);
  const proof = bytesFromBinary(reader.binary(64));
  const said = new WireReader(bytesFromBinary(says));
  const refusal = refusals[said.byte()] ?? "other";
  const detail = said.text(512);
  const more = said.binary(512);
  const by = more === "" ? undefined : readPeer(new WireReader(bytesFromBinary(more)));
  return { refusal, detail, by, says, proof };
}
