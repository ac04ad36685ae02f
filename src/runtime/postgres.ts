/**
 * PostgresDatabase: the database port over a pool of pipelined connections.
 *
 *     asked -> waiting --[a connection has room]--> sent -> answered
 *
 * Every request is answered within `query_timeout`, though it may have been sent and be run later: a server
 * that is slow cancels each statement in time (`statement_timeout`), so its connection is kept, and the late
 * answer dropped. One that is silent for longer than any statement may take is given up, with all that was
 * sent to it. While no connection can be made, requests fail at once; each
 * slot tries again, ever less often up to every `retryMaxMs`.
 */
import type { Database, DatabaseInput, Query, RequestId } from "../ports/database.ts";
import type { Log } from "../ports/log.ts";
import type { Work, WorkAnswer, WorkRequest } from "../ports/work.ts";
import type { Config } from "../server/config.ts";
import * as storageSchema from "../storage/migrations.ts";
import { deriveKey } from "./crypto.ts";
import { PostgresConnection, reasonOf, type Outcome, type Settle } from "./postgres-connection.ts";
import { migrate, type Schema } from "./postgres-migrations.ts";

/** Requests on one connection at once: bounds how many one slow statement holds up. */
const pipelineMax = 32;
const retryMinMs = 100;
const retryMaxMs = 5_000;
const endGraceMs = 2_000;

interface Request {
  readonly queries: readonly Query[];
  readonly settle: Settle;
  timer: NodeJS.Timeout | undefined;
  connection: PostgresConnection | undefined;
  settled: boolean;
}

export class PostgresDatabase implements Database {
  readonly #options: Config["rdbms"];
  readonly #answer: (input: DatabaseInput) => void;
  readonly #log: Log;
  readonly #connections = new Set<PostgresConnection>();
  readonly #retries = new Set<NodeJS.Timeout>();
  readonly #connecting = new Set<Promise<void>>();
  readonly #waiting: Request[] = [];
  /** Why nothing can be asked: no connection, and the last attempt to make one failed. */
  #down: string | undefined = "not connected yet";
  #lostAt: number | undefined;
  #closed = false;

  constructor(options: Config["rdbms"], answer: (input: DatabaseInput) => void, log: Log) {
    this.#options = options;
    this.#answer = answer;
    this.#log = log;
  }

