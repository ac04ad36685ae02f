/**
 * Lookup: which rows have these texts in these columns?
 *
 * pg-mem looks at every row for every prepared question. A statement that asks for nothing but the rows
 * whose columns are equal to its parameters is answered from an index instead: all rows, read from pg-mem
 * once, by the texts in those columns. Whoever holds an index drops it when its table is written. Rows
 * come in the order in which pg-mem gives all of them.
 */
import type { SqlRow, SqlValue } from "../../src/ports/database.ts";

/** What a statement of this kind asks for. */
export interface LookupText {
  /** The statement that reads all rows, with what is asked for and what they are found by. */
  readonly whole: string;
  readonly asked: readonly string[];
  /** Of each condition, the column and which parameter it is equal to. */
  readonly conditions: readonly { readonly column: string; readonly parameter: number }[];
}

const lookup =
  /^SELECT ([a-z_]+(?:, [a-z_]+)*)\s+FROM ([a-z_]+)\s+WHERE ([a-z_]+ = \$\d+(?: AND [a-z_]+ = \$\d+)*)$/;
const condition = /([a-z_]+) = \$(\d+)/g;

/** Undefined for every other statement. */
export function lookupIn(text: string): LookupText | undefined {
  const [, columns, table, where] = lookup.exec(text) ?? [];
  if (columns === undefined || table === undefined || where === undefined) return undefined;
  const asked = columns.split(", ");
  const conditions = [...where.matchAll(condition)].map(([, column = "", number]) => ({
    column,
    parameter: Number(number) - 1,
  }));
  const read = new Set([...asked, ...conditions.map(({ column }) => column)]);
  return { whole: `SELECT ${[...read].join(", ")} FROM ${table}`, asked, conditions };
}

export class Lookup {
  readonly #text: LookupText;
  readonly #rows = new Map<string, SqlRow[]>();

  constructor(text: LookupText, all: readonly SqlRow[]) {
    this.#text = text;
    for (const row of all) {
      const key = keyOf(text.conditions.map(({ column }) => row[column]));
      // What is no text, no text is equal to.
      if (key === undefined) continue;
      const others = this.#rows.get(key);
      if (others === undefined) this.#rows.set(key, [row]);
      else others.push(row);
    }
  }

  /** Undefined where a parameter is no text: only the database knows what that is equal to. */
  rows(values: readonly SqlValue[]): readonly SqlRow[] | undefined {
    const key = keyOf(this.#text.conditions.map(({ parameter }) => values[parameter]));
    if (key === undefined) return undefined;
    return (this.#rows.get(key) ?? []).map((row) => this.#askedOf(row));
  }

  #askedOf(row: SqlRow): SqlRow {
    return Object.fromEntries(this.#text.asked.map((column) => [column, row[column] ?? null]));
  }
}

/** Each with its length, so that no two lists have one key. */
function keyOf(texts: readonly unknown[]): string | undefined {
  let key = "";
  for (const text of texts) {
    if (typeof text !== "string") return undefined;
    key += `${text.length} ${text}`;
  }
  return key;
}
