/** Signs of life: how soon a peer is missed, how long it is waited for, and what a pause of our own means. */
import { expect, test } from "vitest";
import { binaryFromBytes } from "../../src/base/bytes.ts";
import { uint } from "../../src/cluster/codec.ts";
import { classes, kinds } from "../../src/cluster/messages.ts";
import { controlFrame, numberedFrame } from "../../src/cluster/wire.ts";
import { LinksWorld } from "../../properties/cluster/links-world.ts";
import { Bench, peerNamed, type ScriptedPeer } from "./mesh-scripted-peer.ts";

function pairUp(): LinksWorld {
  const world = new LinksWorld({ seed: 3 });
  world.add("a");
  world.add("b");
  world.discover("a", "b");
  world.run(3_000);
  return world;
}

const downAfter = (world: LinksWorld, since: number): number | undefined => {
  const seen = world.seen.find(({ owner, downAt }) => owner.name === "b" && downAt !== undefined);
  return seen?.downAt === undefined ? undefined : seen.downAt - since;
};

function live(bench: Bench): ScriptedPeer {
  const peer = bench.arrive(peerNamed("z"));
  peer.enter();
  return peer;
}

const state = (bench: Bench): string | undefined => bench.mesh.status()[0]?.state;

test("mesh: a peer whose host refuses connections is down within a second", () => {
  const world = pairUp();
  const since = world.now;
  world.crash("a");
  world.run(20_000);
  expect(downAfter(world, since)).toBeGreaterThanOrEqual(300);
  expect(downAfter(world, since)).toBeLessThan(1_000);
});

test("mesh: one refused dial is not enough, nor are two within 300 ms", () => {
  const bench = new Bench();
  bench.discover("z");
  const peer = bench.accept(bench.dial(), peerNamed("z"));
  peer.enter();
  bench.run(2_000, () => peer.beat());
  const refuse = (): void => {
    bench.step({ type: "dial-failed", dial: bench.dial(), refused: true, reason: "refused" });
  };
  peer.close();
  bench.run(0);
  refuse();
  const first = bench.now;
  bench.run(100);
  bench.step({ type: "peers-discovered", peers: [{ name: "z", address: "z:8" }] });
  bench.run(100);
  refuse(); // of another address: too soon to mean anything
  expect(state(bench)).toBe("broken");
  bench.run(100);
  expect(bench.now - first).toBe(300);
  // Something else than a refusal in between: the host lives, start over.
  bench.step({ type: "dial-failed", dial: bench.dial(), refused: false, reason: "reset" });
  bench.run(1_000);
  refuse();
  expect(state(bench)).toBe("broken");
  bench.run(400);
  refuse();
  expect(state(bench)).toBe("connecting");
  expect(bench.of("peer-down").map(({ reason }) => reason)).toEqual([
    "its host refuses connections",
  ]);
});

test("mesh: a peer whose connections closed and that is not back is down after 5 s", () => {
  const world = pairUp();
  const since = world.now;
  world.reset("a", "b");
  world.block("a", "b");
  world.block("b", "a");
  world.run(20_000);
  expect(downAfter(world, since)).toBe(5_000);
});

test("mesh: a silent peer is down after 10 s", () => {
  const world = pairUp();
  const since = world.now;
  world.block("a", "b");
  world.run(20_000);
  expect(downAfter(world, since)).toBeGreaterThan(8_900);
  expect(downAfter(world, since)).toBeLessThan(10_100);
});

test("mesh: a peer that is back within the grace keeps its session, and nobody above notices", () => {
  const world = pairUp();
  world.reset("a", "b");
  world.block("a", "b");
  world.run(4_000);
  expect([world.state("a", "b"), world.state("b", "a")]).toEqual(["broken", "broken"]);
  world.heal();
  world.run(1_500);
  expect([world.allUp(), world.seen.length]).toEqual([true, 2]);
});

test("mesh: † any byte is a sign of life: one big frame on a slow line does not end its connection", () => {
  const bench = new Bench();
  const peer = live(bench);
  const frame = numberedFrame(kinds.stanza, classes.stanzas, 1, "x".repeat(60_000));
  for (let at = 0; at < frame.length; at += 3_000) {
    bench.run(2_000);
    peer.raw(frame.slice(at, at + 3_000));
  }
  expect([peer.closed, bench.of("message-received").length]).toEqual([false, 1]);
  bench.run(5_000);
  expect([peer.closed, state(bench)]).toEqual([true, "broken"]);
});

