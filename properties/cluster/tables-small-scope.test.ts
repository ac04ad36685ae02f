/**
 * Every history of a few steps, from the moments at which a sync can go wrong: three nodes, two keys, at most
 * eight messages in flight. After each step all laws of `TablesWorld` hold, and from wherever it stops all
 * comes to rest with what the owner has. Longer by hand: `TABLES_DEPTH=5`.
 */
import { expect, test } from "vitest";
import { same } from "../../test/cluster/tables-oracle.ts";
import { TablesWorld } from "../../test/cluster/tables-world.ts";

const depth = Number(process.env["TABLES_DEPTH"] ?? 4);
const inFlightMax = 8;

type Step = (world: TablesWorld) => void;

let value = 0;
const steps: readonly Step[] = [
  (world) => write(world, "a1"),
  (world) => write(world, "a2"),
  (world) => {
    world.delete(0, "a1");
    world.flush(0);
  },
  (world) => world.write(0, 1, 1),
  (world) => world.pull(0, 1),
  (world) => world.deliver(0, 1, 1),
  (world) => world.overtake(0, 1),
  (world) => {
    world.write(1, 0);
    world.deliver(1, 0);
  },
  (world) => world.beat(0, 1),
  (world) => world.cut(0, 1, 1),
  (world) => world.up(0, 1),
  (world) => void world.settle(0),
];

function write(world: TablesWorld, key: string): void {
  world.put(0, key, `v${++value}`);
  world.flush(0);
}

function start(limits: { logOperationsMax: number }): TablesWorld {
  const options = { chunkBytesMax: 45, ...limits };
  const world = new TablesWorld({ nodes: 3, limits: options, queueMax: 2 });
  world.up(0, 2);
  write(world, "a1");
  write(world, "a2");
  world.write(0, 2);
  world.deliver(0, 2);
  return world;
}

const beginnings: Readonly<Record<string, () => TablesWorld>> = {
  "a snapshot's begin is under way": () => {
    const world = start({ logOperationsMax: 0 });
    world.up(0, 1);
    world.write(1, 0);
    world.deliver(1, 0);
    world.write(0, 1);
    return world;
  },
  "a reader is back that missed a delete": () => {
    const world = start({ logOperationsMax: 5 });
    world.up(0, 1);
    world.pump();
    world.cut(0, 1);
    world.finish(0, 1);
    world.delete(0, "a2");
    world.flush(0);
    world.up(0, 1);
    return world;
  },
  "a reader is stale": () => {
    const world = start({ logOperationsMax: 1 });
    world.up(0, 1);
    world.pump();
    for (const key of ["a1", "a2", "a1", "a2"]) write(world, key);
    world.delete(0, "a1");
    world.flush(0);
    return world;
  },
};

/** All that a step can have moved: one that moves nothing makes a history that a shorter one has told. */
function mark({ links, nodes, settled, frames }: TablesWorld): string {
  const ways = [...links.values()].map(({ number, cut, open, directions }) => {
    const lines = directions.map(({ queue, wire, sent }) => [queue.length, wire.map(kindOf), sent]);
    return [number, cut, open.size, lines];
  });
  const written = nodes.map(({ history, settling }) => [
    [...history.values()].map((writes) => writes.length),
    settling.size,
  ]);
  return JSON.stringify([ways, written, settled.length, frames.length]);
}

const kindOf = ({ kind }: { readonly kind: unknown }): unknown => kind;

function inFlight({ links }: TablesWorld): number {
  const ways = [...links.values()].flatMap(({ directions }) => directions);
  return ways.reduce((sum, { queue, wire }) => sum + queue.length + wire.length, 0);
}

/** Tries this history and all that go on from it; returns how many there are. */
function explore(begin: () => TablesWorld, history: readonly Step[], flying: Set<number>): number {
  const world = begin();
  for (const step of history.slice(0, -1)) step(world);
  const before = mark(world);
  history.at(-1)?.(world);
  if (history.length > 0 && mark(world) === before) return 0;
  flying.add(inFlight(world));
  if (inFlight(world) > inFlightMax) return 0;
  world.heal();
  for (const reader of [1, 2]) {
    same(`what ${reader} shows of 0`, world.view(reader, 0), world.truth(0));
  }
  if (history.length === depth) return 1;
  return steps.reduce((sum, step) => sum + explore(begin, [...history, step], flying), 1);
}

for (const [name, begin] of Object.entries(beginnings)) {
  const what = `every history of up to ${depth} steps from where ${name}`;
  test(`tables: ${what}`, { timeout: 3_600_000 }, () => {
    const flying = new Set<number>();
    const histories = explore(begin, [], flying);
    expect(histories, `${histories} histories`).toBeGreaterThan(6 ** depth);
    // The bound is met, so it is what ends some of them.
    expect(Math.max(...flying)).toBeGreaterThan(inFlightMax);
  });
}
