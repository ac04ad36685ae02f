/**
 * Stanza frame: how does a stanza travel from one node to another?
 *
 *     id       origin (name, boot), counter     minted once, kept on every way
 *     flags    1 maybe: it may have arrived before
 *     hops     how many nodes have passed it on
 *     target   the full JID whose session is meant
 *     options  fields of a newer release, ignored
 *     stanza   its bytes, for a stream of content namespace jabber:client
 *
 * Who sent it and whom to stands in the stanza itself: the sender's node has put both in, so the
 * recipient's node writes these bytes on as they are. A peer has proved that it knows the secret of the
 * cluster, and is trusted as to who sends; bytes are read by the strict reader all the same.
 */
import { binaryFromText, bytesFromText, textFromBinary, type BinaryString } from "../base/bytes.ts";
import { binary, byte, uint, WireError, WireReader } from "../cluster/codec.ts";
import type { Peer } from "../cluster/peer.ts";
import { NS } from "../xmpp/namespaces.ts";
import { Reader, XmlError } from "../xmpp/reader.ts";
import type { AddressChange } from "../xmpp/splice.ts";
import type { Stanza } from "../xmpp/stanza.ts";

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
}

export interface StanzaFrame {
  readonly transit: Transit;
  /** In the memory of what was decoded, until `copy()`. */
  readonly stanza: Stanza;
}

const flagMaybe = 1;
const originBytesMax = 300;
/** RFC 7622 §3.1: three parts of at most 1023 bytes, and two separators. */
const targetBytesMax = 3_071;

export function encodeFrame(
  transit: Transit,
  stanza: Stanza,
  addresses: AddressChange,
): BinaryString {
  const { id, maybe, hops, target } = transit;
  return (
    binary(id.origin) +
    uint(id.counter) +
    byte(maybe ? flagMaybe : 0) +
    byte(hops) +
    binary(binaryFromText(target)) +
    binary("") +
    stanza.write(NS.client, addresses)
  );
}

/** Reads frames; keeps a reader, whose stream never ends. */
export class FrameReader {
  #reader = newReader();

  /** Throws `WireError` for what is no frame. */
  read(body: Uint8Array): StanzaFrame {
    const wire = new WireReader(body);
    const id = { origin: wire.binary(originBytesMax), counter: wire.uint() };
    const flags = wire.byte();
    const hops = wire.byte();
    const target = textFromBinary(wire.binary(targetBytesMax));
    wire.binary();
    const transit = {
      id,
      maybe: (flags & flagMaybe) !== 0,
      hops,
      target,
    };
    return { transit, stanza: this.#stanza(wire.rest()) };
  }

  #stanza(bytes: Uint8Array): Stanza {
    try {
      this.#reader.push(bytes);
      const stanza = this.#reader.next();
      if (stanza?.kind !== "element") throw new WireError("A frame without a whole stanza");
      if (this.#reader.next() !== undefined) throw new WireError("A frame of two stanzas");
      return stanza;
    } catch (error) {
      this.#reader = newReader();
      if (error instanceof XmlError) throw new WireError(`A stanza that is none: ${error.message}`);
      throw error;
    }
  }
}

const header = bytesFromText(`<stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`);

/** More than any listener allows its clients: a node may have added to what it received. */
const limits = { maxStanzaSize: 16 * 1_048_576, maxDepth: 128, maxAttributes: 1_024 };

function newReader(): Reader {
  const reader = new Reader(limits);
  reader.push(header);
  reader.next();
  return reader;
}

const originsMax = 8_192;
const counterRange = 2 ** 40;

/** Mints ids, and gives each id of others a number of this process. */
export class StanzaIds {
  readonly #origin: BinaryString;
  readonly #origins = new Map<BinaryString, number>();
  #counter = 0;
  #lastOrigin = 0;

  constructor(self: Peer) {
    this.#origin = `${self.boot} ${binaryFromText(self.name)}`;
  }

  mint(): StanzaId {
    return { origin: this.#origin, counter: ++this.#counter };
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
