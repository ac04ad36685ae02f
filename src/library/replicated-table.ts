/**
 * Replicated table: a table of the cluster for programs that are not Meerkat.
 *
 * Text in, text out, over the table that the server's session directory lives on
 * (`cluster/table.ts`). Reads are local; a write is seen here at once and by the others as soon as
 * the turn has ended. Who wrote a record alone may change it: two members may have a record under one
 * key, and a read gives both.
 */
import { binaryFromText, textFromBinary } from "../base/bytes.ts";
import type { TableRecord } from "../cluster/partition.ts";
import type { Peer } from "../cluster/peer.ts";
import type { ReplicatedTable as ClusterTable } from "../cluster/table.ts";

export interface TableEntry {
  readonly owner: Peer;
  readonly key: string;
  readonly value: string;
}

export class ReplicatedTable {
  readonly #table: ClusterTable;
  readonly #wrote: () => void;

  /** Made by `joinCluster`. */
  constructor(table: ClusterTable, wrote: () => void) {
    this.#table = table;
    this.#wrote = wrote;
  }

  get name(): string {
    return this.#table.name;
  }

  /** Records of all members that are visible here. */
  get size(): number {
    return this.#table.size;
  }

  put(key: string, value: string): void {
    this.#table.put(binaryFromText(key), binaryFromText(value));
    this.#wrote();
  }

  /** Deletes this member's own record; false if there is none. */
  delete(key: string): boolean {
    const deleted = this.#table.delete(binaryFromText(key));
    if (deleted) this.#wrote();
    return deleted;
  }

  has(key: string): boolean {
    return this.#table.first(binaryFromText(key)) !== undefined;
  }

  /** A value of that key, this member's own if it has one. */
  first(key: string): string | undefined {
    return this.#table.first(binaryFromText(key))?.valueText;
  }

  /** All values of that key, at most one a member. */
  get(key: string): readonly TableEntry[] {
    return this.#table.get(binaryFromText(key)).map((record) => {
      return { owner: record.owner, key, value: record.valueText };
    });
  }

  /** All records with this index key, as `indexBy` of the table's options says. */
  byIndex(key: string): readonly TableEntry[] {
    return this.#table.byIndex(binaryFromText(key)).map(entryOf);
  }

  *entries(): IterableIterator<TableEntry> {
    for (const record of this.#table.entries()) yield entryOf(record);
  }
}

function entryOf({ owner, key, valueText }: TableRecord): TableEntry {
  return { owner, key: textFromBinary(key), value: valueText };
}
