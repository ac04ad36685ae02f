/** Replicated tables under histories of writes, cuts, crashes and full queues: the laws hold at every step. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { TablesWorld } from "../../test/cluster/tables-world.ts";

const nodes = 3;
const node = fc.nat(nodes - 1);
const key = fc.constantFrom("a1", "a2", "b1", "c1");
const some = fc.integer({ min: 1, max: 4 });

type Action =
  | { readonly do: "put"; readonly a: number; readonly key: string; readonly flush: boolean }
  | { readonly do: "delete"; readonly a: number; readonly key: string; readonly flush: boolean }
  | { readonly do: "write" | "deliver"; readonly a: number; readonly b: number; readonly n: number }
  | { readonly do: "pull" | "beat" | "up" | "overtake"; readonly a: number; readonly b: number }
  | { readonly do: "cut"; readonly a: number; readonly b: number }
  | { readonly do: "finish"; readonly a: number; readonly b: number }
  | { readonly do: "crash"; readonly a: number; readonly final: boolean }
  | { readonly do: "flush" | "settle"; readonly a: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "pump" };

const act = <D extends Action["do"]>(name: D) => ({ do: fc.constant(name) });
const pair = { a: node, b: node };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ ...act("put"), a: node, key, flush: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ ...act("delete"), a: node, key, flush: fc.boolean() }) },
  { weight: 10, arbitrary: fc.record({ ...act("write"), ...pair, n: some }) },
  { weight: 12, arbitrary: fc.record({ ...act("deliver"), ...pair, n: some }) },
  { weight: 8, arbitrary: fc.record({ ...act("pull"), ...pair }) },
  { weight: 3, arbitrary: fc.record({ ...act("beat"), ...pair }) },
  { weight: 6, arbitrary: fc.record({ ...act("overtake"), ...pair }) },
  { weight: 6, arbitrary: fc.record({ ...act("up"), ...pair }) },
  { weight: 3, arbitrary: fc.record({ ...act("cut"), ...pair }) },
  { weight: 2, arbitrary: fc.record({ ...act("finish"), ...pair }) },
  { weight: 1, arbitrary: fc.record({ ...act("crash"), a: node, final: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ ...act("flush"), a: node }) },
  { weight: 3, arbitrary: fc.record({ ...act("settle"), a: node }) },
  { weight: 4, arbitrary: fc.record({ ...act("wait"), ms: fc.constantFrom(10, 2_000, 40_000) }) },
  { weight: 2, arbitrary: fc.record(act("pump")) },
);

const limits = fc.record({
  logOperationsMax: fc.constantFrom(0, 2, 5, 100),
  chunkBytesMax: fc.constantFrom(45, 60, 1_000),
  chunkRecordsMax: fc.constantFrom(1, 2, 100),
  operationsBytesMax: fc.constantFrom(4, 12, 1_000),
  deltaBytesMax: fc.constantFrom(40, 100_000),
  retainedBytesMax: fc.constantFrom(0, 900, 1_000_000),
});

function run(world: TablesWorld, actions: readonly Action[]): void {
  let value = 0;
  for (const step of actions) {
    switch (step.do) {
      case "put":
        world.put(step.a, step.key, `v${++value}`);
        if (step.flush) world.flush(step.a);
        break;
      case "delete":
        world.delete(step.a, step.key);
        if (step.flush) world.flush(step.a);
        break;
      case "write":
        world.write(step.a, step.b, step.n);
        break;
      case "deliver":
        world.deliver(step.a, step.b, step.n);
        break;
      case "pull":
      case "beat":
      case "overtake":
      case "up":
      case "cut":
      case "finish":
        world[step.do](step.a, step.b);
        break;
      case "crash":
        world.crash(step.a, step.final);
        break;
      case "flush":
      case "settle":
        world[step.do](step.a);
        break;
      case "wait":
        world.wait(step.ms);
        break;
      case "pump":
        world.pump();
        break;
    }
  }
}

/** After the faults: everyone shows everything, and nothing waits any more. */
function converged(world: TablesWorld): void {
  world.heal();
  world.wait(10_000);
  world.heal();
  for (let reader = 0; reader < nodes; reader++) {
    for (let owner = 0; owner < nodes; owner++) {
      if (reader === owner) continue;
      expect(world.view(reader, owner)).toEqual(world.truth(owner));
      expect(world.node(reader).tables.synced(world.node(owner).peer)).toBe(true);
    }
    expect(world.node(reader).settling.size).toBe(0);
    expect(
      world
        .node(reader)
        .tables.status()[0]
        ?.readers.map(({ state }) => state),
    ).toEqual(["current", "current"]);
  }
}

test("tables: any history keeps the laws at every step, and all nodes agree after it", () => {
  const seen = { shown: 0, changed: 0, synced: 0, disconnects: 0, settled: 0, lost: 0 };
  const kinds = new Map<unknown, number>();
  fc.assert(
    fc.property(
      fc.array(action, { minLength: 20, maxLength: 120 }),
      limits,
      fc.constantFrom(1, 3, 8, 1_000),
      (actions, chosen, queueMax) => {
        const world = new TablesWorld({ nodes, limits: chosen, queueMax });
        world.heal();
        run(world, actions);
        converged(world);
        for (const { kind } of world.frames) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        for (const { counts } of world.nodes) {
          seen.shown += counts.shown;
          seen.changed += counts.changed;
        }
        seen.synced += world.counts.synced;
        seen.disconnects += world.counts.disconnects;
        seen.settled += world.settled.filter(({ visibleAt }) => visibleAt.length > 0).length;
        seen.lost += world.settled.filter(({ lost }) => lost.length > 0).length;
      },
    ),
    { numRuns: Number(process.env["TABLES_RUNS"] ?? 600) },
  );
  // Nothing bad happens also where nothing happens.
  for (const [what, count] of Object.entries(seen))
    expect(`${what} ${count > 0}`).toBe(`${what} true`);
  expect([...kinds.keys()].toSorted()).toEqual([16, 17, 18, 19, 20, 21, 22, 23, "beat"]);
}, 60_000);
