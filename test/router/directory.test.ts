/** The directory: sessions of this node and records of others. */
import { expect, test } from "vitest";
import { Partition } from "../../src/cluster/partition.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import { ReplicatedTable } from "../../src/cluster/table.ts";
import { tablesLimits } from "../../src/cluster/tables.ts";
import { Directory } from "../../src/router/directory.ts";
import { encodeSession, sessionTable } from "../../src/router/session-record.ts";
import { Session } from "../../src/router/session.ts";
import { jid } from "./scene.ts";

const here: Peer = { name: "here", incarnation: 1, boot: "0000000000000001" };
const there: Peer = { name: "there", incarnation: 1, boot: "0000000000000002" };
const sid = (digit: string): string => digit.repeat(32);

function scene() {
  const table = new ReplicatedTable(here, sessionTable, tablesLimits);
  const replica = new Partition(there, sessionTable.indexBy);
  table.show(replica);
  const directory = new Directory();
  directory.join(here, table);
  const bind = (full: string, digit: string, options: { stamp?: number; gen?: number } = {}) => {
    const { stamp = 1_000, gen = 0 } = options;
    const session = new Session(1, jid(full), sid(digit), stamp, "en", gen);
    directory.add(session);
    return session;
  };
  const bindThere = (full: string, digit: string, options: { stamp?: number } = {}) => {
    const record = { available: true, attached: true, priority: 0, gen: 0, sid: sid(digit) };
    replica.put(full, encodeSession({ ...record, stamp: options.stamp ?? 1_000 }), 1);
  };
  return { table, replica, directory, bind, bindThere };
}

const full = "juliet@localhost/balcony";

test("directory †: the end of an old session does not delete the record of the one that took its name", () => {
  const { table, directory, bind } = scene();
  const old = bind(full, "a");
  const young = bind(full, "b", { stamp: 1_001 });
  directory.remove(old);
  expect(table.own(full)?.value).toBe(encodeSession(young));
  directory.remove(young);
  expect(table.own(full)).toBeUndefined();
});

test("directory †: nor does the end of an earlier life of the same session", () => {
  const { table, directory, bind } = scene();
  const before = bind(full, "a", { gen: 1 });
  const resumed = bind(full, "a", { gen: 2 });
  directory.remove(before);
  expect(table.own(full)?.value).toBe(encodeSession(resumed));
});

test("directory: what was bound before the node joined is in the table, and changes follow", () => {
  const table = new ReplicatedTable(here, sessionTable, tablesLimits);
  const directory = new Directory();
  const session = new Session(1, jid(full), sid("a"), 1_000, "en");
  directory.add(session);
  directory.join(here, table);
  expect(table.own(full)?.value).toBe(encodeSession(session));
  session.available = true;
  session.priority = -128;
  directory.update(session);
  expect(table.own(full)?.value).toBe(encodeSession(session));
  const { seq = 0 } = table.own(full) ?? {};
  directory.update(session); // nothing new: nothing is written
  expect(table.own(full)?.seq).toBe(seq);
});

test("directory: a full JID is found at its node, a session here never is one elsewhere", () => {
  const { directory, bind, bindThere } = scene();
  bind("juliet@localhost/here", "a");
  bindThere("juliet@localhost/there", "b");
  expect(directory.ownerOf("juliet@localhost/there")).toBe(there);
  expect(directory.ownerOf("juliet@localhost/here")).toBeUndefined();
  expect(directory.ownerOf("juliet@localhost/nowhere")).toBeUndefined();
  const elsewhere = directory.elsewhere(jid("juliet@localhost"));
  expect(elsewhere.map((session) => session.full)).toEqual(["juliet@localhost/there"]);
  expect(directory.countOthers(jid("juliet@localhost/new"))).toBe(2);
  expect(directory.countOthers(jid("juliet@localhost/there"))).toBe(1);
});

test("directory: names outside ASCII are the same on every node", () => {
  const { table, directory, bind } = scene();
  const session = bind("жульєта@localhost/балкон 🦦", "a");
  const [key = ""] = [...table.entries()].map((record) => record.key);
  expect(/^[\0-\xff]*$/.test(key)).toBe(true);
  expect(directory.conflictOf(key)).toBeUndefined();
  const other = scene();
  other.replica.put(key, encodeSession({ ...session, priority: 3, available: true }), 1);
  const [remote] = other.directory.elsewhere(session.jid);
  expect(remote).toMatchObject({ full: session.jid.full, priority: 3, available: true });
});

