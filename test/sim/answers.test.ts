/**
 * Who asks and closes its stream: whose answers come before the closing tag, and whose may be lost. And who is
 * asked shortly before the end of a run, and may still be thinking.
 */
import { expect, test } from "vitest";
import { alice, apart, bob, both, plan } from "./tale.ts";

/** Alice asks, closes her stream and reads to its end, with no answer. */
function leaves(to: string, clean = true): readonly string[] {
  return both()
    .then("iq-sent", { login: "alice#1", id: "q", to, about: "ping" })
    .then("login-leaving", { login: "alice#1" })
    .then("login-ended", { login: "alice#1", reason: "ended", clean })
    .verdict("answers").failures;
}

test("answers: what its own node answers comes before the closing tag", () => {
  const [ownBare = ""] = alice.split("/");
  for (const to of ["", ownBare, "bob@meerkat.test", "meerkat.test", "nobody@meerkat.test"]) {
    expect(leaves(to)).toEqual([`q to "${to}", sent at 7 ms, was never answered`]);
    expect(leaves(to, false)).toEqual([]);
  }
  expect(leaves(bob)).toEqual([]);
});

test("answers: who was given a request late may take its time, and its answer travels as long as it did", () => {
  const [chatter] = plan.clients;
  if (chatter?.behaviour.kind !== "chatter") throw new TypeError("Alice is a chatter");
  const slow = { ...chatter, behaviour: { ...chatter.behaviour, answersMs: [0, 12_000] as const } };
  /** Alice asks; the request takes 5 s, its answer, if there is any, is given 2 s later. */
  const end = (after: number, { answers = false, thinks = true } = {}) => {
    const tale = both()
      .then("iq-sent", { login: "alice#1", id: "q/1", to: bob, about: "ping" })
      .wait(5_000)
      .then("bytes-sent", { connection: 9, data: "<iq id='q/1'/>" })
      .wait(2_000);
    if (answers) tale.then("answer-given", { login: "bob#1", id: "q/1" });
    const verdict = tale
      .wait(after)
      .then("node-resumed", {})
      .verdict("answers", thinks ? { ...plan, clients: [slow] } : plan);
    return verdict.failures.length === 0 ? verdict.unknown : "failed";
  };
  expect([end(14_900), end(15_100)]).toEqual([1, "failed"]);
  expect(end(5_100, { thinks: false })).toBe("failed");
  expect([end(4_900, { answers: true }), end(5_100, { answers: true })]).toEqual([1, "failed"]);
});

test("answers: what a node has given up the asker's node answers later, whoever else may have been asked", () => {
  const detail = `id=q/1 to=${alice}`;
  const after = (ms: number, { logged = true, another = true } = {}) => {
    const { tale, n2 } = apart();
    // Another device of Bob's user is on its way in elsewhere, and might have his name.
    if (another) tale.then("login-started", { login: "bob-too#1", user: "bob", node: "n3" });
    tale.then("iq-sent", { login: "alice#1", id: "q/1", to: bob, about: "ping" });
    tale.at("n2").then("bytes-sent", { connection: 9, data: "<iq id='q/1'/>" });
    tale.then("answer-given", { login: "bob#1", id: "q/1" });
    if (logged) tale.then("logged", { level: "debug", event: "answer-given-up", detail });
    const down = { peer: n2, session: 1, reason: "gone", final: false, undelivered: 0 };
    tale.at("n1").then("peer-down", down).wait(ms).then("node-resumed", {});
    const { unknown, failures } = tale.verdict("answers");
    return failures.length === 0 ? unknown : "failed";
  };
  for (const another of [true, false]) {
    expect([after(115_000, { another }), after(125_000, { another })]).toEqual([1, "failed"]);
    expect(after(115_000, { another, logged: false })).toBe("failed");
  }
});
