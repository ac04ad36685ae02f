/** Law of the shaper: what a peer that sends all it can gets read, and that it is never stopped for ever. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Shaper } from "../../src/stream/shaper.ts";

const chunks = fc.array(
  fc.record({ count: fc.integer({ min: 1, max: 5_000 }), wait: fc.nat(3_000) }),
  { minLength: 1, maxLength: 60 },
);

test("shaper: no more than the rate, a second's worth and one chunk; and always on again", () => {
  let paused = 0;
  fc.assert(
    fc.property(chunks, fc.integer({ min: 10, max: 10_000 }), (sent, maxRate) => {
      const shaper = new Shaper(maxRate);
      const read: { at: number; count: number }[] = [];
      let now = 0;
      for (const { count, wait } of sent) {
        now += wait;
        const until = shaper.deadline();
        if (until !== undefined) {
          // It reads on at its deadline, not before and no later.
          if (until > now)
            expect(shaper.step(until - 1, { type: "deadline-reached" })).toBeUndefined();
          now = Math.max(now, until);
          expect(shaper.step(now, { type: "deadline-reached" })).toBe("resume-reading");
        }
        read.push({ at: now, count });
        const effect = shaper.step(now, { type: "bytes-received", count });
        expect(effect === "pause-reading").toBe(shaper.deadline() !== undefined);
        if (effect !== undefined) paused += 1;
      }
      for (const [first, { at: from }] of read.entries()) {
        let bytes = 0;
        for (const { at, count } of read.slice(first)) {
          const allowed = ((at - from + 1_000) * maxRate) / 1_000;
          expect(bytes).toBeLessThanOrEqual(allowed + 1e-3);
          bytes += count;
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(paused).toBeGreaterThan(200);
});
