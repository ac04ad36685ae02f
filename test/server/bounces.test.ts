/** Of which stanzas a sender is told. */
import { expect, test } from "vitest";
import { Bounces } from "../../src/server/bounces.ts";

test("bounces: a stanza is told of once, whichever copies come back, and memory is bounded", () => {
  const bounces = new Bounces();
  const id = (counter: number, origin = "n1") => ({ origin, counter });
  expect([bounces.isFirst(id(1)), bounces.isFirst(id(1))]).toEqual([true, false]);
  expect([bounces.isFirst(id(1, "n2")), bounces.isFirst(id(2))]).toEqual([true, true]);
  expect([bounces.isFirst(undefined), bounces.isFirst(undefined)]).toEqual([true, true]);
  for (let counter = 3; counter < 1_000; counter += 1) bounces.isFirst(id(counter));
  expect(bounces.isFirst(id(1))).toBe(false);
  bounces.isFirst(id(1_000)); // the thousandth and first
  expect([bounces.isFirst(id(2)), bounces.isFirst(id(1))]).toEqual([false, true]);
});
