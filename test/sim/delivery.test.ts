/** Delivery: the oracle, on hand-made traces of two nodes. */
import { expect, test } from "vitest";
import { binaryFromText } from "../../src/base/bytes.ts";
import { encodeSession, sessionTable } from "../../src/router/session-record.ts";
import { apart, bob } from "./tale.ts";

const table = sessionTable.name;
const key = binaryFromText(bob);
const record = (sid: string): string =>
  encodeSession({
    ...{ attached: true, available: true, priority: 0, gen: 0, stamp: 1 },
    sid: sid.repeat(32),
  });

/** Alice writes to Bob, whom her node has seen; it comes back after what is seen then. */
function bounced(...later: readonly string[]): readonly string[] {
  const { tale, n2 } = apart();
  const seen = (seq: number, value: string): void => {
    const gone = value === "gone";
    const written = { table, seq, key, value: gone ? "" : value, deleted: gone };
    tale.at("n2").then("table-written", written);
    const change = gone ? { put: [], gone: [key] } : { put: [key, value], gone: [] };
    tale.at("n1").then("table-seen", { table, owner: n2, seq, fresh: seq === 1, ...change });
  };
  seen(1, record("a"));
  tale.sends("alice#1", "1", bob);
  for (const [index, value] of later.entries()) seen(index + 2, value);
  return tale
    .then("message-bounced", { login: "alice#1", id: "1", condition: "service-unavailable" })
    .verdict("delivery").failures;
}

test("delivery: who is in sight of the sender's node all the while is given what is sent to that session", () => {
  expect(bounced()).toMatchObject([/though bob#1 was there/]);
  expect(bounced("gone")).toEqual([]);
});

test("delivery: a view that is behind shows one session, then none, then the next of that name", () => {
  expect(bounced("gone", record("b"))).toEqual([]);
});
