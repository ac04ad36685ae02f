/**
 * PostgresConnection: how does one connection carry many requests at once?
 *
 * Requests are pipelined: sent without waiting for the answers before them. A list of queries goes out
 * as BEGIN … COMMIT in one piece, so that nothing can come between; when one of them fails PostgreSQL
 * answers the COMMIT by rolling back. Whoever asked is told exactly once, also when the connection is
 * lost: what it did not hear of is `unavailable`, for the commit may have happened.
 */
import { Socket } from "node:net";
import { Client, type QueryResult } from "pg";
import type { DatabaseFailure, Query, SqlRow, SqlValue } from "../ports/database.ts";
import type { Config } from "../server/config.ts";

export type Outcome =
  | { readonly ok: true; readonly results: readonly (readonly SqlRow[])[] }
  | { readonly ok: false; readonly failure: DatabaseFailure; readonly detail: string };

export type Settle = (outcome: Outcome) => void;

/** Shares of `query_timeout`: what a statement may take, and after what silence the server hangs. */
const statementShare = 0.9;
const silenceShare = 0.95;

export class PostgresConnection {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #onLost: (reason: string) => void;
  readonly #silenceMaxMs: number;
  readonly #open = new Set<Settle>();
  /** When the server said something last, or was asked something after all had been answered. */
  #heardAt = 0;
  #lost = false;

  private constructor(
    client: Client,
    socket: Socket,
    queryTimeout: number,
    onLost: (reason: string) => void,
  ) {
    this.#client = client;
    this.#socket = socket;
    this.#silenceMaxMs = silenceShare * queryTimeout;
    this.#onLost = onLost;
  }

  /** `onLost` is called once, after all who wait have been told; not for `end`. */
  static async open(
    options: Config["rdbms"],
    onLost: (reason: string) => void,
  ): Promise<PostgresConnection> {
    const socket = new Socket();
    const { query_timeout } = options;
    const client = newClient(options, socket, Math.ceil(statementShare * query_timeout));
    const connection = new PostgresConnection(client, socket, query_timeout, onLost);
    client.on("error", (error) => connection.#lose(reasonOf(error)));
    client.on("end", () => connection.#lose("the server closed the connection"));
    try {
      await client.connect();
    } catch (error) {
      socket.destroy();
      throw error;
    }
    socket.on("data", () => (connection.#heardAt = performance.now()));
    return connection;
  }

  /** Requests without an answer; a lost connection has no room for more. */
  get openCount(): number {
    return this.#lost ? Infinity : this.#open.size;
  }

  run(queries: readonly Query[], settle: Settle): void {
    const once: Settle = (outcome) => {
      if (this.#open.delete(once)) settle(outcome);
    };
    if (this.#open.size === 0) this.#heardAt = performance.now();
    this.#open.add(once);
    const done = (error: unknown, results: readonly (readonly SqlRow[])[]): void => {
      if (!this.#open.has(once)) return;
      if (error === undefined) return once({ ok: true, results });
      once({ ok: false, failure: failureOf(error), detail: reasonOf(error) });
    };
    const [only] = queries;
    if (only === undefined) return done(undefined, []);
    if (queries.length > 1) return this.#transaction(queries, done);
    const { statement, values } = only;
    const prepared = { name: statement.name, text: statement.text, values: [...values] };
    this.#client.query(prepared, (error: unknown, result?: QueryResult<SqlRow>) =>
      done(error ?? undefined, [result?.rows ?? []]),
    );
  }

  /** Gives up on the server if it hangs, or the network does; not if it is only slow. */
  destroyIfSilent(reason: string): void {
    if (performance.now() - this.#heardAt >= this.#silenceMaxMs) this.#lose(reason);
  }

  /** Waits for the answers under way, but not for ever. */
  async end(graceMs: number): Promise<void> {
    const limit = setTimeout(() => this.#lose("the connection did not end in time"), graceMs);
    this.#client.removeAllListeners("end");
    await new Promise<void>((resolve) => {
      this.#socket.once("close", () => resolve());
      if (this.#socket.destroyed) resolve();
      this.#client.end().catch(() => undefined);
    });
    clearTimeout(limit);
  }

  #transaction(
    queries: readonly Query[],
    done: (error: unknown, results: readonly (readonly SqlRow[])[]) => void,
  ): void {
    const results: (readonly SqlRow[])[] = [];
    let failed: unknown;
    this.#client.query("BEGIN", (error: unknown) => {
      // What follows was sent already and is no transaction now: no more than "unknown" can be said.
      if (error) this.#lose(`BEGIN failed: ${reasonOf(error)}`);
    });
    for (const each of queries) {
      // Without a name: in a transaction that fails early it is never parsed, and those pipelined behind
      // it, which count on the name, would fail too.
      const unnamed = { text: each.statement.text, values: [...each.values] };
      this.#client.query(unnamed, (error: unknown, result?: QueryResult<SqlRow>) => {
        if (error) failed ??= error;
        else results.push(result?.rows ?? []);
      });
    }
    this.#client.query("COMMIT", (error: unknown) => done(failed ?? error ?? undefined, results));
  }

  #lose(reason: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#socket.destroy();
    for (const settle of this.#open) settle({ ok: false, failure: "unavailable", detail: reason });
    this.#onLost(reason);
  }
}

/** With types as the port promises them: text for what JavaScript has no exact type for. */
export function newClient(
  options: Config["rdbms"],
  socket: Socket,
  statementTimeoutMs: number | undefined,
): Client {
  const { host, port, database, username, password, query_timeout } = options;
  return new Client({
    ...{ host, port, database, user: username, password },
    application_name: "meerkat",
    pipeline: true,
    keepAlive: true,
    connectionTimeoutMillis: query_timeout,
    ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
    stream: () => socket,
    types: { getTypeParser: (type: number) => parsers.get(type) ?? asText },
  } as ConstructorParameters<typeof Client>[0]);
}

const asText = (text: string): SqlValue => text;
/** By type number (pg_type.oid): bool, bytea, int2, int4, oid, float4, float8. */
const parsers = new Map<number, (text: string) => SqlValue>([
  [16, (text) => text === "t"],
  [17, (text) => Buffer.from(text.slice(2), "hex")],
  ...[21, 23, 26, 700, 701].map((type) => [type, Number] as const),
]);

/** PostgreSQL's appendix A: which errors mean that the server is away rather than that it refuses? */
export function failureOf(error: unknown): DatabaseFailure {
  const code = codeOf(error);
  if (code === "23505" || code === "23503") return "constraint"; // unique, foreign key
  if (!/^[0-9A-Z]{5}$/.test(code)) return "unavailable"; // not the server's word: the connection's
  // 08 connection, 53 resources, 57 operator intervention, among it statement timeout, 58 system
  return /^(08|53|57|58)/.test(code) ? "unavailable" : "rejected";
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
