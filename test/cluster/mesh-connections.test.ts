/** Which connection survives, and which session: the rules that fail elsewhere, one test each. */
import { expect, test } from "vitest";
import { uint } from "../../src/cluster/codec.ts";
import { kinds } from "../../src/cluster/messages.ts";
import { faultsOf } from "../../properties/cluster/links-laws.ts";
import { LinksWorld } from "../../properties/cluster/links-world.ts";
import { Bench, peerNamed, type ScriptedPeer } from "./mesh-scripted-peer.ts";

const pairUp = (latency: readonly [number, number] = [1, 5]): LinksWorld => {
  const world = new LinksWorld({ seed: 3, latency });
  world.add("a");
  world.add("b");
  world.discover("a", "b");
  world.run(3_000);
  expect(world.allUp()).toBe(true);
  return world;
};

test("mesh: dials that cross leave one connection, at whatever latency", () => {
  for (const ms of [0, 1, 60, 200, 700]) {
    const world = new LinksWorld({ seed: ms, latency: [ms, ms] });
    // Both dial at once: each has heard of the other alone.
    world.add("a", {});
    world.add("b", {});
    const dialNow = (self: string, other: string): void => {
      const peers = [{ name: other, address: `${other}:7000` }];
      world.input(world.node(self), { type: "peers-discovered", peers });
    };
    dialNow("b", "a");
    world.schedule(world.now + 100, () => dialNow("a", "b"));
    world.run(6_000);
    expect([ms, world.allUp(), world.seen.length]).toEqual([ms, true, 2]);
    world.closesAt = [];
    world.run(10_000);
    expect(world.closesAt).toEqual([]);
  }
});

test("mesh: † no pair is locked out where one side's dials never arrive", () => {
  for (const [from, to] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const world = new LinksWorld({ seed: 1 });
    world.add("a");
    world.add("b");
    world.blockDials(from, to);
    world.discover("a", "b");
    world.run(2_000);
    expect([from, world.allUp()]).toEqual([from, true]);
    // And again after each break, within the grace.
    for (let times = 0; times < 5; times += 1) {
      world.reset("a", "b");
      world.run(4_000);
    }
    expect([from, world.allUp(), world.seen.length]).toEqual([from, true, 2]);
  }
});

test("mesh: the smaller name parks an arriving dial, answers it after a second, closes it when welcomed", () => {
  const answers = new Bench();
  answers.discover("z");
  const parked = answers.arrive(peerNamed("z"));
  parked.hello();
  answers.run(900);
  expect(parked.frames).toEqual([]);
  answers.run(200);
  expect(parked.kinds()).toEqual([kinds.hello]);
  parked.finish();
  expect(answers.mesh.status()[0]?.state).toBe("up");
  // The abandoned dial is answered at last, and closed at once.
  const late = answers.accept(answers.dial(), peerNamed("z"));
  expect([late.closed, late.frames]).toEqual([true, []]);

  const welcomed = new Bench();
  welcomed.discover("z");
  const own = welcomed.accept(welcomed.dial(), peerNamed("z"));
  const waits = welcomed.arrive(peerNamed("z"));
  waits.hello();
  own.enter();
  expect([own.closed, waits.closed, welcomed.mesh.status()[0]?.state]).toEqual([false, true, "up"]);

  const failed = new Bench();
  failed.discover("z");
  const next = failed.arrive(peerNamed("z"));
  next.hello();
  failed.step({ type: "dial-failed", dial: failed.dial(), refused: false, reason: "no route" });
  expect(next.kinds()).toEqual([kinds.hello]);
});

test("mesh: the greater name gives way at once", () => {
  const bench = new Bench();
  bench.discover("a");
  bench.run(200);
  const own = bench.accept(bench.dial(), peerNamed("a"));
  const arrived = bench.arrive(peerNamed("a"));
  arrived.hello();
  expect([own.closed, arrived.kinds()]).toEqual([true, [kinds.hello]]);
});