  /** Brings the schema up to date, then opens the pool; rejects if the database cannot be reached. */
  async connect(schema: Schema = storageSchema): Promise<void> {
    const ran = await migrate(this.#options, schema);
    if (ran.length > 0) this.#log.write("info", "schema-migrated", { migrations: ran.join(" ") });
    this.#enter(await this.#openConnection());
    for (let slot = 1; slot < this.#options.pool_size; slot += 1) this.#fill(retryMinMs);
  }

  /**
   * As `connect`, but a database that is away is no failure: requests fail until it is there. Rejects where
   * waiting would not help, such as for a wrong password.
   */
  async connectOrRetry(schema: Schema = storageSchema): Promise<void> {
    try {
      await this.connect(schema);
    } catch (error) {
      if (!isOutage(error)) throw error;
      const { host, port } = this.#options;
      this.#down = reasonOf(error);
      this.#lostAt = performance.now();
      const advice = `trying again up to every ${retryMaxMs / 1_000} s; is PostgreSQL running?`;
      this.#log.write("error", "database-away", { host, port, reason: this.#down, advice });
      this.#connectLater(schema, retryMinMs);
    }
  }

  /** Requests under way are answered; those that wait are not sent any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const retry of this.#retries) clearTimeout(retry);
    this.#refuseWaiting("the pool is closed");
    await Promise.all(this.#connecting);
    await Promise.all([...this.#connections].map((each) => each.end(endGraceMs)));
    this.#connections.clear();
  }

  query(request: RequestId, queries: readonly Query[]): void {
    this.#ask(queries, (outcome) => {
      if (outcome.ok) {
        this.#answer({ type: "query-answered", request, results: outcome.results });
      } else {
        const { failure, detail } = outcome;
        this.#answer({ type: "query-failed", request, failure, detail });
      }
    });
  }

  /** For the command line, which may wait. */
  ask(queries: readonly Query[]): Promise<Outcome> {
    return new Promise((resolve) => this.#ask(queries, resolve));
  }

  #ask(queries: readonly Query[], settle: Settle): void {
    const request: Request = {
      ...{ queries, settle, timer: undefined, connection: undefined, settled: false },
    };
    const refused = this.#closed ? "the pool is closed" : (this.#down ?? this.#overflow());
    if (refused !== undefined) {
      setImmediate(() => finish(request, unavailable(refused))); // never within the asker's turn
      return;
    }
    request.timer = setTimeout(() => this.#expire(request), this.#options.query_timeout);
    this.#waiting.push(request);
    this.#send();
  }

  #overflow(): string | undefined {
    const { max_queue } = this.#options;
    if (this.#waiting.length < max_queue) return undefined;
    return `${max_queue} requests wait for the database, the maximum is max_queue = ${max_queue}`;
  }

  #send(): void {
    for (;;) {
      while (this.#waiting[0]?.settled === true) this.#waiting.shift();
      const connection = this.#waiting.length > 0 ? this.#leastBusy() : undefined;
      if (connection === undefined) return;
      const request = this.#waiting.shift();
      if (request === undefined) return;
      request.connection = connection;
      connection.run(request.queries, (outcome) => {
        finish(request, outcome);
        this.#send();
      });
    }
  }

  #leastBusy(): PostgresConnection | undefined {
    let best: PostgresConnection | undefined;
    for (const each of this.#connections) {
      if (each.openCount < (best?.openCount ?? pipelineMax)) best = each;
    }
    return best;
  }

  #expire(request: Request): void {
    const limit = `no answer within query_timeout = ${this.#options.query_timeout} ms`;
    finish(request, unavailable(limit));
    request.connection?.destroyIfSilent(limit);
    this.#send();
  }

  #refuseWaiting(reason: string): void {
    for (const request of this.#waiting.splice(0)) finish(request, unavailable(reason));
  }

  async #openConnection(): Promise<PostgresConnection> {
    let known: PostgresConnection | undefined;
    let lostEarly: string | undefined;
    const connection = await PostgresConnection.open(this.#options, (reason) => {
      if (known === undefined) lostEarly = reason;
      else this.#leave(known, reason);
    });
    if (lostEarly !== undefined) throw new Error(lostEarly);
    known = connection;
    return connection;
  }

  #connectLater(schema: Schema, retryMs: number): void {
    const retry = setTimeout(
      () => {
        this.#retries.delete(retry);
        const attempt = this.connect(schema).catch((error: unknown) => {
          if (this.#closed) return;
          this.#down = reasonOf(error);
          this.#connectLater(schema, Math.min(2 * retryMs, retryMaxMs));
        });
        this.#connecting.add(attempt);
        void attempt.finally(() => this.#connecting.delete(attempt));
      },
      retryMs * (0.5 + Math.random() / 2),
    );
    this.#retries.add(retry);
  }

  /** Fills one slot; tries until it works or the pool is closed. */
  #fill(retryMs: number): void {
    const attempt = this.#openConnection().then(
      (connection) => {
        if (this.#closed) return connection.end(endGraceMs);
        return this.#enter(connection);
      },
      (error: unknown) => {
        if (this.#closed) return;
        if (this.#connections.size === 0) {
          this.#down = reasonOf(error);
          this.#refuseWaiting(this.#down);
        }
        // Slots that lost their connections together should not come back together.
        const retry = setTimeout(
          () => {
            this.#retries.delete(retry);
            this.#fill(Math.min(2 * retryMs, retryMaxMs));
          },
          retryMs * (0.5 + Math.random() / 2),
        );
        this.#retries.add(retry);
      },
    );
    this.#connecting.add(attempt);
    void attempt.finally(() => this.#connecting.delete(attempt));
  }

  #enter(connection: PostgresConnection): void {
    this.#connections.add(connection);
    this.#down = undefined;
    if (this.#lostAt !== undefined) {
      const awayMs = Math.round(performance.now() - this.#lostAt);
      this.#lostAt = undefined;
      this.#log.write("info", "database-back", { awayMs });
    }
    this.#send();
  }

  #leave(connection: PostgresConnection, reason: string): void {
    this.#connections.delete(connection);
    if (this.#closed) return;
    if (this.#connections.size === 0 && this.#lostAt === undefined) {
      this.#lostAt = performance.now();
      const { host, port } = this.#options;
      const advice = `trying again up to every ${retryMaxMs / 1_000} s; is PostgreSQL running?`;
      this.#log.write("error", "database-lost", { host, port, reason, advice });
    }
    this.#fill(retryMinMs);
  }
}

/** Classes of SQLSTATE: connection exceptions, too few resources, shutting down or starting, I/O errors. */
const outageStates = /^(?:08|53|57|58)/;

/** No SQLSTATE at all: nobody answered. */
function isOutage(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return !/^[0-9A-Z]{5}$/.test(code) || !/\d/.test(code) || outageStates.test(code);
}

function finish(request: Request, outcome: Outcome): void {
  if (request.settled) return;
  request.settled = true;
  clearTimeout(request.timer);
  request.settle(outcome);
}

function unavailable(detail: string): Outcome {
  return { ok: false, failure: "unavailable", detail };
}

/** Runs a piece of work to its end, waiting for the world: for the command line. */
export async function runWork<T>(
  work: Work<T>,
  database: Pick<PostgresDatabase, "ask">,
): Promise<T> {
  let step = work.next();
  while (step.done !== true) step = work.next(await answerTo(step.value, database));
  return step.value;
}

async function answerTo(
  request: WorkRequest,
  database: Pick<PostgresDatabase, "ask">,
): Promise<WorkAnswer> {
  switch (request.type) {
    case "query": {
      const outcome = await database.ask(request.queries);
      if (outcome.ok) return { type: "rows", results: outcome.results };
      return { type: "failed", failure: outcome.failure, detail: outcome.detail };
    }
    case "derive-key":
      return { type: "key", key: await deriveKey(request.derivation) };
    case "challenge":
      throw new TypeError("there is no client to challenge");
    case "resolve":
    case "read-file":
      throw new TypeError("commands neither resolve names nor read lists of nodes");
  }
}
