/**
 * Peer: which process do we mean?
 *
 * A node's name outlives its process; a process is a peer. Peers are always compared whole: by name
 * alone the records of a dead process would pass as those of its successor, and by (name, incarnation)
 * too when a clock was set back while the database, which remembers the last incarnation, was down.
 */

/** Stable text, e.g. `meerkat@10.0.0.7:7000`; at most 255 bytes of UTF-8. */
export type NodeName = string;

export interface Peer {
  readonly name: NodeName;
  /** Below 2^53, new at every start: the wall clock in ms, or the last known one + 1 if that is more. */
  readonly incarnation: number;
  /** 64 random bits drawn at start, as 16 hex digits. */
  readonly boot: string;
}

export function samePeer(a: Peer, b: Peer): boolean {
  return a.name === b.name && a.boot === b.boot && a.incarnation === b.incarnation;
}

/** For logs and status pages. */
export function peerText(peer: Peer): string {
  return `${peer.name}#${peer.incarnation}.${peer.boot}`;
}
