/**
 * Echo core: the smallest server that uses every network effect, for proving loops and networks.
 *
 * What it receives it sends back. Lines in capitals are orders: `STARTTLS`, `PAUSE` (resumes after
 * `pauseMs`), `PING`, `FLOOD` (writes 16 MiB in one turn, and `DRAINED` when all has left), `QUIT`.
 */
import { binaryFromBytes } from "../../src/base/bytes.ts";
import type { Instant, Now } from "../../src/base/time.ts";
import type { ConnectionId, NetworkInput } from "../../src/ports/network.ts";
import type { Core, WorldEffect, WorldInput } from "../../src/server/effects.ts";

export const floodBytes = 16 * 1_048_576;
export const pauseMs = 50;
const floodPiece = "x".repeat(65_536);

export class EchoCore implements Core {
  readonly inputs: NetworkInput[] = [];
  readonly #resumeAt = new Map<ConnectionId, Instant>();

  step(now: Now, input: WorldInput): readonly WorldEffect[] {
    switch (input.type) {
      case "bytes-received":
        this.inputs.push(input);
        return this.#answer(now, input.connection, binaryFromBytes(input.bytes));
      case "connection-opened":
      case "tls-established":
      case "connection-congested":
        this.inputs.push(input);
        return [];
      case "connection-drained":
        this.inputs.push(input);
        return [{ type: "write", connection: input.connection, data: "DRAINED\n" }];
      case "connection-closed":
        this.inputs.push(input);
        this.#resumeAt.delete(input.connection);
        return [];
      case "dial-failed":
        this.inputs.push(input);
        return [];
      case "deadline-reached":
        return this.#resume(now);
      case "shutdown-requested":
        return [{ type: "stopped" }];
      case "query-answered":
      case "query-failed":
      case "key-derived":
      case "host-resolved":
      case "file-read":
      case "lookup-failed":
      case "http-requested":
        return [];
    }
  }

  deadline(): Instant | undefined {
    return this.#resumeAt.size === 0 ? undefined : Math.min(...this.#resumeAt.values());
  }

  #answer(now: Now, connection: ConnectionId, text: string): WorldEffect[] {
    switch (text.trim()) {
      case "STARTTLS":
        return [
          { type: "write", connection, data: "PROCEED\n" },
          { type: "start-tls", connection, host: "localhost" },
        ];
      case "PING":
        return [{ type: "ping", connection }];
      case "PAUSE":
        this.#resumeAt.set(connection, now.at + pauseMs);
        return [
          { type: "pause-reading", connection },
          { type: "write", connection, data: "PAUSED\n" },
        ];
      case "FLOOD":
        return Array.from({ length: floodBytes / floodPiece.length }, () => ({
          type: "write" as const,
          connection,
          data: floodPiece,
        }));
      case "QUIT":
        return [
          { type: "write", connection, data: "BYE\n" },
          { type: "close", connection },
        ];
      default:
        return [{ type: "write", connection, data: text }];
    }
  }

  #resume(now: Now): WorldEffect[] {
    const due = [...this.#resumeAt].filter(([, at]) => at <= now.at);
    return due.map(([connection]) => {
      this.#resumeAt.delete(connection);
      return { type: "resume-reading" as const, connection };
    });
  }
}
