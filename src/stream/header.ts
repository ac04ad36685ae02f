/** Stream header: may this stream be opened (RFC 6120 §4.7, §4.8)? */
import { prepareDomain } from "../xmpp/jid.ts";
import { NS } from "../xmpp/namespaces.ts";
import type { StreamHeader } from "../xmpp/reader.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import type { StreamErrorCondition } from "../xmpp/stream-error.ts";

export interface HeaderError {
  readonly condition: StreamErrorCondition;
  readonly text: string;
}

/** The attributes of a header or of a websocket's <open/>. */
export interface AskedStream {
  readonly to: string | undefined;
  readonly version: string | undefined;
  readonly lang: string | undefined;
}

export interface HeaderAnswer {
  /** The host, where it is one of ours. */
  readonly host: string | undefined;
  readonly lang: string | undefined;
  readonly error: HeaderError | undefined;
}

/** What is wrong with the root element itself. */
export function wrongStreamHeader(header: StreamHeader): HeaderError | undefined {
  if (header.namespace !== NS.streams) {
    const text = `The stream's namespace must be ${NS.streams}`;
    return { condition: "invalid-namespace", text };
  }
  if (header.name !== "stream") {
    return { condition: "bad-format", text: "The root element must be <stream:stream/>" };
  }
  if (header.contentNamespace !== NS.client) {
    return { condition: "invalid-namespace", text: `The content namespace must be ${NS.client}` };
  }
  return undefined;
}

export function askedByHeader({ attributes }: StreamHeader): AskedStream {
  return {
    to: attributes.get("to"),
    version: attributes.get("version"),
    lang: attributes.get("xml:lang"),
  };
}

/** RFC 7395 §3.4 */
export function askedByOpen(open: Stanza): AskedStream {
  const version: unknown = open.element().attrs["version"];
  return {
    to: open.to,
    version: typeof version === "string" ? version : undefined,
    lang: open.lang,
  };
}

const LANGUAGE = /^[A-Za-z0-9-]{1,35}$/; // BCP 47 tags are of these
const VERSION_1 = /^[1-9][0-9]{0,2}\.[0-9]{1,3}$/; // RFC 6120 §4.7.5: we answer any later one by 1.0

export function answerHeader(asked: AskedStream, hosts: readonly string[]): HeaderAnswer {
  const host = hostOf(asked.to, hosts);
  const lang = asked.lang !== undefined && LANGUAGE.test(asked.lang) ? asked.lang : undefined;
  return { host, lang, error: errorOf(asked, host, hosts) };
}

/** Mostly it is spelled as it is once prepared; to prepare one that is not ASCII takes as long as a stanza. */
function hostOf(to: string | undefined, hosts: readonly string[]): string | undefined {
  if (to === undefined || hosts.includes(to)) return to;
  const prepared = prepareDomain(to);
  return prepared !== undefined && hosts.includes(prepared) ? prepared : undefined;
}

function errorOf(
  asked: AskedStream,
  host: string | undefined,
  hosts: readonly string[],
): HeaderError | undefined {
  if (host === undefined) {
    return { condition: "host-unknown", text: `This server hosts: ${hosts.join(", ")}` };
  }
  if (asked.version === undefined || !VERSION_1.test(asked.version)) {
    const text = "Version 1.0 is required (RFC 6120 §4.7.5)";
    return { condition: "unsupported-version", text };
  }
  return undefined;
}
