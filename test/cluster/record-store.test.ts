import { expect, test } from "vitest";
import * as fc from "fast-check";
import { bytesFromBinary } from "../../src/base/bytes.ts";
import { none } from "../../src/cluster/hash-slots.ts";
import { knownHash } from "../../src/cluster/key-hash.ts";
import { Partition } from "../../src/cluster/partition.ts";
import { slabBytes } from "../../src/cluster/record-slabs.ts";
import { RecordStore } from "../../src/cluster/record-store.ts";
import { RecordWalk } from "../../src/cluster/wire-records.ts";

const owner = { name: "n0", incarnation: 1, boot: "0000000000000001" };

/** Keys that come again; values from nothing to longer than a slab. */
const key = fc.oneof(
  fc.nat({ max: 30 }).map((at) => `user${at}@example.org/phone`),
  fc.constantFrom("", "k", "\xff\x80"),
);
const value = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: 300 }).map((length) => "v\xe9".repeat(length)) },
  { weight: 2, arbitrary: fc.nat({ max: 40_000 }).map((length) => "long".repeat(length)) },
);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("put"), key, value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete"), key, value }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("copy"), key, value }) },
);

const contents = (partition: Partition): ReadonlyMap<string, readonly [string, number]> =>
  new Map([...partition].map((record) => [record.key, [record.value, record.seq]]));

const indexBy = (name: string): string => name.split("/")[0] ?? "";

function indexed(partition: Partition, name: string): readonly string[] {
  const found: string[] = [];
  const key = indexBy(name);
  partition.eachIndexed(key, knownHash.ofText(key), (record) => void found.push(record.key));
  return found;
}

/** All records go by chunks, mostly of a few bytes, into another partition. */
function copied(
  from: Partition,
  except: ReadonlySet<string> = new Set(),
  limits = { bytesMax: 1_000, recordsMax: 7 },
): Partition {
  const to = new Partition(owner);
  const cursor = from.copyAll();
  while (cursor.next < cursor.end) {
    const { records } = from.copy(cursor, limits);
    const bytes = bytesFromBinary(`..${records}.`);
    to.load({ bytes, start: 2, end: bytes.length - 1 }, except);
  }
  return to;
}

test("partition: holds what a map would after any history, and so does its copy", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 150 }), (actions) => {
      const partition = new Partition(owner);
      const model = new Map<string, readonly [string, number]>();
      const read: (readonly [{ readonly value: string }, string])[] = [];
      for (const { do: what, key: name, value: text } of actions) {
        if (what === "put") {
          partition.seq += 1;
          const before = model.get(name);
          expect(partition.get(name)?.value).toBe(before?.[0]);
          partition.put(name, text, partition.seq);
          model.set(name, [text, partition.seq]);
          const record = partition.get(name);
          if (record !== undefined) read.push([record, text]);
        } else if (what === "delete") {
          partition.seq += 1;
          expect(partition.delete(name, partition.seq) !== undefined).toBe(model.has(name));
          model.delete(name);
        } else {
          const copy = copied(partition, new Set([name]));
          expect(contents(copy)).toEqual(new Map([...model].filter(([each]) => each !== name)));
        }
        expect(partition.size).toBe(model.size);
        expect(partition.get(name)?.value).toBe(model.get(name)?.[0]);
      }
      expect(contents(partition)).toEqual(model);
      // Who has read a record holds what was true then, whatever was moved since.
      for (const [record, text] of read) expect(record.value).toBe(text);
      // In one piece, too, which may be longer than a slab.
      const copy = copied(partition, new Set(), { bytesMax: 10_000_000, recordsMax: 1_000 });
      const { low, high } = partition.digest;
      expect(contents(copy)).toEqual(model);
      expect([copy.digest.low, copy.digest.high]).toEqual([low, high]);
    }),
  );
});

test("partition: a copy has what was there at its start and stays, and nothing that is written later", () => {
  const partition = new Partition(owner);
  const put = (name: string): unknown => partition.put(name, "v".repeat(100), ++partition.seq);
  for (let at = 0; at < 100; at++) put(`k${at}`);
  const cursor = partition.copyAll();
  const limits = { bytesMax: 1_500, recordsMax: 50 };
  const parts = [partition.copy(cursor, limits)];
  for (const gone of ["k3", "k50"]) partition.delete(gone, ++partition.seq);
  for (const later of ["k60", "k99", "new"]) put(later);
  while (cursor.next < cursor.end) parts.push(partition.copy(cursor, limits));
  const copy = new Partition(owner);
  for (const { records } of parts) {
    const bytes = bytesFromBinary(records);
    copy.load({ bytes, start: 0, end: bytes.length }, new Set());
  }
  const stayed = Array.from({ length: 100 }, (_, at) => `k${at}`).filter(
    (name) => !["k50", "k60", "k99"].includes(name),
  );
  expect([...copy].map((record) => record.key)).toEqual(stayed);
});