test("mesh: a later dial of the same dialler replaces the connection in use, an earlier one does not", () => {
  const bench = new Bench();
  const first = bench.arrive(peerNamed("z"), { hello: { dial: 7 } });
  first.enter();
  const earlier = bench.arrive(peerNamed("z"), { hello: { dial: 6 } });
  earlier.enter();
  expect([first.closed, earlier.closed]).toEqual([false, true]);
  const later = bench.arrive(peerNamed("z"), { hello: { dial: 8, session: first.session() } });
  later.hello();
  expect(first.closed).toBe(false); // a hello proves nothing
  later.finish();
  expect([first.closed, later.closed]).toEqual([true, false]);
  expect(bench.of("peer-up").length).toBe(1);
  expect(bench.of("peer-down")).toEqual([]);
});

test("mesh: a dial of the other side replaces ours, unless it was made before ours was accepted", () => {
  const bench = new Bench();
  bench.discover("z");
  const own = bench.accept(bench.dial(), peerNamed("z"));
  own.enter({}, 4);
  const before = bench.arrive(peerNamed("z"), { hello: { accepted: 3 } });
  before.enter();
  expect([own.closed, before.closed]).toEqual([false, true]);
  const after = bench.arrive(peerNamed("z"), { hello: { accepted: 4, session: own.session() } });
  after.enter();
  expect([own.closed, after.closed]).toEqual([true, false]);
  expect(bench.of("peer-up").length).toBe(1);
});

test("mesh: connections are counted per boot, and both sides are told the count", () => {
  const bench = new Bench();
  const welcomed = (peer: ScriptedPeer): string | undefined =>
    peer.frames.find(({ kind }) => kind === kinds.welcome)?.body.slice(-1);
  for (const count of [1, 2, 3]) {
    const peer = bench.arrive(peerNamed("z"));
    peer.enter();
    expect([peer.theirs().hello.accepted, welcomed(peer)]).toEqual([count - 1, uint(count)]);
  }
  const reborn = bench.arrive(peerNamed("z", 6, "00000000000000cc"));
  reborn.enter();
  expect(welcomed(reborn)).toBe(uint(1));
  bench.discover("z");
  reborn.close();
  bench.run(1_000);
  const own = bench.accept(bench.dial(), peerNamed("z", 6, "00000000000000cc"));
  expect(own.theirs().hello.accepted).toBe(1);
  own.enter();
  own.close();
  bench.run(1_000);
  const next = bench.accept(bench.dial(), peerNamed("z", 6, "00000000000000cc"));
  expect(next.theirs().hello.accepted).toBe(2); // as its dialler, too
});

test("mesh: every change of connection sends again what the peer lacks, and nothing else", () => {
  const bench = new Bench();
  const first = bench.arrive(peerNamed("z"));
  first.enter();
  for (const body of ["1", "2", "3"]) bench.mesh.send(peerNamed("z"), kinds.stanza, body);
  bench.flush();
  first.close();
  bench.mesh.send(peerNamed("z"), kinds.stanza, "4"); // written while broken
  const again = bench.arrive(peerNamed("z"), { hello: { session: first.session(), received: 1 } });
  again.enter();
  const got = again.numbered().map(({ number, body }) => [number, body]);
  expect(got).toEqual([[2, "2"], [3, "3"], [4, "4"]]); // prettier-ignore
});

test("mesh: † what is sent while the link is broken leaves no gap", () => {
  const world = pairUp();
  for (const name of ["a", "b"]) world.say(world.node(name), name === "a" ? "b" : "a");
  world.reset("a", "b");
  world.say(world.node("a"), "b");
  world.say(world.node("b"), "a");
  world.run(500);
  expect(faultsOf(world)).toEqual([]);
  expect(world.seen.map(({ received }) => received.length)).toEqual([3, 3]);
});

