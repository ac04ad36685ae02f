/** How many lines strangers may cause. */
import { expect, test } from "vitest";
import { LineLimit } from "../../src/base/line-limit.ts";

test("line limit: so many lines a period, then one number for the rest", () => {
  const limit = new LineLimit({ max: 3, period: 1_000 });
  const asked = (at: number): boolean => limit.allows(at);
  expect([limit.deadline(), limit.expire(5)]).toEqual([undefined, 0]);
  expect([10, 11, 12].map(asked)).toEqual([true, true, true]);
  expect(limit.deadline()).toBeUndefined(); // nothing was left out: nothing is to be told
  expect([13, 900].map(asked)).toEqual([false, false]);
  expect([limit.deadline(), limit.expire(1_009)]).toEqual([1_010, 0]);
  expect([limit.expire(1_010), limit.deadline(), limit.expire(1_010)]).toEqual([2, undefined, 0]);
  expect([1_020, 1_021].map(asked)).toEqual([true, true]);
});

test("line limit: a period with few lines ends unseen, and the next begins with its first line", () => {
  const limit = new LineLimit({ max: 1, period: 1_000 });
  expect(limit.allows(0)).toBe(true);
  expect(limit.expire(5_000)).toBe(0);
  expect(limit.allows(5_000)).toBe(true);
  expect([limit.allows(5_500), limit.deadline()]).toEqual([false, 6_000]);
});
