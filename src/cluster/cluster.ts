/**
 * Cluster: links and replicated tables of one node, as one machine.
 *
 * The mesh tells who is there and carries messages, the tables live on it; this class is the wiring between
 * them, and what is left of their effects goes up. When a peer goes down its records are hidden first, and
 * only then are the messages that it did not receive handed back: whoever routes them again must not find
 * the dead peer's records.
 */
import { bytesFromText, type BinaryString } from "../base/bytes.ts";
import type { Instant, Now } from "../base/time.ts";
import { KeyHash } from "./key-hash.ts";
import {
  Mesh,
  type LinkStatus,
  type MeshEffect,
  type MeshInput,
  type MeshOptions,
} from "./mesh.ts";
import { kinds, type MessageKind } from "./messages.ts";
import { samePeer, type Peer } from "./peer.ts";
import type { ReplicatedTable } from "./table.ts";
import { tablesLimits } from "./tables-contract.ts";
import {
  Tables,
  type TablesEffect,
  type TablesInput,
  type TablesLimits,
  type TablesOptions,
  type TablesTiming,
  type TableStatus,
  type UnsharedTables,
} from "./tables.ts";

export type ClusterInput = MeshInput;

export type ClusterEffect =
  | Extract<
      MeshEffect,
      { type: "dial" | "write" | "close" | "peer-up" | "message-received" | "superseded" | "log" }
    >
  /** Of stanzas: whoever sends may refuse to send more. The tables have heard of theirs. */
  | Extract<MeshEffect, { type: "queue-full" | "queue-drained" }>
  /** The peer's records are hidden by now; `undelivered` are messages of others than the tables. */
  | Extract<MeshEffect, { type: "peer-down" }>
  | Extract<
      TablesEffect,
      {
        type: "settled" | "record-changed" | "partition-shown" | "partition-hidden" | "peer-synced";
      }
    >;

export interface ClusterOptions extends Omit<MeshOptions, "beatBody" | "chunks"> {
  readonly tables: TablesOptions["tables"];
  readonly tablesTiming?: TablesTiming;
  readonly tablesLimits?: TablesLimits;
}

/** No draw of entropy: the secret and the boot are as good, and known to no client together. */
function secretHash({ hmac, secret, self }: ClusterOptions): KeyHash {
  return new KeyHash(hmac(secret, bytesFromText(`hash of keys ${self.boot}`)));
}

interface OfPartition {
  readonly table: string;
  readonly owner: Peer;
}

/** Kinds from here on are not the links' or the tables' own. */
const firstOther = kinds.stanza;

export class Cluster {
  readonly #mesh: Mesh;
  readonly #tables: Tables;
  #peers: Peer[] = [];
  #effects: ClusterEffect[] = [];
  /** Partitions that this batch of effects shows. */
  #shown: OfPartition[] = [];

