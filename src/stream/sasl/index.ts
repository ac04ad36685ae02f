/** SASL mechanisms: which exist, and which are offered on a connection (RFC 6120 §6.3.3). */
import type { TlsInfo } from "../../ports/network.ts";
import { anonymous } from "./anonymous.ts";
import type { Mechanism } from "./exchange.ts";
import { external } from "./external.ts";
import { plain } from "./plain.ts";
import { hashNames, scram } from "./scram.ts";

export const mechanisms: ReadonlyMap<string, Mechanism> = new Map(
  [
    ...hashNames.map((hash) => scram(hash, true)),
    ...hashNames.map((hash) => scram(hash, false)),
    plain,
    external,
    anonymous,
  ].map((mechanism) => [mechanism.name, mechanism]),
);

export interface Circumstances {
  readonly tls: TlsInfo | undefined;
  /** May passwords be sent without TLS? */
  readonly allowPlaintext: boolean;
  /** Does the client's certificate name somebody? */
  readonly externalPossible: boolean;
}

/** Those of the configured mechanisms that this connection allows, in the configured order. */
export function offered(configured: readonly string[], circumstances: Circumstances): string[] {
  const { tls, allowPlaintext, externalPossible } = circumstances;
  const canBind = tls !== undefined && Object.keys(tls.bindings).length > 0;
  return configured.filter((name) => {
    if (!mechanisms.has(name)) return false;
    if (name.endsWith("-PLUS")) return canBind;
    if (name === "PLAIN") return tls !== undefined || allowPlaintext;
    return name !== "EXTERNAL" || externalPossible;
  });
}
