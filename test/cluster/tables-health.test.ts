/** Readers that are too slow, tables that differ, and waiting until a write is visible. Node 0 owns. */
import { expect, test } from "vitest";
import { minute, second } from "../../src/base/time.ts";
import { kinds } from "../../src/cluster/messages.ts";
import type { Partition } from "../../src/cluster/partition.ts";
import { writeHave, writeOperations } from "../../src/cluster/sync-messages.ts";
import { TablesWorld, type WorldOptions } from "./tables-world.ts";

const { have, operations, begin, end, delta, visible } = kinds;

/** Nodes that are in session and caught up; node 0 has written `a1`. */
function synced(options: Partial<WorldOptions> = {}): TablesWorld {
  const world = new TablesWorld({ nodes: 2, ...options });
  world.put(0, "a1", "v");
  world.heal();
  world.frames.length = 0;
  return world;
}

const peer = (world: TablesWorld, index: number) => world.node(index).peer;
const reader = (world: TablesWorld) => world.node(0).tables.status()[0]?.readers[0];
const replica = (world: TablesWorld) => world.node(1).tables.status()[0]?.replicas[0];

function full(world: TablesWorld, to = 1): void {
  world.step(0, { type: "queue-full", peer: peer(world, to) });
}
function drained(world: TablesWorld, to = 1): void {
  world.step(0, { type: "queue-drained", peer: peer(world, to) });
}

test("tables: a reader whose queue is full gets no operations, and what it missed when there is room", () => {
  const world = synced();
  full(world);
  expect(reader(world)?.state).toBe("current");
  for (const key of ["a2", "a3"]) {
    world.put(0, key, "v");
    world.pump();
  }
  expect(reader(world)?.state).toBe("stale");
  expect(world.heard(0, 1)).toEqual([]);
  world.put(0, "a4", "not flushed");
  drained(world);
  world.pump();
  expect(world.heard(0, 1)).toEqual([delta]);
  expect(world.view(1, 0)).toEqual(world.truth(0));
});

test("tables: a reader that missed more than the log has gets a snapshot, and shows what it had until then", () => {
  const world = synced({ limits: { logOperationsMax: 1 } });
  full(world);
  for (const key of ["a2", "a3"]) world.put(0, key, "v");
  world.delete(0, "a1");
  world.flush(0);
  drained(world);
  world.put(0, "a5", "v");
  world.flush(0);
  world.write(0, 1);
  world.deliver(0, 1);
  expect([...(world.view(1, 0) ?? [])]).toEqual([["a1", "v"]]);
  world.pump();
  expect(world.heard(0, 1)[0]).toBe(begin);
  expect(world.view(1, 0)).toEqual(world.truth(0));
  expect(world.node(1).counts).toEqual({ shown: 1, changed: 4 });
});

test("tables: a reader that is stale for 30 s is disconnected, one that drained in time is not", () => {
  const world = synced();
  full(world);
  world.put(0, "a2", "v");
  world.flush(0);
  world.wait(30 * second - 1);
  drained(world);
  world.wait(60 * second);
  expect(world.counts.disconnects).toBe(0);
  full(world);
  world.wait(60 * second);
  expect(world.counts.disconnects).toBe(0);
  world.put(0, "a3", "v");
  world.flush(0);
  world.wait(30 * second - 1);
  expect(world.counts.disconnects).toBe(0);
  world.wait(1);
  expect(world.counts.disconnects).toBe(1);
  expect(world.view(1, 0)).toBeUndefined();
});

test("tables: a request that comes while the queue is full is answered when there is room", () => {
  const world = new TablesWorld({ nodes: 2 });
  world.put(0, "a1", "v");
  world.up(0, 1);
  full(world);
  world.pump();
  expect(world.heard(0, 1)).toEqual([kinds.tables, have]);
  expect(reader(world)?.state).toBe("stale");
  drained(world);
  world.pump();
  expect(world.view(1, 0)).toEqual(world.truth(0));

  full(world);
  world.put(0, "a2", "v");
  world.flush(0);
  world.heard(0, 1);
  world.inject(1, 0, have, writeHave(0, peer(world, 0), undefined, true));
  expect(world.heard(0, 1)).toEqual([]);
  drained(world);
  world.pump();
  expect(world.heard(0, 1)).toEqual([begin, kinds.chunk, end]);

  full(world);
  world.inject(1, 0, have, writeHave(0, peer(world, 0), undefined, true));
  world.wait(30 * second);
  expect(world.counts.disconnects).toBe(1);
});

