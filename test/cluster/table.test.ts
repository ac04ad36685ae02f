/** Digest, partition, log and reads of one table. */
import { expect, test } from "vitest";
import { Digest } from "../../src/cluster/digest.ts";
import { knownHash } from "../../src/cluster/key-hash.ts";
import { OperationLog } from "../../src/cluster/operation-log.ts";
import { Partition } from "../../src/cluster/partition.ts";
import { RecordLayout, recordSize, writeRecord } from "../../src/cluster/record-layout.ts";
import { operationOf, seqOf } from "./operations.ts";
import { Retention } from "../../src/cluster/retention.ts";
import { ReplicatedTable, type TableLimits } from "../../src/cluster/table.ts";
import { minute } from "../../src/base/time.ts";

const self = { name: "n0", incarnation: 1, boot: "0000000000000001" };
const other = { name: "n1", incarnation: 1, boot: "0000000000000002" };
const limits: TableLimits = { recordBytesMax: 100, logBytesMax: 1_000, logOperationsMax: 3 };
const byUser = (key: string): string | undefined => key.split("/")[0];

function value(digest: Digest): bigint {
  return (BigInt(digest.high) << 32n) | BigInt(digest.low);
}

function laid(key: string, record: string, seq: number): [DataView, RecordLayout] {
  const bytes = new Uint8Array(recordSize(key, record, seq));
  writeRecord(bytes, 0, key, record, seq);
  const layout = new RecordLayout();
  layout.read(bytes, 0);
  return [new DataView(bytes.buffer), layout];
}

function of(key: string, record: string, seq: number): bigint {
  const digest = new Digest();
  digest.add(...laid(key, record, seq));
  return value(digest);
}

test("digest: the sum mod 2^64 of the records' hashes, in any order and with carries", () => {
  const digest = new Digest();
  let sum = 0n;
  const records = Array.from({ length: 200 }, (_, at) => [`k${at}`, `v${at * 7}`, at + 1] as const);
  for (const [key, record, seq] of records) {
    digest.add(...laid(key, record, seq));
    sum = (sum + of(key, record, seq)) & 0xffff_ffff_ffff_ffffn;
    expect(value(digest)).toBe(sum);
  }
  for (const [key, record, seq] of records.toReversed()) {
    digest.remove(...laid(key, record, seq));
    sum = (sum - of(key, record, seq)) & 0xffff_ffff_ffff_ffffn;
    expect(value(digest)).toBe(sum);
  }
  expect(value(digest)).toBe(0n);
});

