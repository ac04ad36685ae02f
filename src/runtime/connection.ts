/** Connection: what the network keeps of one accepted client, whatever carries its bytes. */
import type { BinaryString } from "../base/bytes.ts";
import type { Duration } from "../base/time.ts";
import type { Counter } from "../ports/metrics.ts";
import type { HttpInput } from "../ports/http.ts";
import type { Log } from "../ports/log.ts";
import type { ConnectionId, NetworkInput } from "../ports/network.ts";

export interface Connection {
  readonly id: ConnectionId;
  write(data: BinaryString): void;
  /** Where the framing has such a thing. */
  ping(): void;
  startTls(host: string): void;
  pauseReading(): void;
  resumeReading(): void;
  /** Sends what was written, then closes; gives up on the peer after `closeTimeout`. */
  close(): void;
  /** Sends what was written in this turn; called by the network at the turn's end. */
  flush(): void;
  /** Closes at once, whatever is unsent. */
  destroy(reason: string): void;
}

/** What a connection may ask of the network that owns it. */
export interface Surroundings {
  readonly log: Log;
  /** Bytes that may wait in this process before the core is told of congestion. */
  readonly congestionMark: number;
  readonly closeTimeout: Duration;
  readonly refused: Counter;
  deliver(input: NetworkInput | HttpInput): void;
  nextId(): ConnectionId;
  opened(connection: Connection): void;
  closed(connection: Connection): void;
  /** `flush` will be called once at the end of this turn. */
  flushLater(connection: Connection): void;
}

/** Node shows IPv4 peers of a dual-stack socket as `::ffff:192.0.2.1`; people and limits want the short form. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** A socket error in words that a log reader understands. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNRESET":
    case "EPIPE":
      return "reset by the peer";
    case "ETIMEDOUT":
      return "the peer stopped answering";
    case "ERR_TLS_HANDSHAKE_TIMEOUT":
      return "the TLS handshake took too long";
    default:
      return error.message.replaceAll(/\s+/g, " ").trim();
  }
}