test("bind stamp †: it exceeds every stamp in sight of that full JID, here and elsewhere", () => {
  const { directory, bind, bindThere } = scene();
  expect(directory.stampOf(full)).toBeUndefined();
  bind(full, "a", { stamp: 5 });
  expect(directory.stampOf(full)).toBe(5);
  bindThere(full, "b", { stamp: 2_000_000_000_000 });
  expect(directory.stampOf(full)).toBe(2_000_000_000_000);
});

test("conflict: the greater stamp stays; of equal ones that of the greater node", () => {
  const { directory, bind, bindThere } = scene();
  const session = bind(full, "f", { stamp: 10 });
  bindThere(full, "0", { stamp: 9 });
  expect(directory.conflictOf(full)).toBeUndefined();
  bindThere(full, "0", { stamp: 11 });
  expect(directory.conflictOf(full)).toEqual({ session, same: false });
  bindThere(full, "0", { stamp: 10 }); // "there" > "here"
  for (const count of [0, 1]) {
    expect([...directory.conflictsWith(there, count)]).toEqual([{ session, same: false }]);
  }
});

test("conflict: a session that goes on elsewhere is ended here without an error", () => {
  const { directory, replica, bind } = scene();
  const session = bind(full, "a", { gen: 1 });
  const moved = { ...session.snapshot(), attached: true, gen: 2 };
  replica.put(full, encodeSession(moved), 1);
  expect(directory.conflictOf(full)).toEqual({ session, same: true });
  replica.put(full, encodeSession({ ...moved, attached: false }), 2); // attached beats the greater gen
  expect(directory.conflictOf(full)).toBeUndefined();
});

test("directory: what is no record of a session is nobody", () => {
  const { directory, replica, bind } = scene();
  replica.put(full, "", 1);
  replica.put("juliet@localhost/x", "\x00".repeat(40), 2);
  expect(directory.ownerOf(full)).toBeUndefined();
  expect(directory.elsewhere(jid("juliet@localhost"))).toEqual([]);
  expect(directory.countOthers(jid(full))).toBe(0);
  bind(full, "a");
  expect(directory.conflictOf(full)).toBeUndefined();
});

test("directory: a hidden partition is not seen, without a record being touched", () => {
  const { table, replica, directory, bindThere } = scene();
  bindThere(full, "b");
  table.hide(replica);
  expect(directory.ownerOf(full)).toBeUndefined();
  expect(directory.stampOf(full)).toBeUndefined();
  expect(directory.elsewhere(jid(full))).toEqual([]);
  table.show(replica);
  expect(directory.ownerOf(full)).toBe(there);
});

test("directory: of two nodes that both have a full JID, a third finds the one whose session stays", () => {
  const { table, replica, directory, bindThere } = scene();
  const third: Peer = { name: "third", incarnation: 1, boot: "0000000000000003" };
  const later = new Partition(third, sessionTable.indexBy);
  table.show(later);
  const bindAtThird = (stamp: number): void => {
    const record = { available: true, attached: true, priority: 0, gen: 0, sid: sid("c"), stamp };
    later.put(full, encodeSession(record), 1);
  };
  const found = (): unknown => [
    directory.ownerOf(full)?.name,
    directory.remote(full)?.owner.name,
    ...directory.elsewhere(jid("juliet@localhost")).map(({ owner }) => owner.name),
  ];
  bindThere(full, "b", { stamp: 5 });
  bindAtThird(6);
  expect(found()).toEqual(["third", "third", "third"]);
  bindAtThird(4);
  expect(found()).toEqual(["there", "there", "there"]);
  bindAtThird(5); // "third" > "there"
  expect(found()).toEqual(["third", "third", "third"]);
  table.hide(later);
  expect(found()).toEqual(["there", "there", "there"]);
  table.hide(replica);
  expect(found()).toEqual([undefined, undefined]);
});
