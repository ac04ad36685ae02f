/**
 * Mesh contract: what does the mesh of links take in, what does it say, what must it be given?
 *
 * Everything here is opaque to the links: bodies, chunks and what rides on heartbeats belong to the
 * tables and the router. Bodies are binary strings when sent and pieces of chunks when received.
 */
import type { BinaryString } from "../base/bytes.ts";
import type { Piece } from "../base/chunk.ts";
import type { Duration } from "../base/time.ts";
import type { Message, MessageKind } from "./messages.ts";
import type { NodeName, Peer } from "./peer.ts";
import type { ProtocolRange } from "./protocol.ts";
import type { LinkLimits, LinkTiming } from "./timing.ts";

/** As in `ports/network.ts`. */
export type ConnectionId = number;
export type DialId = number;

/** Where discovery says that a node can be reached. */
export interface Discovered {
  readonly name: NodeName;
  /** `host:port` */
  readonly address: string;
}

export type MeshInput =
  | {
      readonly type: "connection-opened";
      readonly connection: ConnectionId;
      readonly remote: string;
      /** The answer to our own dial. */
      readonly dial?: DialId;
      /** With TLS: what only the two ends of this very connection know (RFC 9266). */
      readonly channelBinding?: Uint8Array;
    }
  | {
      readonly type: "dial-failed";
      readonly dial: DialId;
      readonly refused: boolean;
      readonly reason: string;
    }
  /** The bytes are ours from here on: nobody overwrites them. */
  | {
      readonly type: "bytes-received";
      readonly connection: ConnectionId;
      readonly bytes: Uint8Array;
    }
  | {
      readonly type: "connection-closed";
      readonly connection: ConnectionId;
      readonly reason: string;
    }
  /** The whole list in force: who should be dialled. We ourselves may be on it. */
  | { readonly type: "peers-discovered"; readonly peers: readonly Discovered[] }
  | { readonly type: "deadline-reached" }
  /** The drain is done: tell all peers, close all. Nothing is dialled or accepted any more. */
  | { readonly type: "leave" };

export type MeshEffect =
  | { readonly type: "dial"; readonly dial: DialId; readonly address: string }
  | { readonly type: "write"; readonly connection: ConnectionId; readonly data: BinaryString }
  | { readonly type: "close"; readonly connection: ConnectionId }
  /** Exactly one per session. `session` never repeats within this process; see `Mesh.send`. */
  | {
      readonly type: "peer-up";
      readonly peer: Peer;
      readonly session: number;
      /** Of the protocol, the highest that both speak. */
      readonly version: number;
    }
  /** Exactly one per session that was up. */
  | {
      readonly type: "peer-down";
      readonly peer: Peer;
      readonly session: number;
      readonly reason: string;
      /** That process will not be back (it said so, or its successor is here): keep nothing for it. */
      readonly final: boolean;
      /**
       * Everything sent that the peer has not acknowledged, each class in order. The peer may have
       * received a first part of it.
       */
      readonly undelivered: readonly Message[];
    }
  /** In order, each once. The body is valid until this step's effects have been dealt with. */
  | {
      readonly type: "message-received";
      readonly peer: Peer;
      readonly kind: MessageKind;
      readonly body: Piece;
    }
  /** What the peer's tables put into its heartbeat. */
  | { readonly type: "beat-received"; readonly peer: Peer; readonly body: Uint8Array }
  /** More of one class waits for this peer than should, or much less again. */
  | {
      readonly type: "queue-full" | "queue-drained";
      readonly peer: Peer;
      readonly queue: "tables" | "stanzas";
    }
  /** A greater incarnation of our own name is up: this process must stop. */
  | { readonly type: "superseded"; readonly by: Peer }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warning" | "error";
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number | boolean | undefined>>;
      /** A connection that arrived was refused: whoever reaches the port can cause it at will. */
      readonly stranger?: true;
    };

/** Where the frames of class `sync` come from: read from the live table when the wire has room. */
export interface ChunkSource {
  /**
   * The next chunk for this peer, or nothing for now: asked again after the next `send` to it, and
   * after each acknowledgement. `written`: how many of the session's table messages are on the wire.
   */
  pull(peer: Peer, written: number): Message | undefined;
  /** Whether `pull` would find something; spares the call. */
  ready?(peer: Peer): boolean;
  /** A chunk is longer only if a single record is. */
  readonly bytesMax?: number;
}

export interface MeshOptions {
  readonly self: Peer;
  /** Where others reach us; told to peers, so that also a node that no list names is redialled. */
  readonly address?: string;
  readonly cluster: string;
  readonly secret: Uint8Array;
  /** HMAC-SHA-256. */
  hmac(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** In constant time. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  readonly entropy: { bytes(count: number): Uint8Array };
  readonly timing: LinkTiming;
  readonly limits: LinkLimits;
  /** Put into each heartbeat to this peer. */
  beatBody(peer: Peer): BinaryString;
  readonly chunks: ChunkSource;
  /** What we speak; by default all that this release knows. */
  readonly protocol?: ProtocolRange;
}

export type LinkState = "connecting" | "handshaking" | "up" | "broken" | "down";

export interface LinkStatus {
  readonly name: NodeName;
  /** Of the session, while there is one. */
  readonly peer?: Peer;
  readonly address?: string;
  readonly state: LinkState;
  /** Of the protocol, in the session that there is. */
  readonly version?: number;
  readonly rttMs?: Duration;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly unackedBytes: number;
  /** Since this process started. */
  readonly sessions: number;
  readonly connections: number;
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly framesResent: number;
  readonly lastError?: string;
}
