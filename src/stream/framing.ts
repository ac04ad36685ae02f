/**
 * Framing: what is a stream's own text, around the stanzas?
 *
 * TCP (RFC 6120 §4): one long XML document whose root is <stream:stream/>. WebSocket (RFC 7395): each
 * message is one element, <open/> and <close/> stand for the root's tags, and no prefix or namespace
 * outlives its message. Everything else about a stream is the same, so the machine asks this table.
 */
import { escapeValue } from "../xmpp/escape.ts";
import { NS } from "../xmpp/namespaces.ts";
import { streamError, type StreamErrorCondition } from "../xmpp/stream-error.ts";
import type { BinaryString } from "../base/bytes.ts";
import type { ConnectionId, NetworkEffect } from "../ports/network.ts";

export interface HeaderFields {
  readonly id: string;
  readonly from: string;
  readonly to: string | undefined;
  readonly lang: string;
}

export interface Framing {
  /** Default namespace in force where a stanza is written: "" where each brings its own. */
  readonly context: string;
  header(fields: HeaderFields): BinaryString;
  features(inner: string): BinaryString;
  error(condition: StreamErrorCondition, text: string | undefined): BinaryString;
  readonly end: BinaryString;
  /** Into silence: white space (RFC 6120 §4.6.1), or a ping that is no message (RFC 7395 §3.8). */
  readonly signOfLife: (connection: ConnectionId) => NetworkEffect;
}

function attributes(fields: HeaderFields): BinaryString {
  const to = fields.to === undefined ? "" : ` to='${escapeValue(fields.to)}'`;
  return ` id='${fields.id}' from='${escapeValue(fields.from)}'${to} version='1.0' xml:lang='${escapeValue(fields.lang)}'`;
}

export const tcpFraming: Framing = {
  context: NS.client,
  header: (fields) =>
    `<?xml version='1.0'?><stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}'${attributes(fields)}>`,
  features: (inner) => `<stream:features>${inner}</stream:features>`,
  error: (condition, text) => streamError(condition, text),
  end: "</stream:stream>",
  signOfLife: (connection) => ({ type: "write", connection, data: " " }),
};

export const websocketFraming: Framing = {
  context: "",
  header: (fields) => `<open xmlns='${NS.framing}'${attributes(fields)}/>`,
  features: (inner) => `<stream:features xmlns:stream='${NS.streams}'>${inner}</stream:features>`,
  error: (condition, text) => streamError(condition, text, { declarePrefix: true }),
  end: `<close xmlns='${NS.framing}'/>`,
  signOfLife: (connection) => ({ type: "ping", connection }),
};
