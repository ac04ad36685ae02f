/**
 * Network: what may we ask of connections, and what do they tell us?
 *
 * A connection is a byte stream (`tcp`) or a sequence of messages (`websocket`, RFC 7395: each message
 * one XML element). The core refers to it by number only. TLS is an effect: the real network does the
 * handshake, the simulated one grants it.
 */
import type { BinaryString } from "../base/bytes.ts";

/** Never reused within one process. */
export type ConnectionId = number;

/** Chosen by the core; never reused within one process. */
export type DialId = number;

export interface TlsInfo {
  /** e.g. `TLSv1.3` */
  readonly protocol: string;
  readonly cipher: string;
  /** The host named by the client (SNI), if any. */
  readonly serverName?: string;
  /** Channel-binding data (RFC 5929, RFC 9266); a type that the connection cannot give is missing. */
  readonly bindings: {
    readonly "tls-exporter"?: Uint8Array;
    readonly "tls-server-end-point"?: Uint8Array;
    readonly "tls-unique"?: Uint8Array;
  };
  /** JIDs named by a client certificate that our authorities vouch for (xmppAddr, RFC 6120 §13.7.1.4). */
  readonly certifiedAddresses?: readonly string[];
}

export type NetworkInput =
  | {
      readonly type: "connection-opened";
      readonly connection: ConnectionId;
      /** Name of the listener that accepted it: a key of the configuration. */
      readonly listener: string;
      /** Textual IP address of the peer, without port. */
      readonly remote: string;
      readonly framing: "tcp" | "websocket";
      /** The answer to this dial: a connection that we opened ourselves. */
      readonly dial?: DialId;
      /** Present where TLS came first: direct TLS (XEP-0368) or wss. */
      readonly tls?: TlsInfo;
    }
  /** For a websocket: exactly one message. The bytes are ours from here on: nobody overwrites them. */
  | {
      readonly type: "bytes-received";
      readonly connection: ConnectionId;
      readonly bytes: Uint8Array;
    }
  | { readonly type: "tls-established"; readonly connection: ConnectionId; readonly tls: TlsInfo }
  /** More than the congestion mark waits to be sent: stop writing until `connection-drained`. */
  | { readonly type: "connection-congested"; readonly connection: ConnectionId }
  | { readonly type: "connection-drained"; readonly connection: ConnectionId }
  /** Told once, also after our own `close`; nothing follows for this connection. */
  | {
      readonly type: "connection-closed";
      readonly connection: ConnectionId;
      readonly reason: string;
    }
  /** A dial has come to nothing; told once, instead of `connection-opened`. */
  | {
      readonly type: "dial-failed";
      readonly dial: DialId;
      /** The peer's host answered that nobody listens there. */
      readonly refused: boolean;
      readonly reason: string;
    };

export type NetworkEffect =
  /** Appended to what this connection sends at the end of the turn; for a websocket, one message. */
  | { readonly type: "write"; readonly connection: ConnectionId; readonly data: BinaryString }
  /** A sign of life beside the messages of a websocket (RFC 6455 §5.5.2): whoever has died does not take it. */
  | { readonly type: "ping"; readonly connection: ConnectionId }
  | { readonly type: "start-tls"; readonly connection: ConnectionId; readonly host: string }
  /**
   * Connects to another node: `host:port`, IPv6 in brackets. Answered by `connection-opened` with this
   * `dial` and the listener named `cluster`, or by `dial-failed` within ten seconds.
   */
  | { readonly type: "dial"; readonly dial: DialId; readonly address: string }
  | { readonly type: "pause-reading"; readonly connection: ConnectionId }
  | { readonly type: "resume-reading"; readonly connection: ConnectionId }
  /** Sends what was written, then closes; gives up on the peer after a few seconds. */
  | { readonly type: "close"; readonly connection: ConnectionId };

export interface Network {
  dial(dial: DialId, address: string): void;
  write(connection: ConnectionId, data: BinaryString): void;
  /** For websockets alone. */
  ping(connection: ConnectionId): void;
  startTls(connection: ConnectionId, host: string): void;
  pauseReading(connection: ConnectionId): void;
  resumeReading(connection: ConnectionId): void;
  close(connection: ConnectionId): void;
}
