/** Stream features: what can be negotiated now (RFC 6120 §4.3.2), and SASL's failure element. */
import { NS } from "../xmpp/namespaces.ts";
import { escapeText } from "../xmpp/escape.ts";
import type { SaslFailure } from "./sasl/exchange.ts";

export interface OfferedFeatures {
  readonly startTls?: "starttls" | "starttls_required" | "tls" | undefined;
  readonly mechanisms?: readonly string[];
  /** Channel-binding types that this connection can give (XEP-0440). */
  readonly bindings?: readonly string[];
  readonly registration?: boolean;
  readonly bind?: boolean;
}

/** The children of <stream:features/>. */
export function streamFeatures(offered: OfferedFeatures): string {
  let xml = "";
  if (offered.startTls !== undefined) {
    const required = offered.startTls === "starttls_required" ? "<required/>" : "";
    xml += `<starttls xmlns='${NS.tls}'>${required}</starttls>`;
  }
  if (offered.mechanisms !== undefined && offered.mechanisms.length > 0) {
    const names = offered.mechanisms.map((name) => `<mechanism>${name}</mechanism>`).join("");
    xml += `<mechanisms xmlns='${NS.sasl}'>${names}</mechanisms>`;
  }
  if (offered.bindings !== undefined && offered.bindings.length > 0) {
    const types = offered.bindings.map((type) => `<channel-binding type='${type}'/>`).join("");
    xml += `<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>${types}</sasl-channel-binding>`;
  }
  if (offered.registration === true) {
    xml += "<register xmlns='http://jabber.org/features/iq-register'/>"; // XEP-0077 §7
  }
  if (offered.bind === true) {
    xml += `<bind xmlns='${NS.bind}'><required/></bind>`;
    xml += `<session xmlns='${NS.session}'><optional/></session>`; // for RFC 3921 clients
  }
  return xml;
}

/** RFC 6120 §6.4.5 */
export function saslFailureXml(condition: SaslFailure, text: string | undefined): string {
  const words = text === undefined ? "" : `<text xml:lang='en'>${escapeText(text)}</text>`;
  return `<failure xmlns='${NS.sasl}'><${condition}/>${words}</failure>`;
}
