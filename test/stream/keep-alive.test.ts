/** Keep-alive: streams share the moments at which they are looked at, none of them late or much too early. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { idleAt } from "../../src/stream/keep-alive.ts";

test("keep-alive: a look is never late, and at most an eighth of the interval or 250 ms early", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 600_000 }), (activeAt, interval) => {
      const early = activeAt + interval - idleAt(activeAt, interval);
      expect(early).toBeGreaterThanOrEqual(0);
      expect(early).toBeLessThan(Math.max(1, Math.min(250, interval / 8)));
    }),
  );
});

test("keep-alive: a thousand streams of a minute are looked at in four moments a second", () => {
  const moments = new Set<number>();
  for (let at = 0; at < 1_000; at += 1) moments.add(idleAt(7_000_000 + at, 60_000));
  expect(moments.size).toBe(4);
});
