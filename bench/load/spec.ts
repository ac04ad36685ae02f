/** Spec: what the load process is asked to do (one JSON argument), and what it answers (one JSON line). */

export interface LoadSpec {
  /**
   * `messages`: pairs (i and i^1) of clients write to each other; `pings`: everyone pings the server
   * (XEP-0199); `logins`: connect, log in, leave; `idle`: log in and stay silent.
   */
  readonly mode: "messages" | "pings" | "logins" | "idle";
  /** Clients take them in turn: with two, the partners of a pair are on different ones. */
  readonly ports: readonly number[];
  /** TLS from the first byte (XEP-0368). */
  readonly tls: boolean;
  /** For `logins`: how many accounts take turns. */
  readonly clients: number;
  /** Closed loop: how many of a client's messages or pings are under way at any time. */
  readonly window: number;
  /** Open loop, messages only: messages per second of all clients together. 0 is closed loop. */
  readonly rate: number;
  readonly bodyBytes: number;
  readonly warmupMs: number;
  readonly durationMs: number;
  /** `logins` only: how many. */
  readonly logins: number;
  /** The processes of the server under test. */
  readonly pids: readonly number[];
  /** Its database's, if that is apart: CPU time counts as the server's, memory does not. */
  readonly databasePids: readonly number[];
}

export interface LoadResult {
  /** Messages delivered, pings answered, logins done or connections held, within the window. */
  readonly operations: number;
  readonly perSecond: number;
  readonly serverMicrosPerOperation: number;
  /** How many cores were used within the window by the server, the load process and everybody else. */
  readonly cores: { readonly server: number; readonly load: number; readonly others: number };
  /** From the write of the sender to the read of the receiver, milliseconds. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** `idle` only. */
  readonly residentBytesPerConnection: number;
  readonly residentBytesBefore: number;
  /** Open loop: how late the sender itself was at worst, milliseconds. */
  readonly senderLateMs: number;
  readonly faults: Faults;
}

/** All 0 on a server that keeps its promises. */
export interface Faults {
  lost: number;
  duplicated: number;
  reordered: number;
  misdelivered: number;
  /** Connections that the server closed or refused. */
  closed: number;
}

export const password = "pass";
export const domain = "localhost";
export const resource = "b";
export const user = (index: number): string => `u${index}`;