  constructor(options: ClusterOptions) {
    const { tables, tablesTiming: timing, tablesLimits: given = tablesLimits, ...mesh } = options;
    // A delta waits as a whole: one that has no room would end the session that asks for it, time and again.
    const deltaBytesMax = Math.min(given.deltaBytesMax, mesh.limits.queueBytes >> 1);
    const limits = { ...given, deltaBytesMax };
    const machine = new Tables({
      self: options.self,
      tables,
      hash: secretHash(options),
      ...(timing === undefined ? {} : { timing }),
      limits,
    });
    this.#tables = machine;
    this.#mesh = new Mesh({
      ...mesh,
      beatBody: (peer) => machine.beatBody(peer),
      chunks: {
        pull: (peer, written) => machine.pull(peer, written),
        ready: (peer) => machine.ready(peer),
        bytesMax: limits.chunkBytesMax,
      },
    });
  }

  table(name: string): ReplicatedTable {
    return this.#tables.table(name);
  }

  /** Peers with a live session, in the order in which they came. */
  peers(): readonly Peer[] {
    return this.#peers;
  }

  /** Are all tables that we share with this peer caught up here? */
  synced(peer: Peer): boolean {
    return this.#tables.synced(peer);
  }

  /** Does anything wait for a peer's window, or for a connection with it? */
  get hasBacklog(): boolean {
    return this.#mesh.hasBacklog;
  }

  status(): {
    readonly links: readonly LinkStatus[];
    readonly tables: readonly TableStatus[];
    readonly unshared: readonly UnsharedTables[];
  } {
    return {
      links: this.#mesh.status(),
      tables: this.tablesStatus(),
      unshared: this.#tables.unshared(),
    };
  }

  tablesStatus(): readonly TableStatus[] {
    return this.#tables.status();
  }

  /** When `step` must next be called, whatever else happens. */
  deadline(): Instant | undefined {
    const [mesh, tables] = [this.#mesh.deadline(), this.#tables.deadline()];
    if (mesh === undefined || tables === undefined) return mesh ?? tables;
    return Math.min(mesh, tables);
  }

  step(now: Now, input: ClusterInput): readonly ClusterEffect[] {
    if (input.type === "deadline-reached") this.#toTables(now, input);
    this.#fromMesh(now, this.#mesh.step(now, input));
    return this.#take();
  }

  /** The end of a core step: what was written to tables and sent leaves. */
  flush(now: Now): readonly ClusterEffect[] {
    // The last chunk of a sync is read while the mesh writes; its end is a message after it.
    do {
      this.#fromTables(this.#tables.flush(now));
      this.#fromMesh(now, this.#mesh.flush(now));
    } while (this.#tables.pending);
    return this.#take();
  }

  /**
   * Sends a message of a kind from 32 on; it leaves at `flush`, behind all that was written before it. False if
   * the peer has no live session. What it does not acknowledge before its session ends comes back with `peer-down`.
   */
  send(peer: Peer, kind: MessageKind, body: BinaryString): boolean {
    this.#fromTables(this.#tables.sendWritten());
    return this.#mesh.send(peer, kind, body) !== undefined;
  }

  /** See `Tables.settle`. */
  settle(now: Now, request: number): void {
    this.#tables.settle(now, request);
  }

  #fromMesh(now: Now, effects: readonly MeshEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "peer-up":
          this.#peers = [...this.#peers, effect.peer];
          this.#toTables(now, effect);
          this.#effects.push(effect);
          break;
        case "peer-down":
          this.#peers = this.#peers.filter((peer) => !samePeer(peer, effect.peer));
          this.#toTables(now, effect);
          this.#effects.push({ ...effect, undelivered: effect.undelivered.filter(isOthers) });
          break;
        case "message-received":
          if (isOthers(effect)) this.#effects.push(effect);
          else this.#toTables(now, effect);
          break;
        case "beat-received":
          this.#toTables(now, effect);
          break;
        case "queue-full":
        case "queue-drained":
          if (effect.queue === "tables") this.#toTables(now, effect);
          this.#effects.push(effect);
          break;
        case "dial":
        case "write":
        case "close":
        case "superseded":
        case "log":
          this.#effects.push(effect);
          break;
      }
    }
  }

  #toTables(now: Now, input: TablesInput): void {
    this.#fromTables(this.#tables.step(now, input));
  }

  #fromTables(effects: readonly TablesEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "send": {
          const { peer, session, kind, body, sync } = effect;
          const position = this.#mesh.send(peer, kind, body, session);
          if (sync !== undefined && position !== undefined) {
            this.#tables.sent(peer, sync, position);
          }
          break;
        }
        case "disconnect":
          this.#mesh.disconnect(effect.peer, effect.reason);
          break;
        case "partition-shown":
          this.#shown.push(effect);
          this.#effects.push(effect);
          break;
        case "record-changed":
          // Several messages may come in one step: whoever iterates what was shown sees the later ones, too.
          if (!this.#shown.some((shown) => isOf(shown, effect))) this.#effects.push(effect);
          break;
        case "settled":
        case "partition-hidden":
        case "peer-synced":
        case "log":
          this.#effects.push(effect);
          break;
      }
    }
  }

  #take(): readonly ClusterEffect[] {
    const effects = this.#effects;
    if (effects.length > 0) this.#effects = [];
    if (this.#shown.length > 0) this.#shown = [];
    return effects;
  }
}

function isOthers({ kind }: { readonly kind: MessageKind }): boolean {
  return kind >= firstOther;
}

function isOf(a: OfPartition, b: OfPartition): boolean {
  return a.table === b.table && samePeer(a.owner, b.owner);
}
