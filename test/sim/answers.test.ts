/** Who asks and closes its stream: whose answers come before the closing tag, and whose may be lost. */
import { expect, test } from "vitest";
import { alice, bob, both } from "./tale.ts";

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
