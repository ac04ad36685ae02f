/**
 * Laws of the links: whatever network and processes do, a session's messages are handed up once and in the
 * order of their class, no stanza before a table message sent before it; what was not is handed back, both
 * sides tell the same story, and all is well soon after.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { writeHello } from "../../src/cluster/handshake.ts";
import { kinds } from "../../src/cluster/messages.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import { controlFrame } from "../../src/cluster/wire.ts";
import { linkLimits, type LinkLimits } from "../../src/cluster/timing.ts";
import { faultsOf, overBounds } from "./links-laws.ts";
import { stanzaKind, tableKind } from "./links-node.ts";
import { LinksWorld } from "./links-world.ts";

/** Long hunts by hand: `LINKS_RUNS=5000`. */
const runs = Number(process.env["LINKS_RUNS"] ?? 25);
const patient = { timeout: 30_000 + 1_000 * runs };

const names = ["a", "b", "c", "d"];
/** Here a few table messages have overtaken as much as they may. */
const narrow: LinkLimits = { ...linkLimits, overtakingBytes: 200 };
const pair = fc.tuple(fc.nat(3), fc.nat(2));

const fault = fc.record({
  at: fc.nat(25_000),
  for: fc.constantFrom(50, 500, 3_000, 6_000, 14_000),
  pair,
  kind: fc.constantFrom(
    ...(["reset", "reset", "reset", "half-open", "cut", "one-way", "flap"] as const),
    ...(["pause", "restart", "restart-late", "disconnect", "unlist"] as const),
    ...(["leave", "dials", "flood", "abort", "abort"] as const),
  ),
});
type Fault = typeof fault extends fc.Arbitrary<infer T> ? T : never;

