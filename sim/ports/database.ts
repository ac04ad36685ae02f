/**
 * Database of the simulator: pg-mem, called synchronously through prepared statements.
 *
 * One `SimulatedStore` is the data of one database server; it knows nothing of distance or failure
 * (`database-faults.ts`). A list of queries is atomic: it is undone by a backup taken before it. pg-mem
 * looks at every row for every question, so rows are found by an index of ours where that will do
 * (`lookup.ts`), and what was asked is remembered until its table is written.
 */
import { DataType, newDb, type IMemoryDb } from "pg-mem";
import type { Timestamp } from "../../src/base/time.ts";
import type {
  DatabaseInput,
  Query,
  RequestId,
  SqlRow,
  SqlValue,
} from "../../src/ports/database.ts";
import { createMigrationTable, insertMigration, migrations } from "../../src/storage/migrations.ts";
import type { DatabaseEngine } from "./database-faults.ts";
import { Lookup, lookupIn, type LookupText } from "./lookup.ts";

interface Prepared {
  bind(values: readonly SqlValue[]): { executeAll(): { rows: readonly SqlRow[] } };
}

/** PostgreSQL's class 23: integrity constraint violations. */
const constraintViolation = /^23/;

/** The tables that a statement reads or writes. */
const tablesIn = /\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+([a-z_]+)/g;

/** Reads, and asks for no time. */
const isTimeless = /^SELECT(?!.*clock_timestamp)/s;

/** What is to be known of a statement before it is run. */
interface Kind {
  readonly table: string;
  readonly timeless: boolean;
  readonly lookup: LookupText | undefined;
}

const unknown: Kind = { table: "", timeless: false, lookup: undefined };

export class SimulatedStore implements DatabaseEngine {
  readonly #db: IMemoryDb;
  readonly #prepared = new Map<string, Prepared>();
  /** By table: what was answered since it was last written. */
  readonly #answers = new Map<string, Map<string, readonly SqlRow[]>>();
  /** By table, then by name of a statement; dropped with the answers. */
  readonly #lookups = new Map<string, Map<string, Lookup>>();
  /** By name of a statement. */
  readonly #kinds = new Map<string, Kind>();

  /** With the schema in place; `now` is the database's own clock. */
  constructor(now: () => Timestamp) {
    this.#db = newDb({ noAstCoverageCheck: true });
    this.#db.public.registerFunction({
      name: "clock_timestamp",
      returns: DataType.timestamptz,
      implementation: () => dateOf(now()),
      impure: true,
    });
    const { integer, float, interval } = DataType;
    this.#db.public.registerFunction({
      name: "make_interval",
      args: [...Array<DataType>(6).fill(integer), float],
      returns: interval,
      implementation: (...parts: readonly number[]) => ({ milliseconds: 1_000 * (parts[6] ?? 0) }),
    });
    this.#db.public.none(createMigrationTable);
    for (const { number, name, statements } of migrations) {
      for (const text of statements) this.#db.public.none(text);
      this.execute(0, [{ statement: insertMigration, values: [number, name] }]);
    }
  }

  execute(request: RequestId, queries: readonly Query[]): DatabaseInput {
    // Outside of what may be rejected: a statement of two tables is a mistake of ours.
    const kinds = queries.map(({ statement }) => this.#kindOf(statement));
    const backup = queries.length > 1 ? this.#db.backup() : undefined;
    try {
      const results = queries.map((each, at) => this.#run(each, kinds[at] ?? unknown));
      return { type: "query-answered", request, results };
    } catch (error) {
      backup?.restore();
      this.#answers.clear();
      this.#lookups.clear();
      const failure = constraintViolation.test(codeOf(error)) ? "constraint" : "rejected";
      const detail = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "unknown";
      return { type: "query-failed", request, failure, detail };
    }
  }

  #run(asked: Query, { table, timeless, lookup }: Kind): readonly SqlRow[] {
    if (!timeless) {
      this.#answers.delete(table);
      this.#lookups.delete(table);
      return this.#execute(asked.statement, asked.values);
    }
    const found = lookup && this.#lookup(asked.statement.name, table, lookup).rows(asked.values);
    if (found !== undefined) return found;
    const known = entry(this.#answers, table);
    const question = JSON.stringify([asked.statement.name, ...asked.values]);
    let answer = known.get(question);
    if (answer === undefined) {
      known.set(question, (answer = this.#execute(asked.statement, asked.values)));
    }
    return answer;
  }

  #lookup(name: string, table: string, text: LookupText): Lookup {
    const known = entry(this.#lookups, table);
    let index = known.get(name);
    if (index === undefined) {
      const all = this.#execute({ name: `all for ${name}`, text: text.whole }, []);
      known.set(name, (index = new Lookup(text, all)));
    }
    return index;
  }

  #kindOf({ name, text }: Query["statement"]): Kind {
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { table: tableIn(text), timeless: isTimeless.test(text), lookup: lookupIn(text) };
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  #execute({ name, text }: Query["statement"], values: readonly SqlValue[]): readonly SqlRow[] {
    const known = this.#prepared.get(name);
    const prepared = known ?? (this.#db.public.prepare(text) as unknown as Prepared);
    if (known === undefined) this.#prepared.set(name, prepared);
    return prepared.bind(values).executeAll().rows;
  }
}

/** What is in the inner map of this table. */
function entry<T>(all: Map<string, Map<string, T>>, table: string): Map<string, T> {
  let known = all.get(table);
  if (known === undefined) all.set(table, (known = new Map()));
  return known;
}

/** Answers are dropped by table: a statement of two would be answered by what has changed since. */
export function tableIn(text: string): string {
  const [table, ...others] = new Set([...text.matchAll(tablesIn)].map((found) => found[1]));
  if (table !== undefined && others.length === 0) return table;
  throw new TypeError(`Not of one table: ${text}`);
}

/** pg-mem's own type for a moment; a given one, not the platform's clock. */
// oxlint-disable-next-line no-restricted-globals, no-restricted-types
const dateOf = (at: Timestamp): Date => new Date(at);

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  if ("data" in error) return codeOf(error.data);
  return "";
}
