/** Who is let in: proofs, names, incarnations, and what strangers may cost. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesFromBinary } from "../../src/base/bytes.ts";
import { binary, uint } from "../../src/cluster/codec.ts";
import { refusals } from "../../src/cluster/handshake.ts";
import { classes, kinds } from "../../src/cluster/messages.ts";
import { controlFrame, numberedFrame } from "../../src/cluster/wire.ts";
import { linkLimits } from "../../src/cluster/timing.ts";
import { LinksWorld } from "../../properties/cluster/links-world.ts";
import { Bench, peerNamed, type ScriptedPeer } from "./mesh-scripted-peer.ts";

const reason = (peer: ScriptedPeer): string => refusals[peer.refusal() ?? -1] ?? "none";
const isUp = (bench: Bench): boolean => bench.mesh.status()[0]?.state === "up";

test("mesh: wrong secret, cluster, own name or version are refused with a reason, on both sides", () => {
  const wrong = bytesFromBinary("guess");
  const cases = {
    secret: { secret: wrong },
    cluster: { cluster: "other" },
    "own-name": { peer: peerNamed("m") },
    version: { hello: { min: 2, max: 3 } },
  };
  for (const [why, more] of Object.entries(cases)) {
    const arrived = new Bench();
    const dialler = arrived.arrive(peerNamed("z"), more);
    dialler.enter();
    expect([why, reason(dialler), dialler.closed]).toEqual([why, why, true]);
    const dialled = new Bench();
    dialled.discover("z");
    const acceptor = dialled.accept(dialled.dial(), peerNamed("z"), more);
    acceptor.enter();
    expect([why, reason(acceptor), acceptor.closed]).toEqual([why, why, true]);
    for (const bench of [arrived, dialled]) {
      expect(bench.of("peer-up")).toEqual([]);
      const logged = bench.of("log").find(({ event }) => event === "handshake-refused");
      expect(logged?.fields["refusal"]).toBe(why);
    }
  }
});

test("mesh: who answers a dial must be who was dialled", () => {
  const bench = new Bench();
  bench.discover("z");
  const other = bench.accept(bench.dial(), peerNamed("y"));
  other.enter();
  expect([other.closed, bench.of("peer-up")]).toEqual([true, []]);
});

test("mesh: † our own proof sent back to us proves nothing", () => {
  const bench = new Bench();
  bench.discover("z");
  const mirror = bench.accept(bench.dial(), peerNamed("z"));
  mirror.raw(controlFrame(kinds.hello, mirror.frames[0]?.body ?? ""));
  expect([mirror.closed, reason(mirror)]).toEqual([true, "own-name"]);

  bench.run(1_000);
  const thief = bench.accept(bench.dial(), peerNamed("z"));
  thief.hello();
  const shown = thief.frames.find(({ kind }) => kind === kinds.proof)?.body ?? "";
  thief.raw(controlFrame(kinds.welcome, shown + uint(1)));
  expect([thief.closed, reason(thief), bench.of("peer-up")]).toEqual([true, "secret", []]);
});

test("mesh: a handshake played again proves nothing: our nonce is new", () => {
  const bench = new Bench();
  const honest = bench.arrive(peerNamed("z"));
  honest.enter();
  const proof = honest.prove();
  const replay = bench.arrive(peerNamed("z"));
  replay.raw(controlFrame(kinds.hello, honest.own.replace("\x01", "\x01")));
  replay.raw(controlFrame(kinds.proof, binary(proof)));
  expect([replay.closed, honest.closed]).toEqual([true, false]);
  const later = bench.arrive(peerNamed("z"), { hello: { dial: 50 } });
  later.hello();
  later.raw(controlFrame(kinds.proof, binary(proof)));
  expect([later.closed, reason(later), honest.closed]).toEqual([true, "secret", false]);
});

test("mesh: with TLS the proof is bound to the connection", () => {
  const same = new Bench();
  same.arrive(peerNamed("z"), { channelBinding: "one" }).enter();
  expect(isUp(same)).toBe(true);
  const middle = new Bench();
  // The peer proved itself on another connection, to whoever sits between.
  const between = middle.arrive(peerNamed("z"), { channelBinding: "one" });
  between.hello();
  const other = middle.arrive(peerNamed("z"), { channelBinding: "two" });
  other.hello();
  const stolen = binary(between.prove());
  other.raw(controlFrame(kinds.proof, stolen));
  expect([other.closed, isUp(middle)]).toEqual([true, false]);
});

test("mesh: † another boot is another process, even with the same incarnation", () => {
  const bench = new Bench();
  const first = bench.arrive(peerNamed("z"));
  first.enter();
  bench.mesh.send(peerNamed("z"), kinds.stanza, "for the old one");
  bench.flush();
  first.close();
  const reborn = peerNamed("z", 5, "00000000000000cc");
  const next = bench.arrive(reborn, { hello: { session: first.session() } });
  next.enter();
  const [down] = bench.of("peer-down");
  expect([down?.final, down?.undelivered.length]).toEqual([true, 1]);
  expect(bench.of("peer-up").map(({ peer }) => peer.boot)).toEqual([
    "00000000000000bb",
    "00000000000000cc",
  ]);
  expect(next.numbered()).toEqual([]);
  expect(bench.mesh.send(peerNamed("z"), kinds.stanza, "x")).toBeUndefined();
  expect(bench.mesh.send(reborn, kinds.stanza, "x")).toBe(1);
});

test("mesh: a greater incarnation replaces a link that is up, an equal or smaller one only one that is not", () => {
  const bench = new Bench();
  const first = bench.arrive(peerNamed("z", 5));
  first.enter();
  for (const incarnation of [4, 5]) {
    const other = bench.arrive(peerNamed("z", incarnation, "00000000000000cc"));
    other.enter();
    const expected = incarnation === 4 ? "superseded" : "other-boot-up";
    expect([other.closed, reason(other), first.closed]).toEqual([true, expected, false]);
  }
  const greater = bench.arrive(peerNamed("z", 6, "00000000000000cc"));
  greater.hello();
  expect(first.closed).toBe(false);
  greater.finish();
  expect([greater.closed, first.closed, bench.of("peer-down")[0]?.final]).toEqual([
    false,
    true,
    true,
  ]);
  greater.close();
  bench.arrive(peerNamed("z", 4, "00000000000000dd")).enter();
  expect(bench.of("peer-up").map(({ peer }) => peer.incarnation)).toEqual([5, 6, 4]);
});

test("mesh: a node whose successor is up for 30 s is told to stop; a stranger cannot tell it so", () => {
  const world = new LinksWorld({ seed: 1 });
  world.add("b");
  const old = world.add("a", {}, 5);
  world.discover("a", "b");
  world.run(1_000);
  world.nodes.delete("a");
  const next = world.add("a", {}, 6);
  world.discover("a", "b");
  // The old one is still there and still dials.
  world.run(25_000);
  expect([old.superseded, world.node("b").current.get("a")?.peer]).toEqual([undefined, next.peer]);
  world.run(20_000);
  expect(old.superseded).toEqual(next.peer);
  expect(next.superseded).toBeUndefined();

  const bench = new Bench();
  bench.discover("z");
  const lie = binary("\x05" + binary("stop") + binary("\x01m\x06" + "12345678"));
  for (let elapsed = 0; elapsed < 60_000; elapsed += 6_000) {
    const liar = bench.accept(bench.dial(), peerNamed("z"));
    liar.hello();
    liar.raw(controlFrame(kinds.refused, lie + binary("x".repeat(32))));
    expect(liar.closed).toBe(true);
    bench.run(6_000);
  }
  expect(bench.of("superseded")).toEqual([]);
});

test("mesh: before the proof frames are small, numbered ones are refused, and five seconds are all", () => {
  const bench = new Bench();
  const giant = bench.arrive(peerNamed("z"));
  giant.raw("\x00\x00\x10\x01");
  const early = bench.arrive(peerNamed("z"));
  early.hello();
  early.raw(numberedFrame(kinds.stanza, classes.stanzas, 1, "let me in"));
  expect([giant.closed, early.closed]).toEqual([true, true]);
  const slow = bench.arrive(peerNamed("z"));
  slow.hello();
  bench.run(4_990);
  expect(slow.closed).toBe(false);
  bench.run(20);
  expect(slow.closed).toBe(true);
  expect(bench.mesh.status()).toEqual([]); // nothing is remembered of strangers
});

test("mesh: a flood of connections costs 64 at most and harms no link, old or new", () => {
  const bench = new Bench();
  const live = bench.arrive(peerNamed("z"));
  live.enter();
  const flood = Array.from({ length: 300 }, () => bench.arrive(peerNamed("flood")));
  expect(flood.filter(({ closed }) => !closed).length).toBe(linkLimits.openHandshakes);
  const friend = bench.arrive(peerNamed("y"));
  friend.enter();
  expect([live.closed, friend.closed]).toEqual([false, false]);
  expect(bench.of("peer-up").map(({ peer }) => peer.name)).toEqual(["z", "y"]);
  bench.run(5_000, () => live.beat());
  expect(flood.every(({ closed }) => closed)).toBe(true);
  expect(live.closed).toBe(false);
});

test("mesh: whatever strangers say, links live on", () => {
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => String.fromCharCode(...bytes)),
    fc
      .tuple(fc.constantFrom(...Object.values(kinds)), fc.uint8Array({ maxLength: 90 }))
      .map(([kind, bytes]) => controlFrame(kind, String.fromCharCode(...bytes))),
  );
  const move = fc.record({
    as: fc.constantFrom("z", "y", "m", "a"),
    say: fc.constantFrom("garbage", "truncated", "wrong secret", "other boot", "giant", "bye"),
    garbage,
  });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const bench = new Bench();
      bench.discover("z", "a");
      const live = bench.accept(bench.of("dial")[0]?.dial ?? 0, peerNamed("z"));
      live.enter();
      expect(live.closed).toBe(false);
      for (const each of moves) {
        const stranger = bench.arrive(peerNamed(each.as), {
          secret: bytesFromBinary("guess"),
          hello: { dial: 1_000, accepted: 1_000 },
        });
        if (each.say === "garbage") stranger.raw(each.garbage);
        if (each.say === "giant") stranger.raw("\xff\xff\xff\xff");
        if (each.say === "wrong secret") stranger.enter();
        if (each.say === "other boot")
          stranger.enter({ peer: peerNamed(each.as, 9_999, "00".repeat(8)) });
        if (each.say === "bye") stranger.raw(controlFrame(kinds.bye, uint(0)));
        if (each.say === "truncated") {
          stranger.hello();
          stranger.close();
        }
        if (!stranger.closed) stranger.raw(each.garbage);
      }
      bench.run(3_000, () => live.beat());
      live.message(1, "still here");
      expect([live.closed, bench.of("peer-up").length]).toEqual([false, 1]);
      expect([bench.of("message-received").length, bench.of("peer-down")]).toEqual([1, []]);
    }),
    { numRuns: 60 },
  );
});
