/** Who removes its account while another device of it is online: which devices must go, and which nobody could tell. */
import { expect, test } from "vitest";
import { binaryFromText } from "../../src/base/bytes.ts";
import { sessionTable } from "../../src/router/session-record.ts";
import { Tale } from "./tale.ts";

const device = "alice@meerkat.test/second";
/** Found by DNS, so that they are named after their addresses. */
const [here, there] = ["10.0.0.1#1.a", "10.0.0.2#1.b"];

/** A device at n2, which n1 is shown or not; then alice removes her account at n1, which may have gone before. */
function removes(shown: boolean, outcome = "result"): Tale {
  const tale = new Tale();
  for (const [node, peer] of [
    ["n1", here],
    ["n2", there],
  ] as const) {
    tale.at(node).then("node-started", { generation: 1 }).then("cluster-joined", { peer });
  }
  tale.at("n1").online("alice#1", "alice@meerkat.test/x");
  tale.at("n2").then("login-started", { login: "alice#2", user: "alice", node: "n2" });
  tale.then("connection-opened", { connection: 77, login: "alice#2", listener: "c2s", dial: 0 });
  tale.then("login-bound", { login: "alice#2", jid: device });
  const put = [binaryFromText(device), "a record"];
  const seen = { table: sessionTable.name, owner: there, seq: 1, fresh: true, put, gone: [] };
  if (shown) tale.at("n1").then("table-seen", seen);
  const change = { login: "alice#1", user: "alice" };
  return tale
    .at("n1")
    .then("account-change-sent", change)
    .then("account-change-answered", { ...change, outcome });
}

const later = (tale: Tale) =>
  tale
    .wait(30_000)
    .then("accounts-observed", { users: ["bob", "eve", "mallory"] })
    .verdict("accounts");
const wrong = "alice#2 is still online, without an account since 13 ms";

test("removed: a device that the node knew of must go", () => {
  expect(later(removes(true)).failures).toEqual([wrong]);
  expect(later(removes(true, "registration-required")).failures).toContain(wrong);
  expect(later(removes(true, "resource-constraint")).failures).toEqual([]);
  const closed = { connection: 77, login: "alice#2", reason: "ended" };
  const gone = later(removes(true).at("n2").then("connection-closed", closed));
  expect(gone).toMatchObject({ failures: [], unknown: 0 });
});

test("removed: what nobody could tell its node is not missed, nor what may yet come", () => {
  expect(later(removes(false)).failures).toEqual([]);
  const down = { peer: there, session: 1, reason: "lost", final: false, undelivered: 1 };
  expect(later(removes(true).at("n1").then("peer-down", down))).toMatchObject({
    failures: [],
    unknown: 1,
  });
  expect(removes(true).verdict("accounts")).toMatchObject({ failures: [], unknown: 1 });
});
