/** What one simulated process may show and say: the model beside a `Tables` machine. */
import type { TableRecord } from "../../src/cluster/partition.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import type { ReplicatedTable } from "../../src/cluster/table.ts";
import type { Tables, TablesEffect } from "../../src/cluster/tables.ts";

/** One write, as the model remembers it. */
export interface Written {
  readonly key: string;
  readonly value: string | undefined;
}

type ChangeEffect = Extract<
  TablesEffect,
  { type: "record-changed" | "partition-shown" | "partition-hidden" }
>;

export class ModelNode<T = Tables> {
  readonly counts = { shown: 0, changed: 0 };
  readonly peer: Peer;
  readonly tables: T;
  /** By table: everything this process has ever written, in order. */
  readonly history = new Map<string, Written[]>();
  /** By table and owner: what `record-changed` and its kin have told. */
  readonly told = new Map<string, Map<string, string>>();
  /** By table and owner: the last seq that was shown. */
  readonly shown = new Map<string, number>();
  readonly settling = new Map<number, ReadonlyMap<string, number>>();

  constructor(peer: Peer, tables: T) {
    this.peer = peer;
    this.tables = tables;
  }

  /** What it has written after so many of its operations. */
  truth(table: string, seq = Infinity): Map<string, string> {
    const history = this.history.get(table) ?? [];
    const last = Math.min(seq, history.length);
    const kept = this.#truths.get(table);
    // Readers move on together: going on from the last answer is mostly a step or two.
    const [from, state] =
      kept !== undefined && kept.seq <= last ? [kept.seq, new Map(kept.state)] : [0, new Map()];
    for (const { key, value } of history.slice(from, last)) {
      if (value === undefined) state.delete(key);
      else state.set(key, value);
    }
    this.#truths.set(table, { seq: last, state });
    return state;
  }
  readonly #truths = new Map<string, { seq: number; state: Map<string, string> }>();

  tell(effect: ChangeEffect): void {
    const { told } = this;
    const key = `${effect.table} ${effect.owner.boot}`;
    const records = told.get(key);
    if (effect.type === "partition-shown") {
      this.counts.shown += 1;
      if (records !== undefined) throw new Error("A partition was shown twice");
      const view = "records" in effect ? [...effect.records] : [];
      told.set(key, new Map(view.map((record) => [record.key, record.value])));
      return;
    }
    if (records === undefined) throw new Error(`${effect.type} of a partition that is not shown`);
    if ("records" in effect) {
      told.delete(key);
      return;
    }
    this.counts.changed += 1;
    const { key: name, before, after } = effect;
    if (records.get(name) !== before) throw new Error("What was before is not what was told");
    if (before === after) throw new Error("A change that changes nothing");
    if (after === undefined) records.delete(name);
    else records.set(name, after);
  }
}

/** Do all ways of reading a table say the same? */
export function checkReads(table: ReplicatedTable): void {
  const all = [...table.entries()];
  if (all.length !== table.size) throw new Error("size is wrong");
  const byIndex = new Map<string, number>();
  for (const record of all) {
    const index = table.options.indexBy?.(record.key, record.value);
    if (index !== undefined) {
      byIndex.set(index, (byIndex.get(index) ?? 0) + 1);
      if (!has(table.byIndex(index), record)) throw new Error("The index misses a record");
    }
    if (!has(table.get(record.key), record)) throw new Error("get() misses a record");
  }
  for (const [index, count] of byIndex) {
    if (table.byIndex(index).length !== count) throw new Error("The index is wrong");
  }
  if (table.byIndex("absent").length > 0) throw new Error("The index has what is not there");
}

/** Reads make a record anew each time; an owner's seq is in one record only. */
function has(records: readonly TableRecord[], { owner, key, value, seq }: TableRecord): boolean {
  return records.some((each) => {
    return each.owner === owner && each.key === key && each.value === value && each.seq === seq;
  });
}

export function same(
  what: string,
  actual: ReadonlyMap<string, string> | undefined,
  expected: ReadonlyMap<string, string>,
): void {
  const text = (map: ReadonlyMap<string, string>): string => JSON.stringify([...map].toSorted());
  if (actual === undefined) throw new Error(`${what}: nothing, not ${text(expected)}`);
  if (text(actual) !== text(expected)) {
    throw new Error(`${what}: ${text(actual)}, not ${text(expected)}`);
  }
}
