/** How a reader catches up with an owner: node 0 owns, node 1 reads. */
import { expect, test } from "vitest";
import { binary, byte, uint } from "../../src/cluster/codec.ts";
import { kinds } from "../../src/cluster/messages.ts";
import {
  writeBegin,
  writeChunk,
  writeEnd,
  writeHave,
  writeOperations,
} from "../../src/cluster/sync-messages.ts";
import type { Operation } from "../../src/cluster/operation-log.ts";
import type { TableOptions } from "../../src/cluster/table.ts";
import { operationOf } from "./operations.ts";
import { minute } from "../../src/base/time.ts";
import { plainTable, TablesWorld, type WorldOptions } from "./tables-world.ts";

const { have, operations, begin, chunk, end, delta } = kinds;
/** No log to speak of, and a record or two a chunk. */
const snapshots = { logOperationsMax: 0, chunkBytesMax: 45 };

function duo(options: Partial<WorldOptions> = {}): TablesWorld {
  return new TablesWorld({ nodes: 2, ...options });
}

/** Node 0 with records a0 … a9, node 1 in session, the first chunk on its way. */
function loading(limits: WorldOptions["limits"] = snapshots): TablesWorld {
  const world = duo({ limits });
  for (let at = 0; at < 10; at++) world.put(0, `a${at}`, `v${at}`);
  world.flush(0);
  world.up(0, 1);
  world.write(1, 0);
  world.deliver(1, 0);
  world.write(0, 1);
  expect(world.pull(0, 1)).toBe(true);
  return world;
}

function shows(world: TablesWorld): void {
  expect(world.view(1, 0)).toEqual(world.truth(0));
}

const state = (world: TablesWorld) => world.node(0).tables.status()[0]?.readers[0]?.state;
const replica = (world: TablesWorld) => world.node(1).tables.status()[0]?.replicas[0];

test("tables: † a snapshot is read from the live table, so what is deleted meanwhile does not come back", () => {
  const world = loading();
  world.delete(0, "a5");
  world.delete(0, "a0");
  world.put(0, "a6", "new");
  world.put(0, "b0", "added");
  world.pump();
  shows(world);
  expect([world.view(1, 0)?.has("a5"), world.view(1, 0)?.has("a0")]).toEqual([false, false]);
  // Not even for the reader to sort out: what has been deleted or written since crosses as an operation alone.
  const chunks = world.frames.filter(({ kind }) => kind === chunk).map(({ body }) => body);
  expect(chunks.length).toBeGreaterThan(3);
  expect(chunks.join("")).toContain("a9");
  expect(chunks.join("")).not.toMatch(/a5|a6|b0/);
});

test("tables: a record left over from one chunk is not sent if it was deleted before the next", () => {
  const world = loading({ ...snapshots, chunkBytesMax: 45 });
  // The first chunk has a0 and looked at a1, which had no room.
  world.delete(0, "a1");
  world.put(0, "a1", "again");
  world.delete(0, "a1");
  world.pump();
  shows(world);
});

test("tables: a chunk that comes after an operation on its key changes nothing", () => {
  for (const change of ["put", "delete"] as const) {
    const world = loading();
    if (change === "put") world.put(0, "a0", "newer");
    else world.delete(0, "a0");
    world.flush(0);
    world.write(0, 1);
    world.overtake(0, 1);
    world.deliver(0, 1);
    expect(world.heard(0, 1)).toEqual([kinds.tables, have, begin, operations, chunk]);
    world.pump();
    shows(world);
  }
});

test("tables: † nothing is shown before a sync has ended, and then all of it in one step", () => {
  const world = loading();
  world.deliver(0, 1);
  while (world.pull(0, 1)) {
    world.deliver(0, 1);
    expect(world.view(1, 0)).toBeUndefined();
    expect(world.table(1).size).toBe(0);
    expect(world.table(1).byIndex("a")).toEqual([]);
  }
  expect(world.node(1).tables.synced(world.node(0).peer)).toBe(false);
  world.pump();
  shows(world);
  expect(world.table(1).byIndex("a").length).toBe(10);
  expect(world.node(1).tables.synced(world.node(0).peer)).toBe(true);
});

