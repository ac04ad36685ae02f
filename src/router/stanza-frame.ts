/**
 * Stanza frame: how does a stanza travel from one node to another?
 *
 *     id       origin (name, boot), counter     minted once, kept on every way; no origin: the frame's sender
 *     flags    1 maybe: it may have arrived before; 2 the stanza declares its namespace
 *     hops     how many nodes have passed it on
 *     name     1 message, 2 presence, 3 iq
 *     from     its sender
 *     target   the full JID whose session is meant
 *     options  fields of a newer release, ignored
 *     stanza   its bytes, for a stream of content namespace jabber:client
 *
 * Who sent it and whom to stands in the stanza, too: the sender's node has put both in, so the recipient's
 * node writes these bytes on as they are. A peer has proved that it knows the secret of the cluster, and is
 * trusted as to who sends and that these bytes are one stanza (see `sealed-stanza.ts`).
 */
import {
  binaryFromBytes,
  binaryFromText,
  flat,
  textFromBytes,
  type BinaryString,
} from "../base/bytes.ts";
import { Piece } from "../base/chunk.ts";
import { binary, readerOf, uint, WireError, WireReader } from "../cluster/codec.ts";
import type { Peer } from "../cluster/peer.ts";
import { Interner, ObjectInterner } from "../xmpp/interner.ts";
import { NS } from "../xmpp/namespaces.ts";
import type { AddressChange } from "../xmpp/splice.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import { SealedStanza } from "./sealed-stanza.ts";

/**
 * Names one stanza in the whole cluster, for ever: minted by the node whose client sent it. All copies of
 * a stanza that goes to several sessions have one id.
 */
export interface StanzaId {
  /** That node's boot (16 hex digits) and name. */
  readonly origin: BinaryString;
  readonly counter: number;
}

/** What a stanza from another node, or back from one, brings along. */
export interface Transit {
  readonly id: StanzaId;
  readonly maybe: boolean;
  readonly hops: number;
  readonly target: string;
  /** The node that minted the id, its sender's, where that is linked with this one: who learns what becomes of it. */
  readonly home?: Peer | undefined;
}

export interface StanzaFrame {
  readonly transit: Transit;
  /** In the memory of what was decoded, until `copy()`. */
  readonly stanza: SealedStanza;
}

const { fromCharCode } = String;
const flagMaybe = 1;
const flagDeclares = 2;
const stanzaNames = ["", "message", "presence", "iq"];
const originBytesMax = 300;
const noOrigin = "";

interface Addresses {
  readonly from: string;
  readonly target: string;
}

/** Those who talk are the same for a while, and a string that is known is found faster, too. */
const origins = new Interner(256, binaryFromBytes);
const addresses = new Interner(4_096, (bytes, start, end): Addresses => {
  const wire = new WireReader(bytes, start, end);
  return {
    from: wire.field(jidBytesMax, textFromBytes),
    target: wire.field(jidBytesMax, textFromBytes),
  };
});
const originOfBytes = origins.get.bind(origins);
const fields = new ObjectInterner<BinaryString>(4_096);
const fieldOf = (jid: string): BinaryString => fields.get(jid, makeField);
const makeField = (jid: string): BinaryString => flat(binary(binaryFromText(jid)));
const noOptions = binary("");
/** RFC 7622 §3.1: three parts of at most 1023 bytes, and two separators. */
const jidBytesMax = 3_071;

/** `sender`: the origin of ids that the sending node has minted. */
export function encodeFrame(
  transit: Transit,
  stanza: Stanza,
  addresses: AddressChange,
  sender: BinaryString = noOrigin,
): BinaryString {
  const { id, maybe, hops, target } = transit;
  const flags = (maybe ? flagMaybe : 0) | (stanza.declaresDefault ? flagDeclares : 0);
  return (
    binary(id.origin === sender ? noOrigin : id.origin) +
    uint(id.counter) +
    fromCharCode(flags, hops & 255, stanzaNames.indexOf(stanza.name)) +
    fieldOf(addresses.from ?? stanza.from ?? "") +
    fieldOf(target) +
    noOptions +
    stanza.write(NS.client, addresses)
  );
}

/**
 * Throws `WireError` for what is no frame; the stanza is left unread. `sender`: as when it was encoded, `via` that node.
 * `linked`: others, by the origin of the ids that they mint.
 */
export function decodeFrame(
  body: Piece,
  sender = noOrigin,
  via?: Peer,
  linked?: ReadonlyMap<BinaryString, Peer>,
): StanzaFrame {
  const wire = readerOf(body);
  const origin = wire.field(originBytesMax, originOfBytes);
  const isFromThere = origin === noOrigin;
  const id = { origin: isFromThere ? sender : origin, counter: wire.uint() };
  const flags = wire.byte();
  const hops = wire.byte();
  const name = stanzaNames[wire.byte()] ?? "";
  if (name === "") throw new WireError("A frame of what is no stanza");
  const addressesAt = wire.position;
  wire.skip();
  wire.skip();
  const { from, target } = addresses.get(wire.bytes, addressesAt, wire.position);
  wire.skip();
  const start = wire.position;
  if (wire.done) throw new WireError("A frame without a stanza");
  const home = isFromThere ? via : linked?.get(origin);
  const transit = { id, maybe: (flags & flagMaybe) !== 0, hops, target, home };
  const declares = (flags & flagDeclares) !== 0;
  return {
    transit,
    stanza: new SealedStanza(new Piece(body.chunk, start, body.end), name, from, declares),
  };
}

/** Of the ids that this node mints. */
export function originOf({ boot, name }: Peer): BinaryString {
  return `${boot} ${binaryFromText(name)}`;
}

const originsMax = 8_192;
const counterRange = 2 ** 40;

/** Mints ids, and gives each id of others a number of this process. */
export class StanzaIds {
  readonly origin: BinaryString;
  readonly #origins = new Map<BinaryString, number>();
  #counter = 0;
  #lastOrigin = 0;

  constructor(self: Peer) {
    this.origin = originOf(self);
  }

  mint(): StanzaId {
    return { origin: this.origin, counter: ++this.#counter };
  }

  /** Different for different ids, but of origins more than 8,192 boots of nodes apart. */
  number({ origin, counter }: StanzaId): number {
    let index = this.#origins.get(origin);
    if (index === undefined) {
      index = this.#lastOrigin = (this.#lastOrigin + 1) % originsMax;
      if (this.#origins.size >= originsMax) this.#origins.clear();
      this.#origins.set(origin, index);
    }
    return index * counterRange + (counter % counterRange);
  }
}