test("mesh: a heartbeat goes out each second, carries the tables' word and what was received", () => {
  const bench = new Bench({ beatBody: (peer) => `for ${peer.name}` });
  const peer = live(bench);
  peer.message(1, "x");
  bench.run(3_500, () => peer.raw(controlFrame(kinds.beat, uint(0) + uint(bench.now) + "\0\0hi")));
  const beats = peer.frames.filter(({ kind }) => kind === kinds.beat);
  expect(beats.length).toBe(3);
  expect(beats[0]?.body.startsWith("\x01")).toBe(true);
  expect(beats[0]?.body.endsWith("for z")).toBe(true);
  expect(bench.of("beat-received").map(({ body }) => binaryFromBytes(body))).toContain("hi");
});

test("mesh: all links of a node beat in one turn, whenever each came", () => {
  const bench = new Bench();
  const first = live(bench);
  bench.run(400);
  const second = bench.arrive(peerNamed("y"));
  second.enter();
  const beats = (peer: ScriptedPeer): number =>
    peer.frames.filter(({ kind }) => kind === kinds.beat).length;
  const seen: (readonly number[])[] = [];
  bench.run(3_000, () => seen.push([beats(first), beats(second)]));
  const turns = [1, 2, 3].map((count) => [count, count]);
  expect(seen).toEqual(turns);
});

test("mesh: the round trip is measured", () => {
  const world = new LinksWorld({ seed: 1, latency: [40, 40] });
  world.add("a");
  world.add("b");
  world.discover("a", "b");
  world.run(5_000);
  expect(world.node("a").mesh.status()[0]?.rttMs).toBe(80);
});

test("mesh: a drained node's peers go down at once, for good, and it loses nothing", () => {
  const world = pairUp();
  for (let count = 0; count < 5; count += 1) world.say(world.node("a"), "b");
  world.leave("a");
  world.run(10);
  const [b] = world.seen.filter(({ owner }) => owner.name === "b");
  expect([b?.final, b?.received.length, b?.reason]).toEqual([true, 6, "the peer has left"]);
  world.run(1_000);
  expect(world.seen.length).toBe(2);
  expect(world.node("a").mesh.status()).toEqual([]);
});

test("mesh: what a peer's goodbye acknowledges was delivered, and is not handed up as if it were not", () => {
  const bench = new Bench();
  const peer = live(bench);
  for (const body of ["1", "2", "3"]) bench.mesh.send(peerNamed("z"), kinds.stanza, body);
  bench.flush();
  peer.raw(controlFrame(kinds.bye, uint(2)));
  const [down] = bench.of("peer-down");
  expect([down?.final, down?.undelivered.map(({ body }) => body)]).toEqual([true, ["3"]]);
});

test("mesh: a node that leaves writes no more than the window allows, and is told what waits still", () => {
  const bench = new Bench();
  const peer = live(bench);
  for (let count = 0; count < 40; count += 1) {
    bench.mesh.send(peerNamed("z"), kinds.stanza, "x".repeat(60_000));
  }
  bench.flush();
  const written = peer.numbered().length;
  expect(written).toBeLessThan(20);
  expect(bench.mesh.hasBacklog).toBe(true);
  bench.step({ type: "leave" });
  expect(peer.numbered().length).toBe(written);
  expect(bench.of("peer-down")[0]?.undelivered.length).toBe(40);
  expect([peer.frames.at(-1)?.kind, peer.closed]).toEqual([kinds.bye, true]);
  expect(bench.mesh.deadline()).toBeUndefined();
  expect(bench.step({ type: "connection-opened", connection: 99, remote: "x" })).toEqual([
    { type: "close", connection: 99 },
  ]);
});

