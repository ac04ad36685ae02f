/**
 * Laws of the login limits: verdicts of one address are bounded over any stretch of time, and so is the
 * memory for all of them.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LoginLimits } from "../../src/server/login-limits.ts";

const attempts = fc.array(
  fc.record({ wait: fc.oneof(fc.constant(0), fc.nat(5_000)), address: fc.nat(5) }),
  { minLength: 50, maxLength: 300 },
);
const limits = fc.record({
  max: fc.integer({ min: 1, max: 10 }),
  period: fc.integer({ min: 1_000, max: 60_000 }),
});

test("login limits: in any stretch of time an address gets `max` verdicts and what leaks in it", () => {
  let withheld = 0;
  fc.assert(
    fc.property(attempts, limits, (steps, { max, period }) => {
      const limit = new LoginLimits({ max, period, addressesMax: 6 });
      const verdicts = new Map<number, number[]>();
      let now = 0;
      for (const { wait, address } of steps) {
        now += wait;
        if (!limit.allows(now, `192.0.2.${address}`)) {
          withheld += 1;
          continue;
        }
        limit.failed(now, `192.0.2.${address}`);
        verdicts.set(address, [...(verdicts.get(address) ?? []), now]);
      }
      for (const times of verdicts.values()) {
        for (const [first, from] of times.entries()) {
          for (const [more, to] of times.slice(first).entries()) {
            const leaked = ((to - from) * max) / period;
            expect(more + 1).toBeLessThanOrEqual(max + leaked + 1e-6);
          }
        }
      }
    }),
    { numRuns: 50 },
  );
  expect(withheld).toBeGreaterThan(50);
});

test("login limits: who waits long enough between failures is never limited", () => {
  fc.assert(
    fc.property(limits, fc.nat(200), ({ max, period }, count) => {
      const limit = new LoginLimits({ max, period, addressesMax: 6 });
      const wait = Math.ceil(period / max);
      for (let i = 0; i < count; i++) {
        expect(limit.allows(i * wait, "192.0.2.1")).toBe(true);
        limit.failed(i * wait, "192.0.2.1");
      }
    }),
    { numRuns: 50 },
  );
});

test("login limits: no more addresses are remembered than the bound, the latest among them", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(500)), (addressesMax, hosts) => {
      const limit = new LoginLimits({ max: 1, period: 60_000, addressesMax });
      for (const host of hosts) {
        limit.failed(0, `10.0.${host >> 8}.${host & 255}`);
        expect(limit.size).toBeLessThanOrEqual(addressesMax);
        expect(limit.allows(0, `10.0.${host >> 8}.${host & 255}`)).toBe(false);
      }
    }),
    { numRuns: 100 },
  );
});
