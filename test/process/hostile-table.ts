/**
 * What hostile clients do, and what becomes of it: one line each, by how far the client has come.
 *
 * `error X` is a stream error and the end of the connection; `closed` an end without one; `sasl X` a failed
 * authentication and `stanza X` an error stanza, after which the stream lives on; `alive` means that the
 * client is still served.
 */
import { clear, rawTls, stream } from "./hostile-headers.ts";
import { authenticated, secured } from "./hostile-logins.ts";
import { online } from "./hostile-stanzas.ts";
import type { Behaviour } from "./hostile-words.ts";

export type Stage =
  /** TCP, nothing said. */
  | "clear"
  /** A stream without TLS. */
  | "stream"
  /** TCP to the direct TLS port, no handshake. */
  | "raw-tls"
  /** A stream over TLS. */
  | "secured"
  | "authenticated"
  | "online";

export const behaviours: Readonly<Record<Stage, readonly Behaviour[]>> = {
  clear,
  stream,
  "raw-tls": rawTls,
  secured,
  authenticated,
  online,
};