test("mesh: there is a backlog while something waits for a window or for a connection", () => {
  const bench = new Bench();
  const peer = live(bench);
  bench.mesh.send(peerNamed("z"), kinds.stanza, "x");
  expect(bench.mesh.hasBacklog).toBe(true);
  bench.flush();
  expect(bench.mesh.hasBacklog).toBe(false);
  peer.close();
  expect(bench.mesh.hasBacklog).toBe(true);
  const again = bench.arrive(peerNamed("z"), { hello: { session: peer.session(), received: 0 } });
  again.enter();
  expect([bench.mesh.hasBacklog, again.numbered().length]).toEqual([false, 1]);
});

test("mesh: after a late tick all sockets are read before any peer is judged", () => {
  const bench = new Bench();
  const peer = live(bench);
  bench.run(1_000, () => peer.beat());
  bench.now += 7_000; // the process was stopped; the peer's heartbeats wait in the socket
  bench.step({ type: "deadline-reached" });
  expect(peer.closed).toBe(false);
  peer.beat();
  bench.run(3_000);
  expect([peer.closed, bench.of("peer-down")]).toEqual([false, []]);
  // And if there was nothing, the peer is judged soon.
  bench.now += 7_000;
  bench.step({ type: "deadline-reached" });
  bench.run(200);
  expect(peer.closed).toBe(true);
});

test("mesh: after a pause longer than all patience sessions end before anything is read", () => {
  for (const first of ["tick", "bytes"]) {
    const bench = new Bench();
    const peer = live(bench);
    bench.run(1_000, () => peer.beat());
    bench.mesh.send(peerNamed("z"), kinds.stanza, "unheard");
    bench.flush();
    bench.now += 10_001;
    if (first === "tick") bench.step({ type: "deadline-reached" });
    peer.message(1, "handed back long ago");
    expect([first, peer.closed, bench.of("message-received")]).toEqual([first, true, []]);
    expect(bench.of("peer-down")[0]?.undelivered.length).toBe(1);
  }
});

test("mesh: dials that fail are repeated more and more slowly, with jitter, up to 5 s", () => {
  const bench = new Bench();
  const dials: number[] = [];
  bench.discover("z");
  for (let times = 0; times < 12; times += 1) {
    dials.push(bench.now);
    bench.step({ type: "dial-failed", dial: bench.dial(), refused: true, reason: "refused" });
    const before = bench.of("dial").length;
    while (bench.of("dial").length === before) bench.run(1);
  }
  const gaps = dials.slice(1).map((at, index) => at - (dials[index] ?? 0));
  for (const [index, gap] of gaps.entries()) {
    const longest = Math.min(5_000, 100 * 2 ** index);
    expect(gap).toBeLessThanOrEqual(longest);
    expect(gap).toBeGreaterThanOrEqual(longest / 2);
  }
  expect(new Set(gaps.slice(-4)).size).toBeGreaterThan(1);
});

test("mesh: a node that starts is up at once, though its peers go first and have just failed to reach it", () => {
  const world = new LinksWorld({ seed: 3 });
  const peers = ["a", "b"].map((name) => ({ name, address: `${name}:7000` }));
  world.input(world.add("a"), { type: "peers-discovered", peers });
  world.run(3_000);
  world.input(world.add("b"), { type: "peers-discovered", peers });
  world.run(60);
  expect(world.state("b", "a")).toBe("up");
});

test("mesh: a node that no list names any more is redialled at its last address for minutes", () => {
  const bench = new Bench();
  const peer = bench.arrive(peerNamed("z"), { hello: { options: new Map([["address", "z:1"]]) } });
  peer.enter();
  bench.discover();
  peer.close();
  bench.run(30_000);
  expect(bench.of("dial").every(({ address }) => address === "z:1")).toBe(true);
  expect(bench.of("dial").length).toBeGreaterThan(3);
  bench.run(600_000);
  const before = bench.of("dial").length;
  bench.run(60_000);
  expect([bench.of("dial").length, bench.mesh.status()]).toEqual([before, []]);
});

test("mesh: a node that has gone from the list and was no peer is dialled no more, and forgotten", () => {
  const bench = new Bench();
  bench.discover("z");
  bench.discover();
  bench.step({ type: "dial-failed", dial: bench.dial(), refused: false, reason: "no route" });
  bench.run(60_000);
  expect([bench.of("dial").length, bench.mesh.status()]).toEqual([1, []]);
});
