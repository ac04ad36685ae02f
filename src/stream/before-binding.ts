/** Before binding: what may a client ask that has no resource yet, and what is wrong with all else? */
import type { TlsInfo } from "../ports/network.ts";
import { NS } from "../xmpp/namespaces.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import type { StreamErrorCondition } from "../xmpp/stream-error.ts";
import type { C2sOptions } from "./c2s-traffic.ts";

/** To register (XEP-0077), or, once authenticated, to bind. */
export function mayAsk(
  { name, namespace, type, payloads }: Stanza,
  authenticated: boolean,
  { registration, tlsMode }: C2sOptions,
  tls: TlsInfo | undefined,
): boolean {
  if (name !== "iq" || namespace !== NS.client) return false;
  if (type === "result" || type === "error") return false; // never answered (RFC 6120 §8.2.3)
  const about = payloads[0]?.namespace;
  if (authenticated) return about === NS.bind;
  const safe = tls !== undefined || tlsMode !== "starttls_required";
  return registration && safe && about === NS.register;
}

export interface Mistake {
  readonly condition: StreamErrorCondition;
  readonly text: string;
}

/** What it has done wrong who sends this element instead. */
export function mistakeOf({ name, namespace }: Stanza, authenticated: boolean): Mistake {
  if (!authenticated) {
    return { condition: "not-authorized", text: "Authenticate first (RFC 6120 §4.9.3.12)" };
  }
  if (namespace === NS.client && /^(?:message|presence|iq)$/.test(name)) {
    return { condition: "not-authorized", text: "Bind a resource first (RFC 6120 §7.1)" };
  }
  return { condition: "unsupported-stanza-type", text: `<${name}/> is not a stanza` };
}
