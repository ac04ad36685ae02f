/**
 * Contract of the discovery rows: what registering, refreshing and removing promise, whichever engine
 * executes the statements. Run over pg-mem and over PostgreSQL.
 */
import { expect, test } from "vitest";
import type { DatabaseInput, Query } from "../../src/ports/database.ts";
import { query, QueryFailed, type Work, type WorkAnswer } from "../../src/ports/work.ts";
import {
  discoveryStatements,
  insertNode,
  list,
  nodeNumberMax,
  refresh,
  register,
  remove,
  type NodeIdentity,
} from "../../src/storage/discovery.ts";

export interface DiscoverySubject {
  ask(queries: readonly Query[]): Promise<DatabaseInput>;
  /** Lets the database's clock go on. */
  pass(milliseconds: number): Promise<void>;
}

export function discoveryContract(name: string, subject: () => DiscoverySubject): void {
  /** Each test has a cluster of its own, so that none sees another's rows. */
  let clusters = 0;
  const freshCluster = (): string => `cluster-${(clusters += 1)}`;
  const hour = 3_600_000;

  const node = (cluster: string, called: string, boot = `boot of ${called}`): NodeIdentity => ({
    ...{ cluster, name: called, boot },
    address: `${called}.example:7000`,
  });

  async function answerTo(queries: readonly Query[]): Promise<WorkAnswer> {
    const input = await subject().ask(queries);
    if (input.type === "query-answered") return { type: "rows", results: input.results };
    return { type: "failed", failure: input.failure, detail: input.detail };
  }

  /** `between`: called before each request is sent. */
  async function run<T>(work: Work<T>, between?: () => Promise<unknown>): Promise<T> {
    let step = work.next();
    while (step.done !== true) {
      if (step.value.type !== "query") throw new TypeError(step.value.type);
      await between?.();
      step = work.next(await answerTo(step.value.queries));
    }
    return step.value;
  }

  test(`${name}: nodes get the lowest free numbers from 1, and a name keeps its own`, async () => {
    const cluster = freshCluster();
    for (const [at, called] of ["c", "a", "b"].entries()) {
      const outcome = await run(register(node(cluster, called), undefined, 1_700_000_000_000));
      expect(outcome).toEqual({
        ...{ type: "registered", incarnation: 1_700_000_000_000, number: at + 1 },
      });
    }
    await run(remove(node(cluster, "a")));
    expect(await run(register(node(cluster, "d"), undefined, 5))).toMatchObject({ number: 2 });
    const again = node(cluster, "b", "another boot");
    expect(await run(register(again, undefined, 1_700_000_000_001))).toMatchObject({ number: 3 });
    expect((await run(list(cluster))).map((row) => `${row.name} ${row.number}`)).toEqual([
      ...["b 3", "c 1", "d 2"],
    ]);
  });

  test(`${name}: a row comes back as it was written, large incarnations exactly`, async () => {
    const cluster = freshCluster();
    const incarnation = Number.MAX_SAFE_INTEGER - 1;
    await run(register(node(cluster, "ünï 'quoted'"), undefined, incarnation));
    expect(await run(list(cluster))).toEqual([
      {
        name: "ünï 'quoted'",
        address: "ünï 'quoted'.example:7000",
        ...{ number: 1, incarnation, boot: "boot of ünï 'quoted'" },
      },
    ]);
  });

  test(`${name}: a new process of a name is above the last one, whatever its clock says`, async () => {
    const cluster = freshCluster();
    await run(register(node(cluster, "a", "1"), undefined, 5_000));
    const second = await run(register(node(cluster, "a", "2"), undefined, 3_000));
    expect(second).toEqual({ type: "registered", incarnation: 5_001, number: 1 });
    expect(await run(register(node(cluster, "a", "3"), undefined, 9_000))).toMatchObject({
      incarnation: 9_000,
    });
  });

  test(`${name}: registering twice changes nothing, for the first answer may be lost`, async () => {
    const cluster = freshCluster();
    const first = await run(register(node(cluster, "a"), undefined, 5_000));
    expect(await run(register(node(cluster, "a"), undefined, 7_000))).toEqual(first);
  });

  test(`${name}: a process whose row a later one has is superseded, and takes nothing back`, async () => {
    const cluster = freshCluster();
    const old = node(cluster, "a", "old");
    await run(register(old, undefined, 5_000));
    await run(register(node(cluster, "a", "new"), undefined, 6_000));
    const rowsAfter = await run(list(cluster));
    expect(await run(refresh(old, hour))).toMatchObject({ refreshed: false });
    expect(await run(register(old, 5_000, 9_000))).toMatchObject({
      ...{ type: "superseded", by: { boot: "new", incarnation: 6_000 } },
    });
    await run(remove(old));
    expect(await run(list(cluster))).toEqual(rowsAfter);
  });

  test(`${name}: a process that lost its row registers again as who it was`, async () => {
    const cluster = freshCluster();
    await run(register(node(cluster, "a"), undefined, 5_000));
    await run(remove(node(cluster, "a")));
    expect(await run(register(node(cluster, "a"), 5_000, 9_000))).toEqual({
      ...{ type: "registered", incarnation: 5_000, number: 1 },
    });
  });

  test(`${name}: a number taken between the look and the write is left to the quicker one`, async () => {
    const cluster = freshCluster();
    expect(await run(register(node(cluster, "first"), undefined, 1))).toMatchObject({ number: 1 });
    // The quick one comes between the slow one's look and its write.
    let requests = 0;
    const slow = await run(register(node(cluster, "slow"), undefined, 1), async () => {
      requests += 1;
      if (requests === 2) await run(register(node(cluster, "quick"), undefined, 1));
    });
    expect(slow).toMatchObject({ type: "registered", number: 3 });
    expect((await run(list(cluster))).map(({ number }) => number).toSorted()).toEqual([1, 2, 3]);
  });

  test(`${name}: of two processes with one name that start at once, both learn who is later`, async () => {
    const cluster = freshCluster();
    const [one, two] = [node(cluster, "a", "one"), node(cluster, "a", "two")];
    let requests = 0;
    const first = await run(register(one, undefined, 10), async () => {
      requests += 1;
      if (requests === 2) await run(register(two, undefined, 10));
    });
    expect(first).toMatchObject({ type: "registered", incarnation: 11 });
    expect(await run(register(two, 10, 10))).toMatchObject({ type: "superseded" });
  });

  test(`${name}: ten nodes that start at once have ten numbers, and the last one sees all`, async () => {
    const cluster = freshCluster();
    const names = Array.from({ length: 10 }, (_, at) => `node-${at}`);
    const numbers = await Promise.all(
      names.map(async (called) => {
        for (;;) {
          try {
            return await run(register(node(cluster, called), undefined, 1));
          } catch (error) {
            if (!(error instanceof QueryFailed)) throw error; // as the machine: try again
          }
        }
      }),
    );
    const sorted = numbers.map((each) => (each.type === "registered" ? each.number : 0));
    expect(sorted.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await run(refresh(node(cluster, "node-0"), hour))).nodes).toHaveLength(10);
  });

  test(`${name}: rows that nobody refreshed are removed, by the database's clock`, async () => {
    const cluster = freshCluster();
    await run(register(node(cluster, "silent"), undefined, 1));
    await run(register(node(cluster, "alive"), undefined, 1));
    await subject().pass(700);
    const alive = await run(refresh(node(cluster, "alive"), 600));
    expect(alive.nodes.map((row) => row.name)).toEqual(["alive"]);
    expect(alive.refreshed).toBe(true);
    expect(await run(refresh(node(cluster, "silent"), hour))).toMatchObject({ refreshed: false });
    await subject().pass(700);
    // Its own row is refreshed before the old ones go.
    expect(await run(refresh(node(cluster, "alive"), 600))).toMatchObject({ refreshed: true });
  });

  test(`${name}: clusters in one database see nothing of each other`, async () => {
    const [one, two] = [freshCluster(), freshCluster()];
    await run(register(node(one, "a"), undefined, 1));
    expect(await run(register(node(two, "a"), undefined, 1))).toMatchObject({ number: 1 });
    await subject().pass(20);
    await run(refresh(node(two, "a"), 1));
    await run(remove(node(two, "a")));
    expect(await run(list(one))).toHaveLength(1);
    expect(await run(list(two))).toEqual([]);
  });

  test(`${name}: a number is unique by the schema, whoever writes the row`, async () => {
    const cluster = freshCluster();
    await run(register(node(cluster, "a"), undefined, 1));
    const twice = query(insertNode, [cluster, "b", 1, "b:1", 1, "boot"]);
    expect(await subject().ask([twice])).toMatchObject({ failure: "constraint" });
  });

  test(`${name}: statement names of discovery are unique`, () => {
    const names = discoveryStatements.map(({ name: statement }) => statement);
    expect(new Set(names).size).toBe(names.length);
    expect(nodeNumberMax).toBe(1_023);
  });
}
