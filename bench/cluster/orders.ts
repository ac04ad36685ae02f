/** Orders: what a bench asks of one member's process, and what it answers. */
import type { Discovered } from "../../src/cluster/mesh.ts";

export interface MemberSetup {
  readonly name: string;
  readonly port: number;
  readonly members: readonly Discovered[];
  readonly tables: number;
}

export type Order =
  /** Opens the port and looks for so many peers; answers when all they have is visible here. */
  | { readonly do: "join"; readonly peers: number }
  /** So many writers for so long and for so many writes, each waiting until all peers hold its write. */
  | {
      readonly do: "write";
      readonly writers: number;
      readonly ms: number;
      readonly writes?: number;
    }
  /** Puts so many records of its own and waits until all peers hold them. */
  | { readonly do: "fill"; readonly records: number; readonly from: number }
  /** Answers when so many records are visible. */
  | { readonly do: "await"; readonly records: number }
  | { readonly do: "look" }
  /** The longest stretch of a blocked event loop is measured from here to the next `look`. */
  | { readonly do: "watch" }
  | { readonly do: "collect" }
  | { readonly do: "read"; readonly keys: number }
  | { readonly do: "leave" };

export interface Joined {
  /** Since 1970, so that members can be compared: when the port was open, when all was visible. */
  readonly listeningAtMs: number;
  readonly syncedAtMs: number;
  /** From the call of `joinCluster` until all was visible. */
  readonly joinMs: number;
}

export interface Written {
  readonly writes: number;
  readonly missing: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface Look {
  readonly records: number;
  /** Wall time, with what others did on this core; and CPU time of this process, which is ours alone. */
  readonly blockedMs: number;
  readonly blockedCpuMs: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly peakBytes: number;
}

export interface Reads {
  readonly hasPerSecond: number;
  readonly getPerSecond: number;
}

export type Answer = Partial<Joined & Written & Look & Reads>;
