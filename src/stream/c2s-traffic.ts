/** C2S traffic: what a client's stream is told and what it asks for. The machine is `c2s.ts`. */
import type { Duration } from "../base/time.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { ConnectionId, NetworkEffect, TlsInfo } from "../ports/network.ts";
import type { Sendable, Stanza } from "../xmpp/stanza.ts";
import type { StreamErrorCondition } from "../xmpp/stream-error.ts";
import type { SaslOutcome } from "./sasl/exchange.ts";

export interface C2sOptions {
  readonly connection: ConnectionId;
  readonly framing: "tcp" | "websocket";
  readonly hosts: readonly string[];
  readonly entropy: Entropy;
  readonly tls: TlsInfo | undefined;
  /** What this listener says of TLS; undefined: it has no certificate. */
  readonly tlsMode: "starttls" | "starttls_required" | "tls" | undefined;
  /** SASL mechanisms to offer, best first, given what the connection has become. */
  readonly mechanisms: (tls: TlsInfo | undefined) => readonly string[];
  /** May this peer register accounts in-band (XEP-0077)? */
  readonly registration: boolean;
  readonly maxStanzaSize: number;
  readonly maxAuthAttempts: number;
  /** To register and to bind, together. */
  readonly maxRequestsBeforeBinding: number;
  /** From connecting to being bound. */
  readonly negotiationTimeout: Duration;
  readonly maxSendQueue: number;
  readonly sendTimeout: Duration;
  readonly keepAliveInterval: Duration;
}

export type C2sInput =
  | { readonly type: "bytes-received"; readonly bytes: Uint8Array }
  | { readonly type: "tls-established"; readonly tls: TlsInfo }
  | { readonly type: "connection-congested" | "connection-drained" | "connection-closed" }
  | { readonly type: "deadline-reached" }
  | { readonly type: "challenge-issued"; readonly data: Uint8Array }
  | { readonly type: "authentication-finished"; readonly outcome: SaslOutcome }
  /** The answer to `bind`, after its reply was delivered; or a stanza error as the reply. */
  | { readonly type: "bound" }
  | { readonly type: "bind-refused"; readonly reply: Stanza }
  /** The answer to `stanzas-first`. */
  | { readonly type: "stanzas-done" }
  /** A stanza for the client; `from`/`to`, where given, replace those of the stanza. */
  | { readonly type: "deliver"; readonly delivery: Delivery }
  | { readonly type: "end"; readonly condition?: StreamErrorCondition; readonly text?: string };

export interface Delivery {
  readonly stanza: Sendable;
  readonly from?: string;
  readonly to?: string;
  readonly transit?: DeliveryTransit;
}

/** Comes back with a delivery, as it was given. */
export interface DeliveryTransit {
  /** Of whose copies it is one. */
  readonly id: { readonly origin: string; readonly counter: number };
  /** The node that is told of what comes back. */
  readonly home?:
    { readonly name: string; readonly incarnation: number; readonly boot: string } | undefined;
}

export type C2sEffect =
  | NetworkEffect
  | {
      readonly type: "authenticate";
      readonly mechanism: string;
      readonly initial: Uint8Array | undefined;
    }
  | { readonly type: "respond-to-challenge"; readonly data: Uint8Array }
  | { readonly type: "abort-authentication" }
  | { readonly type: "bind"; readonly request: Stanza; readonly resource: string | undefined }
  | { readonly type: "register"; readonly request: Stanza }
  | { readonly type: "stanza-received"; readonly stanza: Stanza }
  /** The end of the stream has been read with them: what they cause goes before our closing tag. */
  | { readonly type: "stanzas-first" }
  /** These never left, and the client can no longer be reached. */
  | { readonly type: "undelivered"; readonly deliveries: readonly Delivery[] }
  /** The client can no longer be reached. Said once; `undelivered` may come before and after. */
  | { readonly type: "ended"; readonly reason: string };
