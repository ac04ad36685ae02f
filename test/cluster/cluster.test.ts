/** Links and tables as one machine, over a simulated network. */
import { expect, test } from "vitest";
import { linkLimits, linkTiming } from "../../src/cluster/timing.ts";
import { ClusterNodes } from "../../properties/cluster/cluster-node.ts";
import { stanzaKind } from "../../properties/cluster/links-node.ts";
import { LinksWorld, type WorldOptions } from "../../properties/cluster/links-world.ts";

function pair(links = linkLimits, options: Partial<WorldOptions> = {}) {
  const world = new LinksWorld({ seed: 1, ...options });
  const nodes = new ClusterNodes(world, { links, tables: { logOperationsMax: 10 } });
  nodes.add("a");
  nodes.add("b");
  return { world, nodes };
}

test("cluster: a peer's records are hidden before what it did not receive is handed up: others' messages, in order", () => {
  const { world, nodes } = pair();
  const [a, b] = [nodes.byName.get("a"), nodes.byName.get("b")];
  if (a === undefined || b === undefined) throw new Error("two nodes");
  world.discover("a", "b");
  b.put("b1", "of b");
  world.run(5_000);
  expect(a.view(b.model.peer).size).toBe(1);
  world.block("a", "b");
  world.block("b", "a");
  for (let at = 0; at < 3; at++) {
    world.say(world.node("a"), "b");
    a.put(`a${at}`, "a write that b never gets");
    world.run(10);
  }
  expect(a.cluster.send({ ...b.model.peer, boot: "f".repeat(16) }, stanzaKind, "x")).toBe(false);
  // `ClusterNode` refuses a `peer-down` that comes while records are shown.
  world.run(linkTiming.heartbeatTimeout + linkTiming.linkGrace + 5_000);
  const [session] = world.seen.filter(({ owner, undelivered }) => {
    return owner.name === "a" && undelivered !== undefined;
  });
  expect(session?.undelivered?.map(({ kind }) => kind)).toEqual([32, 32, 32]);
  expect(session?.undelivered?.map(({ body }) => body)).toEqual(session?.sent.slice(-3));
  expect(a.view(b.model.peer).size).toBe(0);
  expect(a.cluster.peers()).toEqual([]);
  expect(a.cluster.send(b.model.peer, stanzaKind, "x")).toBe(false);
});

test("cluster: a snapshot of many windows passes through one, beside live writes and messages", () => {
  const { world, nodes } = pair();
  const [a, b] = [nodes.byName.get("a"), nodes.byName.get("b")];
  if (a === undefined || b === undefined) throw new Error("two nodes");
  const records = 300;
  for (let at = 0; at < records; at++) a.put(`k${at}`, "v".repeat(15_000));
  world.discover("a", "b");
  let most = 0;
  for (let at = 0; at < 3_000 && !b.cluster.synced(a.model.peer); at++) {
    world.run(5);
    for (const { unackedBytes } of world.node("a").mesh.status()) {
      most = Math.max(most, unackedBytes);
    }
    if (at % 3 === 0) a.delete(`k${at}`);
    world.say(world.node("a"), "b");
    world.endTurn(world.node("a"));
  }
  world.run(1_000);
  expect(new Map(b.view(a.model.peer))).toEqual(a.model.truth("sessions"));
  expect(most).toBeGreaterThan(linkLimits.syncWindowBytes / 2);
  expect(most).toBeLessThanOrEqual(linkLimits.windowBytes);
  const heard = world.seen.find(({ owner }) => owner.name === "b")?.received.length ?? 0;
  expect(heard).toBe(world.seen.find(({ owner }) => owner.name === "a")?.sent.length);
});

