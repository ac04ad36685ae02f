/**
 * The contract of the database port over PostgreSQL, oldest and newest supported; and what only a real
 * server can do to us: stop, come back, kill a connection, be slow.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DatabaseInput, Statement } from "../../src/ports/database.ts";
import { query } from "../../src/ports/work.ts";
import type { Outcome } from "../../src/runtime/postgres-connection.ts";
import type { PostgresDatabase } from "../../src/runtime/postgres.ts";
import { insertAccount, selectAccount } from "../../src/storage/accounts.ts";
import { migrations } from "../../src/storage/migrations.ts";
import { databaseContract } from "../contracts/database-contract.ts";
import { discoveryContract } from "../contracts/discovery-contract.ts";
import { MemoryLog, TestPostgres } from "../support/postgres.ts";

const sleep: Statement<[number], { done: string }> = {
  name: "test_sleep",
  text: "SELECT 'yes' AS done FROM pg_sleep($1)",
};
const backend: Statement<[], { pid: number }> = {
  name: "test_backend",
  text: "SELECT pg_backend_pid() AS pid",
};

const inputOf = (outcome: Outcome): DatabaseInput =>
  outcome.ok
    ? { type: "query-answered", request: 1, results: outcome.results }
    : { type: "query-failed", request: 1, failure: outcome.failure, detail: outcome.detail };

/** Asks until it works; bounded by the test's own limit. */
async function untilBack(pool: PostgresDatabase): Promise<void> {
  while (!(await pool.ask([query(backend, [])])).ok) {
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

async function untilFull(server: TestPostgres, connections: number): Promise<void> {
  const count = "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'meerkat'";
  for (;;) {
    const [row] = await server.sql(`${count} AND state IS NOT NULL`);
    if (row?.["count"] === connections) return;
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

describe.each([15, 18] as const)("PostgreSQL %i", (version) => {
  const server = new TestPostgres(version);
  let pool: PostgresDatabase;

  beforeAll(async () => {
    await server.start();
    // Four nodes start at once: one migrates, nobody fails.
    const pools = [0, 1, 2, 3].map(() => server.pool());
    await Promise.all(pools.map((each) => each.connect()));
    await Promise.all(pools.slice(1).map((each) => each.close()));
    pool = pools[0] as PostgresDatabase;
  });
  afterAll(async () => {
    await pool.close();
    await server.remove();
  });

  databaseContract(`PostgreSQL ${version}`, () => ({
    ask: async (queries) => inputOf(await pool.ask(queries)),
  }));

  discoveryContract(`PostgreSQL ${version}`, () => ({
    ask: async (queries) => inputOf(await pool.ask(queries)),
    pass: (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds)),
  }));

  test("four nodes that start at once run each migration once", async () => {
    const rows = await server.sql("SELECT number FROM schema_migrations");
    expect(rows.map(({ number }) => number)).toEqual(migrations.map(({ number }) => number));
  });

  test("a statement over the limit is unavailable in time, and its neighbours are not harmed", async () => {
    const quick = server.pool({ query_timeout: 500, pool_size: 1 });
    await quick.connect();
    const begun = performance.now();
    expect(await quick.ask([query(sleep, [30])])).toMatchObject({ failure: "unavailable" });
    expect(performance.now() - begun).toBeLessThan(2_000);
    await untilBack(quick);
    await quick.close();
  });

  test("a request that comes too late to its turn does not take its connection with it", async () => {
    const single = server.pool({ query_timeout: 2_000, pool_size: 1 });
    await single.connect();
    const before = await single.ask([query(backend, [])]);
    const first = single.ask([query(sleep, [1.4])]);
    const second = single.ask([query(sleep, [1.4])]);
    expect(await first).toMatchObject({ ok: true });
    const behind = single.ask([query(backend, [])]);
    expect(await second).toMatchObject({ failure: "unavailable" });
    expect(await behind).toEqual(before); // of the very same backend
    await single.close();
  });

  test("a server process that hangs is given up within the limit, and replaced", async () => {
    const single = server.pool({ query_timeout: 500, pool_size: 1 });
    await single.connect();
    const found = await single.ask([query(backend, [])]);
    const pid = found.ok ? Number(found.results[0]?.[0]?.["pid"]) : 0;
    process.kill(pid, "SIGSTOP");
    try {
      expect(await single.ask([query(backend, [])])).toMatchObject({ failure: "unavailable" });
      await untilBack(single);
      expect(await single.ask([query(backend, [])])).not.toEqual(found);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await single.close();
  });

  test("more than max_queue waiting are refused at once, with the limit's name", async () => {
    const small = server.pool({ max_queue: 5, pool_size: 1, query_timeout: 3_000 });
    await small.connect();
    const slow = Array.from({ length: 60 }, () => small.ask([query(sleep, [0.02])]));
    const outcomes = await Promise.all(slow);
    const refused = outcomes.filter((each) => !each.ok);
    expect(outcomes.filter((each) => each.ok)).toHaveLength(32 + 5);
    for (const each of refused) {
      expect(each).toMatchObject({ failure: "unavailable" });
      expect("detail" in each && each.detail).toContain("max_queue = 5");
    }
    await small.close();
  });

  test("a list that fails early spoils no statement for those pipelined behind it", async () => {
    const single = server.pool({ pool_size: 1 });
    await single.connect();
    const [host, ann, bob] = ["behind.example", "ann", "bob"];
    const insert = (user: string) => query(insertAccount, [host, user]);
    const select = (user: string) => query(selectAccount, [host, user]);
    const outcomes = await Promise.all([
      single.ask([insert(ann), insert(ann), select(ann)]),
      single.ask([select(ann)]),
      single.ask([insert(bob), select(bob)]),
    ]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, true, true]);
    await single.close();
  });

  test("a connection that dies takes only its own requests with it", async () => {
    const log = new MemoryLog();
    const single = server.pool({ pool_size: 1 }, log);
    await single.connect();
    const found = await single.ask([query(backend, [])]);
    const pid = found.ok ? Number(found.results[0]?.[0]?.["pid"]) : 0;
    const waiting = single.ask([query(insertAccount, ["killed", "ann"]), query(sleep, [30])]);
    await server.sql(`SELECT pg_terminate_backend(${pid})`);
    expect(await waiting).toMatchObject({ failure: "unavailable" });
    await untilBack(single);
    const after = await single.ask([query(selectAccount, ["killed", "ann"])]);
    expect(after).toEqual({ ok: true, results: [[]] }); // lost before the commit: undone
    expect([log.count("database-lost"), log.count("database-back")]).toEqual([1, 1]);
    await single.close();
  });

  test("a stopped server costs errors only while it is away, and is told of once", async () => {
    const log = new MemoryLog();
    const answers: DatabaseInput[] = [];
    const pool3 = server.pool({ query_timeout: 2_000 }, log, (input) => void answers.push(input));
    await pool3.connect();
    const committed = new Set<string>();
    let asked = 0;
    let running = true;
    const load = (async () => {
      while (running) {
        const name = `user-${(asked += 1)}`;
        const outcome = await pool3.ask([query(insertAccount, [`load-${version}`, name])]);
        if (outcome.ok) committed.add(name);
        else await new Promise((wake) => setTimeout(wake, 5));
      }
    })();
    await pool.close();
    // A slot that was still being filled would be back for a moment while the server goes.
    await untilFull(server, server.config().pool_size);
    await server.stop();
    while (log.count("database-lost") === 0) await new Promise((wake) => setTimeout(wake, 5));
    pool3.query(77, [query(backend, [])]);
    expect(answers).toEqual([]); // never within the asker's turn
    await server.start();
    await untilBack(pool3);
    running = false;
    await load;
    expect(answers).toMatchObject([{ type: "query-failed", request: 77, failure: "unavailable" }]);
    expect([log.count("database-lost"), log.count("database-back")]).toEqual([1, 1]);
    const rows = await server.sql(`SELECT username FROM accounts WHERE host = 'load-${version}'`);
    const stored = new Set(rows.map(({ username }) => String(username)));
    expect([...committed].filter((name) => !stored.has(name))).toEqual([]);
    expect(committed.size).toBeGreaterThan(0);
    await pool3.close();
    pool = server.pool();
    await pool.connect();
  });

  test("after close nothing is sent any more", async () => {
    const closing = server.pool();
    await closing.connect();
    await closing.close();
    expect(await closing.ask([query(backend, [])])).toMatchObject({ failure: "unavailable" });
  });
});
