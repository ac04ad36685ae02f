/** Orders: what a bench asks of one member's process, and what it answers. */
import type { Discovered } from "../../src/cluster/mesh.ts";

export interface MemberSetup {
  readonly name: string;
  readonly port: number;
  readonly members: readonly Discovered[];
  readonly tables: number;
}

export type Order =
  /** So many writers for so long, each waiting until all peers hold its write. */
  | { readonly do: "write"; readonly writers: number; readonly ms: number }
  /** Puts so many records of its own and waits until all peers hold them. */
  | { readonly do: "fill"; readonly records: number; readonly from: number }
  | { readonly do: "look" }
  /** The longest stretch of a blocked event loop is measured from here on. */
  | { readonly do: "watch" }
  | { readonly do: "collect" }
  | { readonly do: "read"; readonly keys: number }
  | { readonly do: "leave" };

export interface Written {
  readonly writes: number;
  readonly missing: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface Look {
  /** Peers whose tables are all caught up here. */
  readonly synced: number;
  readonly records: number;
  readonly blockedMs: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly peakBytes: number;
}

export type Answer = Partial<Written> & Partial<Look> & { readonly readsPerSecond?: number };
