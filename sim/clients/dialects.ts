/**
 * Dialects: what is around a client's stanzas, over a stream of bytes (RFC 6120) and over a WebSocket (RFC 7395)?
 *
 * There each message is one element with all of its namespaces, and elements stand for the tags of the stream.
 */
import type { BinaryString } from "../../src/base/bytes.ts";
import { escapeValue } from "../../src/xmpp/escape.ts";
import { NS } from "../../src/xmpp/namespaces.ts";
import { Reader } from "../../src/xmpp/reader.ts";
import type { Door } from "../plan.ts";

export interface Dialect {
  newReader(): Reader;
  /** As it is to be written. */
  element(xml: BinaryString): BinaryString;
  header(host: string): BinaryString;
  /** What is said in one breath, as it is to be written. */
  together(parts: readonly BinaryString[]): readonly BinaryString[];
  readonly end: BinaryString;
}

const limits = { maxStanzaSize: 1_048_576 };

const overBytes: Dialect = {
  newReader: () => new Reader(limits, "stream"),
  element: (xml) => xml,
  header: (host) =>
    `<?xml version='1.0'?><stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}' to='${escapeValue(host)}' version='1.0'>`,
  together: (parts) => [parts.join("")],
  end: "</stream:stream>",
};

const overWebSocket: Dialect = {
  newReader: () => new Reader(limits, "message"),
  element: (xml) => xml.replace(/^<(?:message|presence|iq)(?=[ />])/, `$& xmlns='${NS.client}'`),
  header: (host) => `<open xmlns='${NS.framing}' to='${escapeValue(host)}' version='1.0'/>`,
  together: (parts) => parts,
  end: `<close xmlns='${NS.framing}'/>`,
};

export function dialectOf(door: Door | undefined): Dialect {
  return door === "websocket" ? overWebSocket : overBytes;
}