const plan = fc.record({
  seed: fc.integer(),
  nodes: fc.integer({ min: 2, max: 4 }),
  faults: fc.array(fault, { maxLength: 10, size: "max" }),
  /** Dials in this direction never arrive, in good times either: a firewall. */
  wall: fc.option(pair),
  latency: fc.constantFrom([0, 0], [1, 5], [1, 120], [150, 700]),
  pieces: fc.constantFrom(1, 20, 500, 100_000),
  every: fc.constantFrom(50, 100, 700),
  limits: fc.constantFrom<LinkLimits>(
    linkLimits,
    { ...narrow, windowBytes: 1_000, fragmentBytes: 30, ackFrames: 2, ackBytes: 200 },
    { ...narrow, windowBytes: 300, fragmentBytes: 10, ackFrames: 1, messagesPerChunk: 10 },
  ),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

/** Whoever has seen one hello can send another in that name. */
const forgedHello = (peer: Peer, count: number): string =>
  writeHello({
    ...{ min: 1, max: 1, cluster: "mob", peer, nonce: "n".repeat(16), features: [], session: "" },
    ...{ received: 0, lastGivenUp: { session: "", received: 0 }, accepted: count },
    ...{ dial: 1_000_000 + count, options: new Map() },
  });

function named([one, further]: readonly [number, number], here: string[]): [string, string] {
  const first = one % here.length;
  const second = (first + 1 + (further % (here.length - 1))) % here.length;
  return [here[first] ?? "a", here[second] ?? "b"];
}

function inject(world: LinksWorld, { kind, pair: which, for: ms }: Fault, here: string[]): void {
  const [a, b] = named(which, here);
  const end = world.now + ms;
  let left: unknown;
  switch (kind) {
    case "reset":
      return world.reset(a, b);
    case "abort":
      return world.abort(a, b);
    case "half-open":
      return world.halfOpen(a, b);
    case "cut":
    case "one-way": {
      const ways =
        kind === "cut"
          ? [
              [a, b],
              [b, a],
            ]
          : [[a, b]];
      for (const [from = "", to = ""] of ways) {
        world.block(from, to);
        world.schedule(end, () => world.unblock(from, to));
      }
      return;
    }
    case "flap":
      for (let at = 0; at < ms; at += 150) world.schedule(world.now + at, () => world.reset(a, b));
      return;
    case "pause":
      return world.pause(a, ms);
    case "restart":
    case "restart-late":
      world.crash(a);
      world.schedule(kind === "restart" ? world.now : end, () => {
        if (world.node(a).alive) return;
        world.add(a);
        world.discover(...here);
      });
      return;
    case "disconnect": {
      const seen = world.node(a).current.get(b);
      if (seen === undefined || !world.node(a).alive) return;
      world.node(a).mesh.disconnect(seen.peer, "stale");
      return world.endTurn(world.node(a));
    }
    case "dials":
      world.blockDials(a, b);
      return world.schedule(end, () => world.unblockDials(a, b));
    case "flood":
      for (let count = 0; count < 80; count += 1) {
        const stranger = world.stranger(a);
        stranger.send(controlFrame(kinds.hello, forgedHello(world.node(b).peer, count)));
        if (count % 2 === 0) stranger.send(controlFrame(kinds.proof, "\x20".padEnd(33, "?")));
        if (count % 3 === 0) stranger.close();
      }
      return;
    case "leave":
      if (!world.node(a).alive || world.node(a).pausedUntil > world.now) return;
      world.leave(a);
      left = world.node(a);
      return world.schedule(world.now + 1_000, () => {
        if (left !== world.node(a)) return;
        world.crash(a);
        world.add(a);
        world.discover(...here);
      });
    case "unlist":
      return world.input(world.node(a), { type: "peers-discovered", peers: [] });
  }
}

function run({ seed, nodes, faults, wall, latency, pieces, every, limits }: Plan): LinksWorld {
  const [from = 0, to = 0] = latency;
  const bodyBytes = limits === linkLimits ? 40 : 70;
  const world = new LinksWorld({ seed, latency: [from, to], pieces, bodyBytes, mesh: { limits } });
  const here = names.slice(0, nodes);
  for (const name of here) world.add(name);
  if (wall !== null) world.walls.add(named(wall, here).join(">"));
  world.discover(...here);
  for (const each of faults) world.schedule(world.now + each.at, () => inject(world, each, here));
  const quietAt = world.now + 40_000;
  const talk = (): void => {
    for (const name of here) {
      for (const other of here) {
        // A tiny window and a long way: no more than what can be carried in the end.
        if (world.random() < 0.4 && world.queued(name, other) < 5)
          world.say(world.node(name), other, world.random() < 0.5 ? stanzaKind : tableKind);
      }
    }
    if (world.random() < 0.2) expect(overBounds(world, limits)).toEqual([]);
    if (world.now < quietAt) world.schedule(world.now + every, talk);
  };
  talk();
  world.runUntil(quietAt);
  return world;
}

test(
  "links: once, in order, handed back if not; one story; up again after a heal; no closing by rule",
  patient,
  () => {
    const seen = { sessions: 0, downs: 0, handedBack: 0, resumed: 0, runs: 0 };
    fc.assert(
      fc.property(plan, (each) => {
        const world = run(each);
        world.heal();
        world.discover(...world.nodes.keys());
        world.run(25_000);
        expect(world.allUp()).toBe(true);
        expect(faultsOf(world)).toEqual([]);
        // Nothing is wrong any more: nothing may be closed or lost.
        const before = world.seen.length;
        world.closesAt = [];
        world.run(20_000);
        expect([world.closesAt, world.seen.length]).toEqual([[], before]);
        expect(faultsOf(world)).toEqual([]);
        seen.runs += 1;
        seen.sessions += before;
        for (const { undelivered } of world.seen) {
          seen.downs += undelivered === undefined ? 0 : 1;
          seen.handedBack += undelivered?.length ?? 0;
        }
        for (const { events } of world.nodes.values()) {
          seen.resumed += events.filter(({ event }) => event === "link-resumed").length;
        }
      }),
      { numRuns: runs },
    );
    if (runs > 25) console.log(seen);
    expect(seen.downs).toBeGreaterThan(seen.runs);
    expect(seen.handedBack).toBeGreaterThan(seen.runs);
    expect(seen.resumed).toBeGreaterThan(seen.runs);
  },
);