test("mesh: † a session that one side gave up is resumed by neither; nothing is swallowed", () => {
  const world = pairUp();
  for (let count = 0; count < 20; count += 1) world.say(world.node("b"), "a");
  world.run(50);
  // Only a gives up; b would go on with numbers that a's next session has not reached.
  world.reset("a", "b");
  const [a, b] = [world.node("a"), world.node("b")];
  a.mesh.disconnect(b.peer, "stale");
  world.endTurn(a);
  world.say(b, "a");
  world.run(3_000);
  expect(world.allUp()).toBe(true);
  for (let count = 0; count < 5; count += 1) world.say(b, "a");
  world.run(100);
  expect(world.seen.length).toBe(4);
  expect(world.seen.filter(({ owner }) => owner === b.peer)[0]?.undelivered?.length).toBe(1);
  expect(faultsOf(world)).toEqual([]);
});

test("mesh: † a session that ends closes the handshake that has offered it", () => {
  const bench = new Bench();
  const first = bench.arrive(peerNamed("z"));
  first.enter();
  const session = first.session();
  first.close();
  bench.run(2_000); // so that the handshake's own time is not over first
  const second = bench.arrive(peerNamed("z"), { hello: { session } });
  second.hello();
  expect(second.theirs().hello.session).toBe(session);
  bench.run(2_990);
  expect(second.closed).toBe(false);
  bench.run(20); // the grace is over
  expect([second.closed, bench.of("peer-down").length]).toEqual([true, 1]);
});

test("mesh: † at completion the session must still be the one that was offered", () => {
  const bench = new Bench();
  const one = bench.arrive(peerNamed("z"), { hello: { dial: 1 } });
  const two = bench.arrive(peerNamed("z"), { hello: { dial: 2 } });
  one.hello();
  two.hello(); // both were offered no session
  one.finish();
  two.finish();
  expect([one.closed, two.closed]).toEqual([false, true]);
  expect(bench.of("peer-up").length).toBe(1);
});

test("mesh: a peer that says what it had received before it gave up gets nothing handed back twice", () => {
  const bench = new Bench();
  const first = bench.arrive(peerNamed("z"));
  first.enter();
  for (const body of ["1", "2", "3"]) bench.mesh.send(peerNamed("z"), kinds.stanza, body);
  bench.flush();
  first.close();
  const lastGivenUp = { session: first.session(), received: 2 };
  bench.arrive(peerNamed("z"), { hello: { lastGivenUp } }).enter();
  const [down] = bench.of("peer-down");
  expect(down?.undelivered.map(({ body }) => body)).toEqual(["3"]);
  expect(bench.effects.findIndex(({ type }) => type === "peer-down")).toBeLessThan(
    bench.effects.findLastIndex(({ type }) => type === "peer-up"),
  );
});

test("mesh: we say what we had received of a session that we gave up; an empty one since says nothing", () => {
  const bench = new Bench();
  const first = bench.arrive(peerNamed("z"));
  first.enter();
  first.message(1, "hello");
  first.close();
  bench.run(6_000);
  const empty = bench.arrive(peerNamed("z"));
  empty.enter();
  const told = { session: first.session(), received: 1 };
  expect(empty.theirs().hello.lastGivenUp).toEqual(told);
  empty.close();
  bench.run(6_000);
  const next = bench.arrive(peerNamed("z"));
  next.hello();
  expect(next.theirs().hello.lastGivenUp).toEqual(told);
});

test("mesh: what is sent in answer to a session that has ended does not land in the next", () => {
  const bench = new Bench();
  bench.arrive(peerNamed("z")).enter();
  bench.arrive(peerNamed("z"), { hello: { dial: 99 } }).enter();
  expect(bench.of("peer-up").map(({ session }) => session)).toEqual([1, 2]);
  expect(bench.mesh.send(peerNamed("z"), kinds.stanza, "late", 1)).toBeUndefined();
  expect(bench.mesh.send(peerNamed("z"), kinds.stanza, "new", 2)).toBe(1);
});
