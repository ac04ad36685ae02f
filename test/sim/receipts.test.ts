/** Receipts: the oracle, on hand-made traces of two nodes. */
import { expect, test } from "vitest";
import { apart, bob, plan, type Tale } from "./tale.ts";

const messageId = "m/alice#1/1";
const reason = "not back";

/** Alice has written to Bob, whose node has given it to him; both nodes' ends of their link are 1 and 2. */
function given(
  to = bob,
  id = messageId,
): { readonly tale: Tale; readonly back: () => Tale; readonly n1: string } {
  const { tale, n1, n2 } = apart();
  linked(tale, 1);
  tale.at("n1").then("message-sent", { login: "alice#1", id, to });
  tale.at("n2").then("bytes-sent", { connection: 9, data: `<message id='${id}' to='${bob}'/>` });
  const lost = { peer: n2, session: 1, reason, final: false, undelivered: 1 };
  const back = () => tale.at("n1").then("peer-down", { ...lost, handedBack: [id] });
  return { tale, back, n1 };
}

/** n1 dials. */
function linked(tale: Tale, connection: number): Tale {
  const link = { listener: "cluster", login: "" };
  tale.at("n1").then("connection-opened", { connection, dial: 1, ...link });
  tale.at("n2").then("connection-opened", { connection: connection + 1, dial: 0, ...link });
  writes(tale, connection + 1, "hello");
  reads(tale, connection, 5);
  writes(tale, connection + 1, "welcome");
  return reads(tale, connection, 7);
}

function writes(tale: Tale, connection: number, data: string): Tale {
  return tale.at("n2").then("bytes-sent", { connection, data });
}

function reads(tale: Tale, connection: number, bytes: number): Tale {
  return tale.at("n1").then("bytes-received", { connection, bytes: new Uint8Array(bytes) });
}

const failures = (tale: Tale): readonly string[] => tale.verdict("receipts").failures;

test("what a peer had not said that it has may be handed back", () => {
  const { tale, back } = given();
  expect(failures(back())).toEqual([]);
  expect(tale.verdict("receipts").judged).toBe(1);
});

test("once all was read that the peer wrote afterwards, it may not", () => {
  const { tale, back } = given();
  writes(tale, 2, "beat");
  reads(tale, 1, 4);
  expect(failures(back())).toMatchObject([/^n1 handed m\/alice#1\/1 back/]);
});

test("what its addressee may have answered may come back as an answer: its asker's name has moved to that node", () => {
  const asked = given(bob, "q/alice#1/1");
  asked.tale.at("bob#1").then("answer-given", { login: "bob#1", id: "q/alice#1/1" });
  const refused = given();
  for (const { tale, back } of [asked, refused]) {
    writes(tale, 2, "beat");
    reads(tale, 1, 4);
    back();
  }
  expect(asked.tale.verdict("receipts")).toMatchObject({ unknown: 1, failures: [] });
  const [alice, bobs, ...others] = plan.clients;
  if (alice === undefined || bobs?.behaviour.kind !== "chatter") throw new TypeError("two chatter");
  const declining = { ...bobs, behaviour: { ...bobs.behaviour, declines: 0.1 } };
  const clients = [alice, declining, ...others];
  expect(refused.tale.verdict("receipts", { ...plan, clients })).toMatchObject({
    unknown: 1,
    failures: [],
  });
  expect(failures(refused.tale)).toHaveLength(1);
});

test("what reaches a node after it has given the connection up, it does not look at", () => {
  const { tale, back } = given();
  writes(tale, 2, "beat");
  tale.at("n1").then("close-asked", { connection: 1 });
  reads(tale, 1, 4);
  expect(failures(back())).toEqual([]);
});

test("of half a write nobody can tell", () => {
  const { tale, back } = given();
  writes(tale, 2, "beat");
  reads(tale, 1, 3);
  expect(failures(back())).toEqual([]);
});

test("a hello tells of it at the moment at which it is proved, and what follows afterwards", () => {
  const proved = given();
  linked(proved.tale, 3);
  expect(failures(proved.back())).toEqual([]); // a moment later: that connection may have come to nothing
  const atOnce = given();
  linked(atOnce.tale, 3).wait(-1);
  expect(failures(atOnce.back())).toHaveLength(1);
  const entered = given();
  writes(linked(entered.tale, 3), 4, "beat");
  reads(entered.tale, 3, 4);
  expect(failures(entered.back())).toHaveLength(1);
});

test("what came back before, and what answers the peer's own client, is not judged", () => {
  const { tale, back, n1 } = given();
  writes(back(), 2, "beat");
  reads(tale, 1, 4);
  expect(failures(back())).toEqual([]);
  const answered = given();
  writes(answered.tale, 2, "beat");
  reads(answered.tale, 1, 4);
  const lost = { peer: n1, session: 1, reason, final: false, undelivered: 1 };
  answered.tale.at("n2").then("peer-down", { ...lost, handedBack: [messageId] });
  expect(answered.tale.verdict("receipts").judged).toBe(0);
});

/** A node whose copy was for a session that has gone sends it to another of the user's, which has had its own. */
test("of what is to a user with sessions at several nodes, which copy came back nobody can tell", () => {
  const cases = [
    [bob, 1],
    ["bob@meerkat.test", 0],
  ] as const;
  for (const [to, wrong] of cases) {
    const { tale, back } = given(to);
    tale.at("n3").then("login-started", { login: "bob#2", user: "bob", node: "n3" });
    writes(tale, 2, "beat");
    reads(tale, 1, 4);
    expect(failures(back())).toHaveLength(wrong);
  }
});