/** Changes node 1's copy behind the machine's back. */
function plant(world: TablesWorld, change: (copy: Partition) => void): void {
  const copy = world.table(1).visiblePartition(peer(world, 0));
  if (copy === undefined) throw new Error("Node 1 shows nothing");
  world.lenient = true;
  world.lenientViews = true;
  change(copy);
}

test("tables: a copy that differs is told of, counted and healed by a snapshot, without being hidden", () => {
  const world = synced();
  for (const change of [
    (copy: Partition) => copy.put("a1", "w", 1),
    (copy: Partition) => copy.put("a9", "w", 1),
    (copy: Partition) => copy.delete("a1", 1),
  ]) {
    plant(world, change);
    world.beat(0, 1);
    world.logs.length = 0;
    world.deliver(0, 1);
    expect(world.logs).toEqual(["table-diverged"]);
    expect(replica(world)).toMatchObject({ visible: true });
    world.pump();
    world.lenientViews = false;
    expect(world.view(1, 0)).toEqual(world.truth(0));
    world.wait(10 * minute);
  }
  expect(replica(world)?.diverged).toBe(3);
});

test("tables: † copies that never agree make fewer and fewer snapshots: 1 s, 2 s … 5 min apart", () => {
  const world = synced();
  const asked: number[] = [];
  for (let at = 0; at < 1_500; at++) {
    plant(world, (copy) => copy.put("a1", `wrong ${at}`, 1));
    world.beat(0, 1);
    world.heard(1, 0);
    world.pump();
    if (world.heard(1, 0).includes(have)) asked.push(at);
    world.wait(second);
  }
  const gaps = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
  expect(gaps.slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
  expect(new Set(gaps.slice(9))).toEqual(new Set([300]));
  expect(replica(world)?.diverged).toBe(1_500);
});

test("tables: a heartbeat that comes before the operations it counts is compared when they are here", () => {
  const world = synced();
  world.put(0, "a2", "v");
  world.put(0, "a3", "v");
  world.flush(0);
  world.beat(0, 1);
  world.put(0, "a4", "v");
  world.deliver(0, 1);
  world.pump();
  expect(world.logs).toEqual([]);
  plant(world, (copy) => copy.put("a1", "w", 1));
  world.put(0, "a5", "v");
  world.beat(0, 1);
  world.deliver(0, 1);
  expect(world.logs).toEqual([]);
  // One message brings the operation that the heartbeat counted and one more.
  world.put(0, "a6", "v");
  world.pump();
  expect(world.logs).toEqual(["table-diverged"]);
});

test("tables: nothing is compared while a snapshot is being loaded", () => {
  const world = synced({ limits: { logOperationsMax: 0, chunkBytesMax: 45 } });
  for (let at = 0; at < 5; at++) world.put(0, `b${at}`, "v");
  world.pump();
  world.inject(1, 0, have, writeHave(0, peer(world, 0), undefined, true));
  world.write(0, 1);
  world.pull(0, 1);
  world.beat(0, 1);
  world.deliver(0, 1);
  expect(replica(world)?.state).toBe("loading");
  world.pump();
  expect([world.logs, replica(world)?.state]).toEqual([[], "current"]);
});

test("settled: at once where all is visible, else when the last reader has reported", () => {
  const world = synced({ nodes: 3 });
  world.put(0, "a2", "v");
  world.settle(0);
  expect(world.settled).toEqual([]);
  world.write(0, 1);
  world.deliver(0, 1);
  world.write(1, 0);
  world.deliver(1, 0);
  expect(world.settled).toEqual([]);
  world.pump();
  const visibleAt = [peer(world, 1), peer(world, 2)];
  const none = { missing: [], lost: [], skipped: [] };
  expect(world.settled).toMatchObject([{ request: 1, visibleAt, ...none }]);
  world.frames.length = 0;
  world.settle(0);
  expect(world.settled).toMatchObject([{ request: 1 }, { request: 2, visibleAt, ...none }]);
  world.pump();
  expect(world.frames).toEqual([]);
});

test("settled: also for what was written and sent before somebody waits", () => {
  const world = synced();
  world.put(0, "a2", "v");
  world.pump();
  expect(world.heard(1, 0)).toEqual([]);
  world.settle(0);
  world.pump();
  expect(world.heard(0, 1)).toEqual([operations, operations]);
  expect(world.heard(1, 0)).toEqual([visible]);
  expect(world.settled).toMatchObject([{ visibleAt: [peer(world, 1)] }]);
});

test("settled: † a reader that is loading does not count as one that shows, whatever it has received", () => {
  const world = new TablesWorld({ nodes: 3, limits: { logOperationsMax: 0, chunkBytesMax: 45 } });
  for (let at = 0; at < 5; at++) world.put(0, `a${at}`, "v");
  world.up(0, 2);
  world.pump();
  world.up(0, 1);
  world.write(1, 0);
  world.deliver(1, 0);
  world.put(0, "b", "v");
  // Node 2 is asked to report, in the same bytes that go to node 1.
  for (let request = 0; request < 2; request++) {
    world.settle(0);
    for (const to of [1, 2]) {
      world.write(0, to);
      world.deliver(0, to);
      world.write(to, 0);
      world.deliver(to, 0);
    }
    expect(world.view(1, 0)).toBeUndefined();
  }
  const skipped = { visibleAt: [peer(world, 2)], skipped: [peer(world, 1)] };
  expect(world.settled).toMatchObject([skipped, skipped]);
  world.pump();
  world.settle(0);
  world.pump();
  expect(world.settled[2]).toMatchObject({ visibleAt: [peer(world, 2), peer(world, 1)] });
});

test("settled: what is kept from the session before is not reported while it is hidden", () => {
  const world = synced();
  const { seq } = world.table(0).ownPartition;
  world.cut(0, 1);
  world.finish(0, 1);
  world.up(0, 1);
  world.write(0, 1);
  world.deliver(0, 1);
  world.write(1, 0);
  world.deliver(1, 0);
  world.heard(1, 0);
  world.inject(0, 1, operations, writeOperations(0, seq, [], true));
  world.write(1, 0);
  world.deliver(1, 0);
  expect([world.view(1, 0), world.heard(1, 0)]).toEqual([undefined, []]);
  world.pump();
  expect(world.heard(1, 0)).toEqual([visible]);
});

test("settled: of a snapshot that is loaded beside what is shown nothing is reported", () => {
  const world = synced({ limits: { logOperationsMax: 0, chunkBytesMax: 45 } });
  const shown = world.table(0).ownPartition.seq;
  full(world);
  world.put(0, "a2", "v");
  world.put(0, "a3", "v");
  world.flush(0);
  drained(world);
  world.flush(0);
  world.write(0, 1);
  world.deliver(0, 1);
  expect([replica(world)?.state, replica(world)?.seq]).toEqual(["loading", shown]);
  world.inject(0, 1, operations, writeOperations(0, shown, [], true));
  world.write(1, 0);
  world.deliver(1, 0);
  expect(reader(world)?.visibleSeq).toBe(shown);
});

test("settled: names who became stale, who went down, also after its report, and who took over 2 s", () => {
  const world = synced({ nodes: 5 });
  world.put(0, "a2", "v");
  full(world, 1);
  world.settle(0);
  world.write(0, 2);
  world.deliver(0, 2);
  world.write(2, 0);
  world.deliver(2, 0);
  world.cut(0, 2);
  world.cut(0, 3);
  world.wait(2 * second - 1);
  expect(world.settled).toEqual([]);
  world.wait(1);
  expect(world.settled).toMatchObject([
    { visibleAt: [], missing: [peer(world, 4)], skipped: [peer(world, 1)] },
  ]);
  expect(world.settled[0]?.lost).toEqual([peer(world, 2), peer(world, 3)]);
});

test("settled: a reader that becomes stale while waited for is lost at once", () => {
  const world = synced();
  world.put(0, "a2", "v");
  world.settle(0);
  full(world);
  world.put(0, "a3", "v");
  world.flush(0);
  expect(world.settled).toMatchObject([{ lost: [peer(world, 1)], visibleAt: [], missing: [] }]);
});

test("tables: with a heartbeat an owner learns how far its readers are, though nobody waits, and once", () => {
  const world = synced();
  world.put(0, "a2", "v");
  world.pump();
  const { seq } = world.table(0).ownPartition;
  expect(world.heard(1, 0)).toEqual([]);
  for (let beats = 0; beats < 2; beats++) {
    world.beat(0, 1);
    world.pump();
  }
  expect(reader(world)?.visibleSeq).toBe(seq);
  expect(world.heard(1, 0)).toEqual([visible]);
});
