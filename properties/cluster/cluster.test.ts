/**
 * Laws of links and tables together, over a network that cuts, delays and forgets bytes: the same as of the
 * tables alone, and that both are well soon after the faults.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { linkLimits, type LinkLimits } from "../../src/cluster/timing.ts";
import { ClusterNodes } from "./cluster-node.ts";
import { faultsOf } from "./links-laws.ts";
import { LinksWorld } from "./links-world.ts";

/** Long hunts by hand: `CLUSTER_RUNS=5000`. */
const runs = Number(process.env["CLUSTER_RUNS"] ?? 6);
const patient = { timeout: 30_000 + 1_000 * runs };
const names = ["a", "b", "c"];

const fault = fc.record({
  at: fc.nat(15_000),
  for: fc.constantFrom(50, 500, 3_000, 6_000, 12_000),
  kind: fc.constantFrom(
    ...(["reset", "reset", "half-open", "cut", "one-way", "pause", "restart", "leave"] as const),
  ),
  from: fc.nat(2),
  by: fc.integer({ min: 1, max: 2 }),
});
type Fault = typeof fault extends fc.Arbitrary<infer T> ? T : never;

const plan = fc.record({
  seed: fc.integer(),
  faults: fc.array(fault, { maxLength: 6 }),
  latency: fc.constantFrom([0, 0], [1, 5], [1, 120]),
  pieces: fc.constantFrom(7, 100, 100_000),
  every: fc.constantFrom(60, 150, 500),
  links: fc.constantFrom<LinkLimits>(
    linkLimits,
    { ...linkLimits, windowBytes: 1_000, fragmentBytes: 60, ackFrames: 2, queueBytes: 400 },
    { ...linkLimits, windowBytes: 300, ackFrames: 1, messagesPerChunk: 10, queueBytes: 100 },
  ),
  tables: fc.record({
    logOperationsMax: fc.constantFrom(0, 10, 1_000),
    chunkBytesMax: fc.constantFrom(45, 200),
    operationsBytesMax: fc.constantFrom(10, 1_000),
    retainedBytesMax: fc.constantFrom(0, 1_000_000),
  }),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

/** One step brought the delta that showed a partition and operations behind it; both told of the latter. */
const shownAndChanged: Plan = {
  ...{ seed: 0, faults: [], latency: [1, 120], pieces: 100_000, every: 60 },
  links: { ...linkLimits, windowBytes: 300, ackFrames: 1, messagesPerChunk: 10, queueBytes: 100 },
  tables: { logOperationsMax: 0, chunkBytesMax: 200, operationsBytesMax: 10, retainedBytesMax: 0 },
};

function inject(world: LinksWorld, nodes: ClusterNodes, { kind, from, by, for: ms }: Fault): void {
  const [a = "a", b = "b"] = [names[from], names[(from + by) % 3]];
  const end = world.now + ms;
  const again = (): void => {
    nodes.add(a);
    world.discover(...names);
  };
  switch (kind) {
    case "reset":
      return world.reset(a, b);
    case "half-open":
      return world.halfOpen(a, b);
    case "one-way":
      world.block(a, b);
      return world.schedule(end, () => world.unblock(a, b));
    case "cut":
      world.block(a, b);
      world.block(b, a);
      world.schedule(end, () => world.unblock(a, b));
      return world.schedule(end, () => world.unblock(b, a));
    case "pause":
      return world.pause(a, ms);
    case "leave":
      if (!world.node(a).alive || world.node(a).pausedUntil > world.now) return;
      world.leave(a);
      world.crash(a);
      return again();
    case "restart":
      world.crash(a);
      return world.schedule(end, () => {
        if (!world.node(a).alive) again();
      });
  }
}

function run({ seed, faults, latency, pieces, every, links, tables }: Plan): {
  world: LinksWorld;
  nodes: ClusterNodes;
} {
  const [least = 0, most = 0] = latency;
  const world = new LinksWorld({ seed, latency: [least, most], pieces, bodyBytes: 70 });
  const nodes = new ClusterNodes(world, { links, tables });
  for (const name of names) nodes.add(name);
  world.discover(...names);
  for (const each of faults) world.schedule(world.now + each.at, () => inject(world, nodes, each));
  const quietAt = world.now + 20_000;
  let value = 0;
  const write = (): void => {
    for (const name of names) {
      const node = world.node(name);
      if (!node.alive || node.pausedUntil > world.now) continue;
      const key = `${"abc"[Math.floor(world.random() * 3)]}${Math.floor(world.random() * 5)}`;
      const drawn = world.random();
      if (drawn < 0.4) nodes.byName.get(name)?.put(key, `v${++value}`);
      else if (drawn < 0.6) nodes.byName.get(name)?.delete(key);
      else if (drawn < 0.65) nodes.byName.get(name)?.settle({ at: world.now, wall: world.now });
      for (const other of names) {
        if (world.random() < 0.2 && world.queued(name, other) < 5) world.say(node, other);
      }
      world.endTurn(node);
    }
    if (world.now < quietAt) world.schedule(world.now + every, write);
  };
  write();
  world.runUntil(quietAt);
  world.heal();
  return { world, nodes };
}

test(
  "cluster: views are states of their owners at every step, and equal to them soon after a heal",
  patient,
  () => {
    const seen = { settled: 0, shown: 0, compared: 0, received: 0 };
    fc.assert(
      fc.property(plan, (chosen) => {
        const { world, nodes } = run(chosen);
        world.run(45_000);
        expect(world.allUp()).toBe(true);
        for (const reader of nodes.byName.values()) {
          expect(reader.model.settling.size).toBe(0);
          for (const owner of nodes.byName.values()) {
            if (owner === reader) continue;
            const truth = owner.model.truth("sessions");
            expect(reader.cluster.synced(owner.model.peer)).toBe(true);
            expect(new Map(reader.view(owner.model.peer))).toEqual(truth);
          }
        }
        expect(faultsOf(world)).toEqual([]);
        for (const { counts } of nodes.byBoot.values()) {
          for (const name of ["settled", "shown", "compared"] as const) seen[name] += counts[name];
        }
        for (const { received } of world.seen) seen.received += received.length;
      }),
      {
        numRuns: runs,
        examples: [[shownAndChanged]],
        interruptAfterTimeLimit: patient.timeout - 10_000,
      },
    );
    for (const [what, count] of Object.entries(seen)) {
      expect(`${what} ${count > 0}`).toBe(`${what} true`);
    }
  },
);