test("digest: key, value, seq and the border between them all count, in version 1", () => {
  const hashes = [
    of("ab", "c", 1),
    of("a", "bc", 1),
    of("ab", "d", 1),
    of("ab", "c", 2),
    of("ab", "c", 1 + 2 ** 32),
    of("abcd", "", 1),
    of("", "abcd", 1),
    of("ab\0", "c", 1),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
  // Two releases must compute the same: whoever changes the hash gives it a new version.
  const vector = of("romeo@example.org/phone", "a value of some length\x80\xff", 12_345);
  expect(vector.toString(16)).toBe("40a849cf811e148f");
  expect(of("k", "\xe9v".repeat(50_001), 7).toString(16)).toBe("b7956d30833d8bb6");
});

test("partition: the index has exactly what the records have, also when a key moves in it", () => {
  const partition = new Partition(self, (_, record) => record[0]);
  for (let at = 0; at < 6; at++) partition.put(`k${at}`, `${"xyz"[at % 3]}${at}`, at + 1);
  const x = (): string[] => {
    const keys: string[] = [];
    partition.eachIndexed("x", knownHash.ofText("x"), ({ key }) => keys.push(key));
    return keys;
  };
  expect(x()).toEqual(["k0", "k3"]);
  partition.put("k3", "y", 7);
  expect(x()).toEqual(["k0"]);
  partition.put("k5", "x", 8);
  partition.put("k1", "x", 9);
  partition.delete("k5", 10);
  expect(x()).toEqual(["k0", "k1"]);
  for (const key of ["k0", "k1"]) partition.delete(key, 11);
  expect(x()).toEqual([]);
  for (const { key } of partition) partition.delete(key, 12);
  expect([partition.size, partition.digest.low, partition.digest.high]).toEqual([0, 0, 0]);
  expect(partition.bytes).toBe(new Partition(self).bytes);
});

test("operation log: reaches back as far as both bounds allow, and gives no part of what was missed", () => {
  const log = new OperationLog({ bytesMax: 200, countMax: 3 });
  for (let seq = 1; seq <= 5; seq++) log.add(operationOf(seq, `k${seq}`, "v"));
  expect(log.after(2, 5, 1_000)?.map(seqOf)).toEqual([3, 4, 5]);
  expect(log.after(5, 5, 1_000)).toEqual([]);
  expect(log.after(1, 5, 1_000)).toBeUndefined();
  expect(log.after(6, 5, 1_000)).toBeUndefined();
  expect(log.after(2, 5, 100)).toBeUndefined();
  log.add(operationOf(6, "k6", "v".repeat(150)));
  expect(log.after(5, 6, 1_000)?.map(seqOf)).toEqual([6]);
  expect(log.after(4, 6, 1_000)).toBeUndefined();
  log.add(operationOf(7, "k7", "v".repeat(300)));
  expect([log.size, log.bytes, log.after(6, 7, 1_000)]).toEqual([0, 0, undefined]);
});

test("operation log: ten thousand operations leave no more than the bound behind", () => {
  const log = new OperationLog({ bytesMax: 1_000_000, countMax: 10 });
  for (let seq = 1; seq <= 10_000; seq++) {
    log.add(operationOf(seq, "k"));
    expect(log.size).toBe(Math.min(seq, 10));
  }
  expect(log.after(9_990, 10_000, 1_000)?.map(seqOf)).toEqual(
    Array.from({ length: 10 }, (_, at) => 9_991 + at),
  );
});

test("table: reads see all visible owners, this node first; a record once read never changes", () => {
  const table = new ReplicatedTable(self, { name: "t", schema: 1, indexBy: byUser }, limits);
  const replica = new Partition(other, byUser);
  replica.put("romeo/phone", "theirs", 1);
  replica.put("romeo/desk", "desk", 2);
  expect(table.first("romeo/phone")).toBeUndefined();
  table.show(replica);
  expect(table.first("romeo/phone")).toMatchObject({ owner: other, value: "theirs", seq: 1 });
  expect(table.put("romeo/phone", "ours")).toBe(1);
  const ours = table.first("romeo/phone");
  expect(ours).toMatchObject({ owner: self, value: "ours" });
  expect(table.own("romeo/desk")).toBeUndefined();
  expect(table.get("romeo/phone").map(({ value: each }) => each)).toEqual(["ours", "theirs"]);
  const visited: string[] = [];
  table.each("romeo/phone", (record) => visited.push(record.value));
  table.eachByIndex("romeo", (record) => visited.push(record.value));
  expect(visited).toEqual(["ours", "theirs", "ours", "theirs", "desk"]);
  expect(table.byIndex("romeo").map(({ value: each }) => each)).toEqual(["ours", "theirs", "desk"]);
  table.put("romeo/phone", "changed");
  expect(ours?.value).toBe("ours");
  expect([...table.entries()].length).toBe(table.size);
  expect([...table.ownedBy(other)].length).toBe(2);
  table.hide(replica);
  expect([table.size, table.owners, [...table.ownedBy(other)]]).toEqual([1, [self], []]);
  expect(table.byIndex("romeo").length).toBe(1);
});

test("table: a delete of what is not there is no operation; a record over the limit is our fault", () => {
  const table = new ReplicatedTable(self, { name: "t", schema: 1 }, limits);
  expect(table.delete("a")).toBe(false);
  table.put("a", "1");
  expect(table.delete("a")).toBe(true);
  expect(table.takeUnsent().map(seqOf)).toEqual([1, 2]);
  expect(table.takeUnsent()).toEqual([]);
  expect(() => table.put("a", "x".repeat(100))).toThrow(/101 bytes, the maximum is 100/);
  expect(table.ownPartition.seq).toBe(2);
});

test("retention: by whole peer, 10 minutes, all together within the bound, the oldest first", () => {
  const retention = new Retention({ after: 10 * minute, bytesMax: 2_000 });
  const kept = (bytes: number): ReadonlyMap<string, Partition> => {
    const partition = new Partition(other);
    partition.put("k", "v".repeat(bytes), 1);
    return new Map([["t", partition]]);
  };
  const peer = (name: string, boot = "1") => ({ name, incarnation: 1, boot });
  for (const [at, name] of ["a", "b", "c"].entries()) retention.add(at, peer(name), kept(200));
  expect(retention.kept.map(({ peer: { name } }) => name)).toEqual(["a", "b", "c"]);
  retention.add(3, peer("d"), kept(990));
  expect(retention.kept.map(({ peer: { name } }) => name)).toEqual(["c", "d"]);
  expect(retention.bytes).toBeLessThanOrEqual(2_000);
  retention.add(4, peer("e"), kept(3_000));
  expect([retention.kept.length, retention.bytes]).toEqual([0, 0]);

  retention.add(5, peer("a"), kept(1));
  expect(retention.deadline()).toBe(5 + 10 * minute);
  expect(retention.take(peer("a", "2")).size).toBe(0);
  expect(retention.take(peer("a")).size).toBe(0);
  retention.add(6, peer("a"), kept(1));
  expect(retention.take(peer("a")).size).toBe(1);
  retention.add(7, peer("a"), kept(1));
  retention.expire(6 + 10 * minute);
  expect(retention.kept.length).toBe(1);
  retention.expire(7 + 10 * minute);
  expect([retention.kept.length, retention.bytes, retention.deadline()]).toEqual([0, 0, undefined]);
});

test("table: its version rises with every change of what others have written, and with no other", () => {
  const table = new ReplicatedTable(self, { name: "t", schema: 1 }, limits);
  const [before, after] = [new Partition(other), new Partition(other)];
  for (let seq = 1; seq <= 5; seq++) before.put(`k${seq}`, "v", seq);
  let version = table.version;
  for (const [change, rises] of [
    [() => table.put("a", "1"), false],
    [() => table.delete("a"), false],
    [() => before.put("hidden", "v", 6), false],
    [() => table.show(before), true],
    [() => before.put("k1", "w", 7), true],
    [() => before.delete("k2", 8), true],
    [() => before.delete("nobody", 9), false],
    [() => table.replace(before, after), true],
    [() => table.hide(after), true],
    [() => table.show(before), true],
    [() => table.hide(before), true],
  ] as const) {
    change();
    expect([change.toString(), table.version > version, table.version >= version]).toEqual([
      change.toString(),
      rises,
      true,
    ]);
    version = table.version;
  }
});