test("partition: what is loaded does not replace what an operation has written", () => {
  const [from, to] = [new Partition(owner), new Partition(owner)];
  from.put("a", "old", 1);
  from.put("b", "old", 2);
  to.put("a", "new", 3);
  from.seq = 2;
  const { count, records } = from.copy(from.copyAll(), { bytesMax: 1_000, recordsMax: 10 });
  expect(count).toBe(2);
  const bytes = bytesFromBinary(records);
  to.load({ bytes, start: 0, end: bytes.length }, new Set());
  expect([to.get("a")?.value, to.get("b")?.value, to.size]).toEqual(["new", "old", 2]);
});

test("record store: twenty times overwritten, it holds no more than twice its records", () => {
  const store = new RecordStore();
  const records = 1_000;
  let live = 0;
  for (let round = 0; round < 20; round++) {
    for (let at = 0; at < records; at++) {
      // A third is written once and stays between what changes.
      if (round > 0 && at % 3 === 0) continue;
      const name = `user${at}@example.org`;
      const hash = knownHash.ofText(name);
      const number = store.find(name, hash);
      const text = `${round}`.padEnd(200, "v");
      if (number === none) live += store.insert(name, text, 1, hash) >= 0 ? 250 : 0;
      else store.replace(number, name, text, round);
    }
    expect(store.bytes).toBeLessThan(2 * live + 2 ** 17);
  }
  for (let at = 0; at < records; at++) {
    const name = `user${at}@example.org`;
    store.remove(store.find(name, knownHash.ofText(name)));
  }
  expect([store.size, store.bytes, store.digest.low, store.digest.high]).toEqual([0, 0, 0, 0]);
});

test("hash: a text and its bytes have the same", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat({ max: 3 }), (bytes, start) => {
      const text = String.fromCharCode(...bytes.subarray(start));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const { length } = text;
      expect(knownHash.ofText(text)).toBe(knownHash.ofBytes(view, start, length));
    }),
  );
});

test("record store: a key is found by its hash, whoever was asked for meanwhile", () => {
  const store = new RecordStore();
  const hash = knownHash.ofText("romeo@example.org/a");
  const number = store.insert("romeo@example.org/a", "here", 1, hash);
  knownHash.ofText("juliet@example.org/" + "b".repeat(300));
  expect(store.find("romeo@example.org/a", hash)).toBe(number);
  expect(store.startsWith(number, "romeo@")).toBe(true);
  expect(store.startsWith(number, "romea@")).toBe(false);
});

/** Two keys that have one hash. */
function twins(): readonly [string, string] {
  const seen = new Map<number, string>();
  for (let at = 0; ; at++) {
    const name = `user${at}@example.org/${"x".repeat(at % 7)}`;
    const before = seen.get(knownHash.ofText(name));
    if (before !== undefined) return [before, name];
    seen.set(knownHash.ofText(name), name);
  }
}

test("partition: keys of one hash are two records, also when one is loaded beside the other", () => {
  const [one, other] = twins();
  const partition = new Partition(owner);
  partition.put(one, "one", (partition.seq = 1));
  const loaded = new Partition(owner);
  loaded.put(other, "other", 2);
  partition.put(other, "other", (partition.seq = 2));
  const { records } = partition.copy(partition.copyAll(), { bytesMax: 1_000, recordsMax: 7 });
  loaded.load({ bytes: bytesFromBinary(records), start: 0, end: records.length }, new Set());
  expect(contents(loaded)).toEqual(contents(partition));
  expect([loaded.digest.low, loaded.digest.high]).toEqual([
    partition.digest.low,
    partition.digest.high,
  ]);
  partition.delete(one, 3);
  expect([...partition].map(({ key: left }) => left)).toEqual([other]);
});

test("record store: what is written and deleted at once leaves nothing behind, also beside what stays", () => {
  const partition = new Partition(owner);
  partition.put("stays", "v", ++partition.seq);
  for (let round = 0; round < 3_000; round++) {
    partition.put("comes", "v".repeat(200), ++partition.seq);
    partition.delete("comes", ++partition.seq);
  }
  expect(partition.bytes).toBeLessThan(2 * slabBytes);
});

test("partition: operations as they lie on the wire say what was done", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
      const [from, to] = [new Partition(owner, indexBy), new Partition(owner, indexBy)];
      for (const { do: what, key: name, value: text } of actions) {
        const seq = ++from.seq;
        const operation =
          what === "delete" ? from.delete(name, seq) : from.put(name, text.slice(0, 60_000), seq);
        if (operation === undefined) continue;
        const { bytes, at, end } = operation;
        const walk = new RecordWalk({ bytes: bytes.slice(at, end), start: 0, end: end - at });
        expect(walk.next()).toBe(true);
        expect([walk.seq, walk.key, walk.isDeletion]).toEqual([seq, name, what === "delete"]);
        to.take(walk);
        expect(walk.next()).toBe(false);
      }
      expect(contents(to)).toEqual(contents(from));
      expect([to.digest.low, to.digest.high]).toEqual([from.digest.low, from.digest.high]);
      for (const { key: name } of from) expect(indexed(to, name)).toEqual(indexed(from, name));
    }),
  );
});
