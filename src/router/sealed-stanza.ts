/**
 * Sealed stanza: how is a stanza given to a client that another node has read already?
 *
 * Unread: the peer has proved its bytes good before it sent them, and the link loses and changes none. Its
 * frame tells what most of them need; the strict reader opens the few of which more is asked, and what it
 * refuses is a `WireError`. See docs/decisions/0007-sealed-stanzas.md.
 */
import { bytesFromText, copyBytes, type BinaryString } from "../base/bytes.ts";
import { Piece } from "../base/chunk.ts";
import { WireError } from "../cluster/codec.ts";
import { NS } from "../xmpp/namespaces.ts";
import { Reader, XmlError } from "../xmpp/reader.ts";
import type { AddressChange } from "../xmpp/splice.ts";
import type { Sendable, Stanza } from "../xmpp/stanza.ts";

export class SealedStanza implements Sendable {
  readonly name: string;
  readonly from: string | undefined;
  readonly #declaresDefault: boolean;
  #written: Piece;
  #copied = false;
  #opened: Stanza | undefined;

  /** `written`: as `Stanza.write` writes it for jabber:client. */
  constructor(written: Piece, name: string, from: string | undefined, declaresDefault: boolean) {
    this.name = name;
    this.from = from;
    this.#declaresDefault = declaresDefault;
    this.#written = written;
  }

  get size(): number {
    return this.#written.length;
  }

  copy(): SealedStanza {
    if (this.#copied) return this;
    this.#copied = true;
    this.#opened?.copy();
    this.#written = Piece.of(copyBytes(this.#written.bytes));
    return this;
  }

  write(context: string, address?: AddressChange): BinaryString {
    const moved = address?.from !== undefined || address?.to !== undefined;
    if (moved || (context !== NS.client && context !== "")) {
      return this.open().write(context, address);
    }
    const { chunk, start, end } = this.#written;
    if (context === NS.client || this.#declaresDefault) {
      return chunk.binary(start, end);
    }
    const afterName = start + 1 + this.name.length;
    return `<${this.name} xmlns='${NS.client}'${chunk.binary(afterName, end)}`;
  }

  /** Throws `WireError` where the bytes are no stanza. */
  open(): Stanza {
    return (this.#opened ??= read(this.#written.bytes));
  }

  /** What cannot be opened is none: whoever it is handed to finds out. */
  isAnswer(): boolean {
    try {
      return this.open().isAnswer();
    } catch (error) {
      if (error instanceof WireError) return false;
      throw error;
    }
  }
}

const header = bytesFromText(`<stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`);

/** More than any listener allows its clients: a node may have added to what it received. */
const limits = { maxStanzaSize: 16 * 1_048_576, maxDepth: 128, maxAttributes: 1_024 };

function read(bytes: Uint8Array): Stanza {
  const reader = new Reader(limits);
  try {
    reader.push(header);
    reader.next();
    reader.push(bytes);
    const stanza = reader.next();
    if (stanza?.kind !== "element") throw new WireError("A frame without a whole stanza");
    if (reader.next() !== undefined) throw new WireError("A frame of two stanzas");
    return stanza;
  } catch (error) {
    if (error instanceof XmlError) throw new WireError(`A stanza that is none: ${error.message}`);
    throw error;
  }
}
