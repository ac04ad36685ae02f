/** Stream features: what can be negotiated now (RFC 6120 §4.3.2)? */
import { NS } from "../xmpp/namespaces.ts";
import type { TlsInfo } from "../ports/network.ts";
import type { C2sOptions } from "./c2s-traffic.ts";

interface OfferedFeatures {
  readonly startTls?: "starttls" | "starttls_required" | "tls" | undefined;
  readonly mechanisms?: readonly string[];
  /** Channel-binding types that this connection can give (XEP-0440). */
  readonly bindings?: readonly string[];
  readonly registration?: boolean;
  readonly bind?: boolean;
}

/** The children of <stream:features/>. */
function featuresXml(offered: OfferedFeatures): string {
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

/** For a stream in this state of this listener: first TLS if it must be, then SASL, then binding. */
export function streamFeatures(
  options: C2sOptions,
  tls: TlsInfo | undefined,
  authenticated: boolean,
): string {
  if (authenticated) return featuresXml({ bind: true });
  const { tlsMode, framing } = options;
  const startTls = tls !== undefined || framing === "websocket" ? undefined : tlsMode;
  if (startTls === "starttls_required") return featuresXml({ startTls });
  return featuresXml({
    startTls,
    mechanisms: options.mechanisms(tls),
    bindings: Object.keys(tls?.bindings ?? {}),
    registration: options.registration,
  });
}
