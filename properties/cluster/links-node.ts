/** Links node: one mesh in the world, what its application was told, and the ends of its connections. */
import type { Mesh, MeshInput } from "../../src/cluster/mesh.ts";
import type { Message } from "../../src/cluster/messages.ts";
import type { Peer } from "../../src/cluster/peer.ts";

export const stanzaKind = 32;

/** One session as one side saw it. */
export interface SessionSeen {
  readonly owner: Peer;
  readonly peer: Peer;
  readonly ordinal: number;
  readonly upAt: number;
  downAt: number | undefined;
  readonly sent: string[];
  readonly received: string[];
  undelivered: readonly Message[] | undefined;
  final: boolean;
  reason: string;
}

export interface End {
  readonly node: Node;
  readonly id: number;
  open: boolean;
}

export interface Pipe {
  readonly from: End;
  readonly to: End;
  readonly key: string;
  readonly waiting: Segment[];
  readyAt: number;
  silent: boolean;
}
export type Segment = { type: "bytes"; data: string } | { type: "closed"; reason: string };

export class Node {
  readonly peer: Peer;
  readonly mesh: Mesh;
  readonly address: string;
  alive = true;
  pausedUntil = 0;
  readonly inbox: MeshInput[] = [];
  readonly ends = new Map<number, End>();
  readonly current = new Map<string, SessionSeen>();
  readonly events: { at: number; event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  superseded: Peer | undefined;
  flushing = false;
  wakeAt = Infinity;

  constructor(peer: Peer, mesh: Mesh, address: string) {
    this.peer = peer;
    this.mesh = mesh;
    this.address = address;
  }
}

export interface Stranger {
  readonly id: number;
  closed: boolean;
  readonly heard: (bytes: string) => void;
  send(data: string): void;
  close(): void;
}
