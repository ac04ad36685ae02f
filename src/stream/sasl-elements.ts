/** SASL elements: what <auth/>, <response/> and <failure/> say (RFC 6120 §6.4). */
import { fromBase64 } from "../base/bytes.ts";
import { escapeText } from "../xmpp/escape.ts";
import { NS } from "../xmpp/namespaces.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import type { SaslFailure } from "./sasl/exchange.ts";

export interface AskedMechanism {
  readonly mechanism: string;
  /** Undefined: none was sent; an empty one is spelled "=" (RFC 6120 §6.4.2). */
  readonly initial: Uint8Array | undefined;
}

export function readAuth(
  element: Stanza,
  offered: readonly string[],
  mustEncryptFirst: boolean,
): AskedMechanism | SaslFailure {
  if (element.name !== "auth") return "malformed-request";
  if (mustEncryptFirst) return "encryption-required";
  const mechanism: unknown = element.element().attrs["mechanism"];
  if (typeof mechanism !== "string" || !offered.includes(mechanism)) return "invalid-mechanism";
  if (element.payloads.length > 0) return "malformed-request"; // it holds text, and nothing else
  const text = element.element().getText().trim();
  if (text === "") return { mechanism, initial: undefined };
  const initial = decode(text);
  return initial === undefined ? "incorrect-encoding" : { mechanism, initial };
}

/** The client's answer to a challenge; a failure ends the exchange. */
export function readResponse(element: Stanza): Uint8Array | SaslFailure {
  if (element.namespace !== NS.sasl) return "malformed-request";
  if (element.name === "abort") return "aborted";
  if (element.name !== "response" || element.payloads.length > 0) return "malformed-request";
  return decode(element.element().getText().trim()) ?? "incorrect-encoding";
}

function decode(text: string): Uint8Array | undefined {
  return text === "" || text === "=" ? new Uint8Array(0) : fromBase64(text);
}

/** RFC 6120 §6.4.5 */
export function saslFailureXml(condition: SaslFailure, text: string | undefined): string {
  const words = text === undefined ? "" : `<text xml:lang='en'>${escapeText(text)}</text>`;
  return `<failure xmlns='${NS.sasl}'><${condition}/>${words}</failure>`;
}
