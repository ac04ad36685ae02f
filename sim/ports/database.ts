/**
 * Database of the simulator: pg-mem, called synchronously through prepared statements.
 *
 * One `SimulatedStore` is the data of one database server; it knows nothing of distance or failure
 * (`database-faults.ts`). A list of queries is atomic: it is undone by a backup taken before it. pg-mem
 * looks at every row for every question, so what was asked is remembered until its table is written.
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

interface Prepared {
  bind(values: readonly SqlValue[]): { executeAll(): { rows: readonly SqlRow[] } };
}

/** PostgreSQL's class 23: integrity constraint violations. */
const constraintViolation = /^23/;

/** The tables that a statement reads or writes. */
const tablesIn = /\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+([a-z_]+)/g;

/** Reads, and asks for no time. */
const isTimeless = /^SELECT(?!.*clock_timestamp)/s;

export class SimulatedStore implements DatabaseEngine {
  readonly #db: IMemoryDb;
  readonly #prepared = new Map<string, Prepared>();
  /** By table: what was answered since it was last written. */
  readonly #answers = new Map<string, Map<string, readonly SqlRow[]>>();
  /** By name of a statement. */
  readonly #tables = new Map<string, string>();

  /** With the schema in place; `now` is the database's own clock. */
  constructor(now: () => Timestamp) {
    this.#db = newDb({ noAstCoverageCheck: true });
    this.#db.public.registerFunction({
      name: "clock_timestamp",
      returns: DataType.timestamptz,
      implementation: () => dateOf(now()),
      impure: true,
    });
    this.#db.public.none(createMigrationTable);
    for (const { number, name, statements } of migrations) {
      for (const text of statements) this.#db.public.none(text);
      this.execute(0, [{ statement: insertMigration, values: [number, name] }]);
    }
  }

  execute(request: RequestId, queries: readonly Query[]): DatabaseInput {
    // Outside of what may be rejected: a statement of two tables is a mistake of ours.
    const tables = queries.map(({ statement }) => this.#tableOf(statement));
    const backup = queries.length > 1 ? this.#db.backup() : undefined;
    try {
      const results = queries.map((each, at) => this.#run(each, tables[at] ?? ""));
      return { type: "query-answered", request, results };
    } catch (error) {
      backup?.restore();
      this.#answers.clear();
      const failure = constraintViolation.test(codeOf(error)) ? "constraint" : "rejected";
      const detail = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "unknown";
      return { type: "query-failed", request, failure, detail };
    }
  }

  #run(asked: Query, table: string): readonly SqlRow[] {
    const { name, text } = asked.statement;
    if (!isTimeless.test(text)) {
      this.#answers.delete(table);
      return this.#execute(asked);
    }
    let known = this.#answers.get(table);
    if (known === undefined) this.#answers.set(table, (known = new Map()));
    const question = JSON.stringify([name, ...asked.values]);
    let answer = known.get(question);
    if (answer === undefined) known.set(question, (answer = this.#execute(asked)));
    return answer;
  }

  #tableOf({ name, text }: Query["statement"]): string {
    let table = this.#tables.get(name);
    if (table === undefined) this.#tables.set(name, (table = tableIn(text)));
    return table;
  }

  #execute({ statement, values }: Query): readonly SqlRow[] {
    const known = this.#prepared.get(statement.name);
    const prepared = known ?? (this.#db.public.prepare(statement.text) as unknown as Prepared);
    if (known === undefined) this.#prepared.set(statement.name, prepared);
    return prepared.bind(values).executeAll().rows;
  }
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