test("tables: † what was deleted while a peer was away is never shown again, not even for a moment", () => {
  const world = duo();
  world.put(0, "a1", "live");
  world.put(0, "a2", "live");
  world.up(0, 1);
  world.pump();
  shows(world);
  world.cut(0, 1);
  world.finish(0, 1);
  expect(world.view(1, 0)).toBeUndefined();
  world.delete(0, "a1");
  world.up(0, 1);
  world.write(1, 0);
  world.deliver(1, 0);
  world.write(0, 1);
  // The session is up, the kept records are here, the answer is on its way.
  expect(replica(world)?.records).toBe(2);
  expect(world.table(1).first("a1")).toBeUndefined();
  expect(world.table(1).first("a2")).toBeUndefined();
  world.pump();
  shows(world);
});

test("tables: a return of the same process costs what it missed, another process starts anew", () => {
  const world = duo({ limits: { chunkBytesMax: 1_000 } });
  for (let at = 0; at < 500; at++) world.put(0, `a${at}`, "x".repeat(50));
  const cost = (): number => world.frames.reduce((sum, { size }) => sum + size, 0);
  world.up(0, 1);
  world.pump();
  world.cut(0, 1);
  world.finish(0, 1);
  world.frames.length = 0;
  world.put(0, "a7", "changed");
  world.delete(0, "a8");
  world.up(0, 1);
  world.pump();
  expect(cost()).toBeLessThan(300);
  expect(world.heard(0, 1)).toEqual([kinds.tables, have, delta]);
  shows(world);

  world.crash(0);
  expect(world.table(1).size).toBe(0);
  world.put(0, "b1", "of the successor");
  world.up(0, 1);
  expect(replica(world)?.records).toBe(0);
  world.pump();
  shows(world);
  expect(world.table(1).size).toBe(1);
});

test("tables: records kept aside are dropped after ten minutes, and at once after a farewell", () => {
  const world = duo();
  world.put(0, "a1", "v");
  world.up(0, 1);
  world.pump();
  world.cut(0, 1);
  world.finish(0, 1);
  world.wait(10 * minute - 1);
  expect(replica(world)?.state).toBe("retained");
  world.wait(1);
  expect(replica(world)).toBeUndefined();
  world.up(0, 1);
  world.pump();
  world.step(1, { type: "peer-down", peer: world.node(0).peer, final: true });
  expect(replica(world)).toBeUndefined();
  expect(world.table(1).size).toBe(0);
});

test("tables: an owner sends no operation before it has answered", () => {
  const world = duo();
  world.up(0, 1);
  world.put(0, "a1", "v");
  world.flush(0);
  world.write(0, 1);
  world.deliver(0, 1);
  expect(world.heard(0, 1)).toEqual([kinds.tables, have]);
  world.pump();
  expect(world.heard(0, 1)).toEqual([delta]);
  shows(world);
});

test("tables: one sync at a time: a request meanwhile is absorbed", () => {
  const world = loading();
  world.inject(1, 0, have, writeHave(0, world.node(0).peer, undefined, true));
  world.inject(1, 0, have, writeHave(0, world.node(0).peer, undefined, true));
  world.pump();
  expect(world.heard(0, 1).filter((kind) => kind === begin || kind === end)).toEqual([begin, end]);
  shows(world);
});

test("tables: chunks do not pass their begin, and end does not pass the last chunk", () => {
  const world = duo({ limits: snapshots });
  for (let at = 0; at < 3; at++) world.put(0, `a${at}`, "v");
  world.up(0, 1);
  world.write(1, 0);
  world.deliver(1, 0);
  // tables, have, begin are in the queue: none of them is written.
  expect(world.pull(0, 1)).toBe(false);
  world.write(0, 1, 2);
  expect(world.pull(0, 1)).toBe(false);
  world.write(0, 1, 1);
  expect(world.pull(0, 1)).toBe(true);
  world.pump();
  expect(world.heard(0, 1)).toEqual([kinds.tables, have, begin, chunk, chunk, chunk, end]);
});

