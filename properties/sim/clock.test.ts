import fc from "fast-check";
import { expect, test } from "vitest";
import { Clock } from "../../sim/kit/clock.ts";

const moments = fc.integer({ min: 0, max: 100 * 86_400_000 });
const settings = fc.record({
  monotonicOrigin: fc.integer({ min: 0, max: 2 ** 40 }),
  wallOrigin: fc.integer({ min: 0, max: 2 ** 42 }),
  // Up to ten percent, and whatever else is not standing still.
  drift: fc.oneof(
    fc.integer({ min: -100_000, max: 100_000 }),
    fc.integer({ min: -999_999, max: 5_000_000 }),
  ),
});

/** A clock, and the hand that moves its world. */
function clockOf(options: ConstructorParameters<typeof Clock>[1]) {
  let moment = 0;
  const clock = new Clock({ now: () => moment }, options);
  const at = (to: number) => {
    moment = to;
    return clock.now();
  };
  return { clock, at };
}

test("clock: it reaches a deadline at the first moment at which it says so", () => {
  fc.assert(
    fc.property(settings, moments, (options, later) => {
      const { clock, at } = clockOf(options);
      const deadline = options.monotonicOrigin + later;
      const moment = clock.reaches(deadline);
      expect(Number.isSafeInteger(moment)).toBe(true);
      expect(at(moment).at).toBeGreaterThanOrEqual(deadline);
      expect(at(moment - 1).at).toBeLessThan(deadline);
    }),
  );
});

test("clock: what is due at once or never is so whatever the drift", () => {
  fc.assert(
    fc.property(settings, (options) => {
      const { clock } = clockOf(options);
      expect(clock.reaches(-Infinity)).toBe(-Infinity);
      expect(clock.reaches(Infinity)).toBe(Infinity);
    }),
  );
});

test("clock: it never goes back, and both clocks go alike until one is set", () => {
  fc.assert(
    fc.property(settings, moments, moments, fc.integer(), (options, one, other, by) => {
      const { clock, at } = clockOf(options);
      const [first, second] = [Math.min(one, other), Math.max(one, other)].map(at);
      if (first === undefined || second === undefined) return;
      expect(second.at).toBeGreaterThanOrEqual(first.at);
      expect(second.at - first.at).toBe(second.wall - first.wall);
      clock.jump(by);
      expect(at(Math.max(one, other))).toEqual({ at: second.at, wall: second.wall + by });
    }),
  );
});

test("clock: one that is right says the world's time, one that is not is off by its drift", () => {
  const origins = { monotonicOrigin: 1_000, wallOrigin: 1_700_000_000_000 };
  expect(clockOf(origins).at(5_000)).toEqual({ at: 6_000, wall: 1_700_000_005_000 });
  expect(clockOf(origins).clock.reaches(6_000)).toBe(5_000);
  expect(clockOf({ ...origins, drift: 10_000 }).at(100_000).at).toBe(1_000 + 101_000);
  expect(clockOf({ ...origins, drift: -10_000 }).at(100_000).at).toBe(1_000 + 99_000);
  expect(clockOf({ ...origins, drift: -10_000 }).clock.reaches(1_000 + 99_000)).toBe(100_000);
  expect(() => clockOf({ ...origins, drift: -1_000_000 })).toThrow(RangeError);
});