test("cluster: a flood of stanzas on a narrow link holds no login back, nor does a flood of writes hold stanzas", () => {
  // 4 KiB in 300 ms: a minute for what is sent.
  const narrow = { ...linkLimits, windowBytes: 4_096, ackBytes: 1_024, fragmentBytes: 1_024 };
  const { world, nodes } = pair(narrow, { latency: [150, 150], bodyBytes: 900 });
  const [a, b] = [nodes.byName.get("a"), nodes.byName.get("b")];
  if (a === undefined || b === undefined) throw new Error("two nodes");
  world.discover("a", "b");
  world.run(5_000);
  const heard = (): number =>
    world.seen.find(({ owner }) => owner === b.model.peer)?.received.length ?? 0;
  for (let count = 0; count < 800; count += 1) world.say(world.node("a"), "b");
  a.put("juliet", "has logged in");
  world.endTurn(world.node("a"));
  world.run(1_000);
  expect(b.view(a.model.peer).get("juliet")).toBe("has logged in");
  expect(heard()).toBeLessThan(100);
  // As many writes as the link takes, and more, for 20 s.
  const before = heard();
  for (let turn = 0; turn < 20; turn += 1) {
    for (let key = 0; key < 20; key += 1) a.put(`k${turn} ${key}`, "v".repeat(900));
    world.endTurn(world.node("a"));
    world.run(1_000);
  }
  expect(heard() - before).toBeGreaterThan(30);
  world.run(120_000);
  expect([heard(), b.view(a.model.peer).size]).toEqual([801, 401]);
});

test("cluster: a queue full of stanzas holds no write back: a login is shown while they wait", () => {
  const narrow = { ...linkLimits, windowBytes: 4_096, ackBytes: 1_024, queueBytes: 100_000 };
  const { world, nodes } = pair(narrow, { latency: [150, 150], bodyBytes: 900 });
  const [a, b] = [nodes.byName.get("a"), nodes.byName.get("b")];
  if (a === undefined || b === undefined) throw new Error("two nodes");
  world.discover("a", "b");
  world.run(5_000);
  const queued = (): number => a.status()[0]?.queuedBytes ?? 0;
  while (queued() <= narrow.queueBytes) world.say(world.node("a"), "b");
  world.run(0);
  a.put("juliet", "has logged in");
  world.endTurn(world.node("a"));
  world.run(1_000);
  expect(b.view(a.model.peer).get("juliet")).toBe("has logged in");
  // It was full all the while.
  expect(queued()).toBeGreaterThan(narrow.queueBytes / 2);
});

test("cluster: who missed more than a queue holds catches up by a snapshot, in one session", () => {
  const world = new LinksWorld({ seed: 1 });
  const links = { ...linkLimits, windowBytes: 16_384, queueBytes: 32_768 };
  const nodes = new ClusterNodes(world, { links, tables: {} });
  nodes.add("a");
  nodes.add("b");
  const [a, b] = [nodes.byName.get("a"), nodes.byName.get("b")];
  if (a === undefined || b === undefined) throw new Error("two nodes");
  world.discover("a", "b");
  a.put("before", "the split");
  world.run(5_000);
  world.block("a", "b");
  world.block("b", "a");
  world.run(linkTiming.heartbeatTimeout + linkTiming.linkGrace + 5_000);
  expect(a.cluster.peers()).toEqual([]);
  for (let at = 0; at < 500; at++) a.put(`k${at}`, "v".repeat(300));
  world.unblock("a", "b");
  world.unblock("b", "a");
  while (a.cluster.peers().length === 0) world.run(1);
  for (let at = 0; at < 300; at++) {
    world.run(1);
    // What is said meanwhile finds the delta, if there is one, waiting.
    world.say(world.node("a"), "b");
    world.endTurn(world.node("a"));
  }
  world.run(5_000);
  expect(b.view(a.model.peer).size).toBe(501);
  expect(world.seen.filter(({ owner }) => owner.name === "a")).toHaveLength(2);
});

test("cluster: what is sent leaves behind what its turn has written before it, whatever may overtake what", () => {
  const { world, nodes } = pair({ ...linkLimits, overtakingBytes: 0 });
  const [a, b] = [nodes.byName.get("a"), nodes.byName.get("b")];
  if (a === undefined || b === undefined) throw new Error("two nodes");
  world.discover("a", "b");
  world.run(5_000);
  a.put("k1", "first");
  a.cluster.send(b.model.peer, stanzaKind, "second");
  a.put("k2", "third");
  a.cluster.send(b.model.peer, stanzaKind, "fourth");
  const effects = a.cluster.flush({ at: 10_000, wall: 0 });
  const written = effects.map((effect) => (effect.type === "write" ? effect.data : "")).join("");
  expect(written.match(/first|second|third|fourth/g)).toEqual([
    "first",
    "second",
    "third",
    "fourth",
  ]);
});