test("tables: the request of a reader that speaks of another process is answered with everything", () => {
  const world = duo();
  for (let at = 0; at < 5; at++) world.put(0, `a${at}`, "v");
  world.up(0, 1);
  world.pump();
  world.heard(0, 1);
  const { peer } = world.node(0);
  const cases = [
    { boot: "f".repeat(16) },
    { incarnation: peer.incarnation + 1 },
    { seq: 6 },
    { snapshot: true },
  ];
  for (const { seq = 5, snapshot = false, ...wrong } of cases) {
    world.inject(1, 0, have, writeHave(0, { ...peer, ...wrong }, seq, snapshot));
    world.pump();
    expect(world.heard(0, 1)).toEqual([begin, chunk, end]);
  }
  world.inject(1, 0, have, writeHave(0, peer, 5));
  world.pump();
  expect(world.heard(0, 1)).toEqual([delta]);
});

test("tables: frames of an earlier sync, repeated operations and those of another stream are dropped", () => {
  const world = loading();
  const record = byte(0) + uint(1) + binary("z") + binary("old");
  world.deliver(0, 1);
  world.inject(0, 1, chunk, writeChunk(0, 77, 1, record));
  world.inject(0, 1, end, writeEnd(0, 77, 10));
  expect(world.view(1, 0)).toBeUndefined();
  world.pump();
  shows(world);
  world.inject(0, 1, chunk, writeChunk(0, 1, 1, record));
  world.inject(0, 1, end, writeEnd(0, 1, 10));
  const again = [operationOf(10, "a9", "repeated")];
  world.inject(0, 1, operations, writeOperations(0, 9, again, false));
  const next = [operationOf(11, "a9", "repeated")];
  world.inject(0, 1, operations, uint(0) + uint(5) + writeOperations(0, 10, next, false).slice(2));
  shows(world);
});

test("tables: an operation that is not the next is dropped, and the owner asked once", () => {
  const world = duo();
  world.lenient = true;
  world.put(0, "a1", "v");
  world.up(0, 1);
  world.pump();
  world.heard(1, 0);
  const late = (seq: number): Operation => operationOf(seq, "a5", "v");
  world.inject(0, 1, operations, writeOperations(0, 4, [late(5)], false));
  world.inject(0, 1, operations, writeOperations(0, 5, [late(6)], false));
  shows(world);
  world.put(0, "a2", "v");
  world.pump();
  expect(world.heard(1, 0)).toEqual([have]);
  expect(world.logs).toEqual(["table-gap"]);
  shows(world);
});

test("tables: a snapshot with a gap in its operations is not shown, but asked for again", () => {
  const world = loading();
  world.lenient = true;
  world.deliver(0, 1);
  const late = operationOf(15, "a5", "v");
  world.inject(0, 1, operations, writeOperations(0, 14, [late], false));
  world.heard(1, 0);
  world.pump();
  expect(world.heard(1, 0)).toEqual([delta, have]);
  expect(world.heard(0, 1).filter((kind) => kind === begin)).toHaveLength(2);
  shows(world);
});

test("tables: a snapshot begun by the owner takes the place of one that it broke off", () => {
  // The log reaches back to the last operation sent, but a reader that was loading cannot go on from it.
  const world = loading({ ...snapshots, logOperationsMax: 2 });
  world.deliver(0, 1);
  world.step(0, { type: "queue-full", peer: world.node(1).peer });
  world.put(0, "b1", "v");
  world.delete(0, "a0");
  world.flush(0);
  expect(state(world)).toBe("stale");
  expect(world.pull(0, 1)).toBe(false);
  world.step(0, { type: "queue-drained", peer: world.node(1).peer });
  expect(state(world)).toBe("syncing");
  world.pump();
  shows(world);
  expect(world.heard(0, 1).filter((kind) => kind === begin || kind === end)).toEqual([
    begin,
    begin,
    end,
  ]);
});

test("tables: what one step writes leaves in messages of a bounded size, each a part of the order", () => {
  const world = duo({ limits: { operationsBytesMax: 120 } });
  world.up(0, 1);
  world.pump();
  world.heard(0, 1);
  for (let at = 0; at < 20; at++) world.put(0, `a${at}`, "x".repeat(20));
  world.flush(0);
  world.write(0, 1);
  world.deliver(0, 1, 2);
  expect(world.view(1, 0)?.size).toBe(8);
  world.pump();
  expect(world.heard(0, 1)).toEqual([operations, operations, operations, operations, operations]);
  shows(world);
});

