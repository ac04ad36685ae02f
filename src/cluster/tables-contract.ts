/**
 * Tables contract: what does the machine of the replicated tables take in and say, what may it use?
 *
 * It knows sessions only (`peer-up` to `peer-down`): within one, messages arrive in order and each once, or
 * the session ends. Everything else about the network is the links' business.
 */
import type { BinaryString } from "../base/bytes.ts";
import type { Piece } from "../base/chunk.ts";
import { minute, second, type Duration } from "../base/time.ts";
import type { KeyHash } from "./key-hash.ts";
import type { MessageKind } from "./messages.ts";
import type { TableRecord } from "./partition.ts";
import type { Peer } from "./peer.ts";
import type { TableLimits, TableOptions } from "./table.ts";

export type TablesInput =
  /** `session` never repeats within this process. */
  | { readonly type: "peer-up"; readonly peer: Peer; readonly session: number }
  /** `final`: that process will not be back, so nothing is kept for its return. */
  | { readonly type: "peer-down"; readonly peer: Peer; readonly final: boolean }
  | {
      readonly type: "message-received";
      readonly peer: Peer;
      readonly kind: MessageKind;
      readonly body: Piece;
    }
  | { readonly type: "beat-received"; readonly peer: Peer; readonly body: Uint8Array }
  /** The link's queue to this peer has passed its bound, or is well below it again. */
  | { readonly type: "queue-full" | "queue-drained"; readonly peer: Peer }
  | { readonly type: "deadline-reached" };

export interface SendEffect {
  readonly type: "send";
  readonly peer: Peer;
  readonly session: number;
  readonly kind: MessageKind;
  readonly body: BinaryString;
  /** If present, `Tables.sent` wants to know the message's position in the session. */
  readonly sync?: number;
}

/** The records of one owner, read when they are iterated: within the step that said so. */
export interface PartitionView extends Iterable<TableRecord> {
  readonly size: number;
}

export interface SettledEffect {
  readonly type: "settled";
  readonly request: number;
  /** The records are visible at these. */
  readonly visibleAt: readonly Peer[];
  /** Waited for in vain for `settleTimeout`. */
  readonly missing: readonly Peer[];
  /** Went down or became stale meanwhile. */
  readonly lost: readonly Peer[];
  /** Were loading or stale when asked, and not waited for. */
  readonly skipped: readonly Peer[];
}

export type TablesEffect =
  | SendEffect
  | { readonly type: "disconnect"; readonly peer: Peer; readonly reason: string }
  | SettledEffect
  /** One record of a visible partition of another owner; only for tables with `changes`. */
  | {
      readonly type: "record-changed";
      readonly table: string;
      readonly owner: Peer;
      readonly key: BinaryString;
      readonly before: BinaryString | undefined;
      readonly after: BinaryString | undefined;
    }
  /** A partition became visible, or is visible no more, with all its records in one step. */
  | {
      readonly type: "partition-shown" | "partition-hidden";
      readonly table: string;
      readonly owner: Peer;
      readonly records: PartitionView;
    }
  /** All tables that we share with this peer are caught up here; once per session. */
  | { readonly type: "peer-synced"; readonly peer: Peer }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warning" | "error";
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number | boolean | undefined>>;
    };

export interface TablesTiming {
  /** How long the records of a peer that went down are kept aside for its return. */
  readonly retention: Duration;
  /** A reader that gets no operations for so long since its queue is full is disconnected. */
  readonly staleMax: Duration;
  readonly settleTimeout: Duration;
  /** Between two snapshots that are asked for because digests differ; doubles from one to the other. */
  readonly healAfter: Duration;
  readonly healAfterMax: Duration;
}

export const tablesTiming: TablesTiming = {
  retention: 10 * minute,
  staleMax: 30 * second,
  settleTimeout: 2 * second,
  healAfter: second,
  healAfterMax: 5 * minute,
};

export interface TablesLimits extends TableLimits {
  /** Of all partitions kept aside together, by estimate; the oldest are dropped first. */
  readonly retainedBytesMax: number;
  /** More missed operations than this go as a snapshot. */
  readonly deltaBytesMax: number;
  readonly chunkBytesMax: number;
  /** How many records one chunk may look at: it skips those written since the sync began. */
  readonly chunkRecordsMax: number;
  /** One message of operations; more of them in one step go in several. */
  readonly operationsBytesMax: number;
}

const kib = 1_024;
const mib = 1_024 * kib;

export const tablesLimits: TablesLimits = {
  recordBytesMax: 60 * kib,
  logBytesMax: mib,
  logOperationsMax: 16_384,
  retainedBytesMax: 256 * mib,
  deltaBytesMax: mib,
  chunkBytesMax: 64 * kib,
  chunkRecordsMax: 4_096,
  operationsBytesMax: 32 * kib,
};

export interface TablesOptions {
  readonly self: Peer;
  readonly tables: readonly TableOptions[];
  /** One that strangers do not know, if they choose what keys are made of. */
  readonly hash?: KeyHash;
  readonly timing?: TablesTiming;
  readonly limits?: TablesLimits;
}

export interface ReplicaStatus {
  readonly peer: Peer;
  readonly seq: number;
  readonly records: number;
  readonly visible: boolean;
  /** As a reader: waiting for an answer, loading a snapshot, following operations, or kept aside. */
  readonly state: "asked" | "loading" | "current" | "retained";
  /** Digests that differed, since the session began. */
  readonly diverged: number;
}

/** A table of another schema is both: ours the peer lacks, and the peer's we do not know. */
export interface UnsharedTables {
  readonly peer: Peer;
  /** Ours that the peer lacks. */
  readonly missing: readonly string[];
  /** The peer's that we lack. */
  readonly unknown: readonly string[];
}

export interface ReaderStatus {
  readonly peer: Peer;
  /** As an owner: not asked yet, streaming a snapshot, sending operations, or held back. */
  readonly state: "waiting" | "syncing" | "current" | "stale";
  /** The last of our seqs that is known to be visible there. */
  readonly visibleSeq: number;
}

export interface TableStatus {
  readonly name: string;
  readonly seq: number;
  readonly records: number;
  readonly logBytes: number;
  readonly replicas: readonly ReplicaStatus[];
  readonly readers: readonly ReaderStatus[];
}
