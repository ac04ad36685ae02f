/**
 * Tables: how do the tables of all nodes come to show the same?
 */
import { assert } from "../base/assert.ts";
import type { BinaryString } from "../base/bytes.ts";
import type { Instant, Now } from "../base/time.ts";
import type { Message } from "./messages.ts";
import type { Peer } from "./peer.ts";
import { ReplicatedTable } from "./table.ts";
import {
  tablesLimits,
  type TablesEffect,
  type TablesInput,
  type TablesOptions,
  type TableStatus,
} from "./tables-contract.ts";

export * from "./tables-contract.ts";

export class Tables {
  readonly #tables = new Map<string, ReplicatedTable>();
  #effects: TablesEffect[] = [];

  constructor(options: TablesOptions) {
    for (const table of options.tables) {
      const limits = options.limits ?? tablesLimits;
      this.#tables.set(table.name, new ReplicatedTable(options.self, table, limits));
    }
  }

  table(name: string): ReplicatedTable {
    const table = this.#tables.get(name);
    assert(table !== undefined, `There is no replicated table ${name}`);
    return table;
  }

  /** When `step` must next be called, whatever else happens. */
  deadline(): Instant | undefined {
    return undefined;
  }

  step(_now: Now, _input: TablesInput): readonly TablesEffect[] {
    return this.#take();
  }

  /** The end of a core step: what was written leaves. Call again while `pending`, after `pull`. */
  flush(_now: Now): readonly TablesEffect[] {
    return this.#take();
  }

  get pending(): boolean {
    return this.#effects.length > 0;
  }

  /**
   * One `settled` effect comes when every record written so far is visible at each peer that follows its
   * table now, at the latest after `settleTimeout`.
   */
  settle(_now: Now, request: number): void {
    this.#effects.push({
      type: "settled",
      request,
      visibleAt: [],
      missing: [],
      lost: [],
      skipped: [],
    });
  }

  /** What rides on each heartbeat to this peer. */
  beatBody(_peer: Peer): BinaryString {
    return "";
  }

  /** The next chunk for a peer, read from the live table now. See `ChunkSource`. */
  pull(_peer: Peer, _messagesWritten: number): Message | undefined {
    return undefined;
  }

  /** Whether `pull` would find something. */
  ready(_peer: Peer): boolean {
    return false;
  }

  /** At which position a `send` effect with `sync` went out. */
  sent(_peer: Peer, _sync: number, _position: number): void {}

  /** Are all tables that we share with this peer caught up here? */
  synced(_peer: Peer): boolean {
    return false;
  }

  status(): readonly TableStatus[] {
    return [];
  }

  #take(): readonly TablesEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