test("tables: chunks are at most 64 KiB, whatever the records", () => {
  const world = duo({ limits: { logOperationsMax: 0 } });
  for (const size of [60_000, 1, 30_000, 30_000, 5_600, 61_000, 10, 10]) {
    world.put(0, `a${world.truth(0).size}`, "x".repeat(size));
  }
  world.up(0, 1);
  world.pump();
  shows(world);
  const sizes = world.frames.filter(({ kind }) => kind === chunk).map(({ size }) => size);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
  expect(sizes.length).toBe(4);
});

test("tables: a table that one side lacks, or has with another schema, is left out on both", () => {
  const schema = (name: string, version: number): TableOptions => ({ name, schema: version });
  const world = duo({
    tables: (index) =>
      index === 0
        ? [schema("only-old", 1), plainTable, schema("changed", 1)]
        : [schema("changed", 2), schema("only-new", 1), plainTable],
  });
  world.put(0, "x", "1", "only-old");
  world.put(0, "x", "1", "changed");
  world.put(1, "x", "1", "only-new");
  world.put(0, "a1", "v");
  world.put(1, "a2", "v");
  world.up(0, 1);
  world.pump();
  shows(world);
  expect(world.view(0, 1)).toEqual(world.truth(1));
  expect(world.logs).toEqual(Array.from({ length: 4 }, () => "table-not-shared"));
  expect(world.table(1, "changed").size).toBe(0);
  expect([0, 1].map((index) => world.node(index).tables.unshared())).toMatchObject([
    [{ missing: ["only-old", "changed"], unknown: ["changed", "only-new"] }],
    [{ missing: ["changed", "only-new"], unknown: ["only-old", "changed"] }],
  ]);
  expect(world.node(1).tables.synced(world.node(0).peer)).toBe(true);
  world.put(0, "a3", "v");
  world.put(0, "y", "1", "changed");
  world.pump();
  shows(world);
});

test("tables: fields of a newer release are skipped, in messages, records and operations", () => {
  const world = duo({ limits: snapshots });
  world.put(0, "a0", "v");
  world.up(0, 1);
  const { peer } = world.node(0);
  const wire = (...parts: readonly string[]): string => parts.join("");
  world.write(0, 1, 1);
  world.deliver(0, 1);
  const record = wire("\x02", uint(1), uint(2), "a0", uint(1), "v", uint(3), "new");
  world.inject(0, 1, begin, wire(writeBegin(0, 9, 1, 1), "more"));
  world.inject(0, 1, chunk, wire(writeChunk(0, 9, 1, record), "more"));
  world.inject(0, 1, end, wire(writeEnd(0, 9, 1), "more"));
  shows(world);
  world.put(0, "a1", "w");
  const op = wire(uint(0), uint(0), "\0", uint(2), uint(1));
  const extended = wire("\x02", uint(2), uint(2), "a1", uint(1), "w", uint(3), "new");
  world.inject(0, 1, operations, wire(op, extended, "more"));
  shows(world);
  world.inject(1, 0, have, wire(writeHave(0, peer, 2), "more"));
  expect(world.counts.disconnects).toBe(0);
});

test("tables: an operation whose number is not its place in the message breaks the protocol", () => {
  const world = duo();
  world.lenient = true;
  world.put(0, "a1", "v");
  world.up(0, 1);
  world.pump();
  const two = [operationOf(2, "a2", "v"), operationOf(4, "a3", "v")];
  world.inject(0, 1, operations, writeOperations(0, 1, two, false));
  expect(world.counts.disconnects).toBe(1);
  expect(world.table(1).size).toBe(0);
});

test("tables: a message that breaks the protocol ends the session, and leaves no half of it behind", () => {
  const world = duo();
  world.lenient = true;
  world.put(0, "a1", "v");
  world.up(0, 1);
  world.pump();
  const two = [operationOf(2, "a2", "v"), operationOf(3, "a3", "v")];
  const whole = writeOperations(0, 1, two, false);
  world.inject(0, 1, operations, whole.slice(0, -1));
  expect(world.counts.disconnects).toBe(1);
  expect(world.logs).toEqual(["table-message-bad"]);
  expect(world.table(1).size).toBe(0);
  expect(replica(world)).toMatchObject({ state: "retained", seq: 1 });
});
