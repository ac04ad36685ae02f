/**
 * Every history of a few steps, from the moments at which a sync can go wrong: three nodes, two keys. Longer
 * by hand: `TABLES_DEPTH=5`.
 */
import { expect, test } from "vitest";
import { TablesWorld } from "../../test/cluster/tables-world.ts";

const depth = Number(process.env["TABLES_DEPTH"] ?? 2);

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

for (const [name, begin] of Object.entries(beginnings)) {
  test(`tables: every history of ${depth} steps from where ${name}`, { timeout: 60_000 }, () => {
    let histories = 0;
    for (let code = 0; code < steps.length ** depth; code++) {
      const world = begin();
      let rest = code;
      for (let at = 0; at < depth; at++) {
        steps[rest % steps.length]?.(world);
        rest = Math.floor(rest / steps.length);
      }
      world.heal();
      for (const reader of [1, 2]) {
        if (world.view(reader, 0)?.size !== world.truth(0).size) {
          throw new Error(`History ${code} from where ${name}: node ${reader} differs`);
        }
      }
      histories += 1;
    }
    expect(histories).toBe(steps.length ** depth);
  });
}
