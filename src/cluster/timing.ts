/**
 * Timing: how long do links wait, and how much may they hold?
 *
 * Plain numbers with the values in force by default. A peer that died is noticed after: less than a
 * second when its host refuses connections, `linkGrace` when its connections closed, and
 * `heartbeatTimeout + linkGrace` when it is merely silent.
 */
import type { Duration } from "../base/time.ts";

export interface LinkTiming {
  readonly heartbeatInterval: Duration;
  /** Nothing received for so long: the link is broken. Any byte counts. */
  readonly heartbeatTimeout: Duration;
  /** A broken link that is back within this time keeps its session. */
  readonly linkGrace: Duration;
  /** Two refused dials at least so far apart end the grace: nobody listens there any more. */
  readonly refusedGap: Duration;
  /** The first pause between two dials; it doubles up to `dialBackoffMax`, less a random part. */
  readonly dialBackoff: Duration;
  /** The larger name dials so much later than the smaller one; a node that joins may well be the larger. */
  readonly headStart: Duration;
  readonly dialBackoffMax: Duration;
  /** From the connection to the end of the handshake. */
  readonly handshakeTimeout: Duration;
  /** How long an arriving connection waits for the end of our own dial. */
  readonly parkedFor: Duration;
  /** A peer that is on no list of discovery is dialled at its last address for so long. */
  readonly redialFor: Duration;
  /** Refused for so long because our successor is up: we must stop. */
  readonly supersededAfter: Duration;
  /** A tick that comes later than this is late: the process was paused. */
  readonly lateTick: Duration;
  /** After a late tick nobody is judged for so long, so that all sockets are read once before. */
  readonly lateReading: Duration;
}

export const linkTiming: LinkTiming = {
  heartbeatInterval: 1_000,
  heartbeatTimeout: 5_000,
  linkGrace: 5_000,
  refusedGap: 300,
  dialBackoff: 100,
  headStart: 10,
  dialBackoffMax: 5_000,
  handshakeTimeout: 5_000,
  parkedFor: 1_000,
  redialFor: 600_000,
  supersededAfter: 30_000,
  lateTick: 1_000,
  lateReading: 100,
};

export interface LinkLimits {
  /** Numbered frames that are not acknowledged, per link. */
  readonly windowBytes: number;
  /**
   * Of which chunks of syncs: so much may lie before a write on its way to a peer that loads, and be read by
   * that peer in one turn.
   */
  readonly syncWindowBytes: number;
  /** Messages of one class that wait: more is `queue-full`, less than half of it `queue-drained`. */
  readonly queueBytes: number;
  /** The same of what nodes tell each other of their tables; missing: as many. */
  readonly tableQueueBytes?: number;
  /** Larger bodies are cut. */
  readonly fragmentBytes: number;
  /** The largest body that is sent or put together from fragments. */
  readonly messageBytes: number;
  /** What is written in one piece, roughly: a larger string costs the kernel's memory anew each time. */
  readonly pieceBytes: number;
  /** The largest frame of a stranger. */
  readonly handshakeFrameBytes: number;
  /** Accepted connections that have not proved who they are; beyond it the oldest is closed. */
  readonly openHandshakes: number;
  /** What was received is acknowledged at the end of the turn after so many bytes or frames. */
  readonly ackBytes: number;
  readonly ackFrames: number;
  /** So many bytes of messages pass between two chunks of a sync that waits. */
  readonly messagesPerChunk: number;
  /** Table messages overtake waiting stanzas by so many bytes, then both get the same. */
  readonly overtakingBytes: number;
}

const kib = 1_024;
const mib = 1_024 * kib;

export const linkLimits: LinkLimits = {
  windowBytes: mib,
  syncWindowBytes: 256 * kib,
  queueBytes: 64 * mib,
  fragmentBytes: 64 * kib,
  messageBytes: 16 * mib,
  pieceBytes: 64 * kib,
  handshakeFrameBytes: 4 * kib,
  openHandshakes: 64,
  ackBytes: 64 * kib,
  ackFrames: 128,
  messagesPerChunk: 256 * kib,
  overtakingBytes: 64 * kib,
};
