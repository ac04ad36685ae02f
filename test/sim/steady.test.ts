/** Steady: what is left out of a plan moves nothing that it has not led to. */
import { expect, test } from "vitest";
import { byMoment, inTurn } from "../../sim/kit/random.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import type { Plan } from "../../sim/plan.ts";
import { run } from "../../sim/run.ts";
import type { TraceEvent } from "../../sim/trace.ts";
import { runPorts } from "../../sim/cli/ports.ts";

const ports = runPorts();

/** What clients do of their own accord, and when. */
function doings(plan: Plan): readonly string[] {
  const seen: string[] = [];
  const see = ({ at, place, kind }: TraceEvent): void => {
    if (kind === "message-sent" || kind === "iq-sent" || kind === "login-bound") {
      seen.push(`${at} ${place} ${kind}`);
    }
  };
  run(plan, { ...ports, judge: false, sinks: [see] });
  return seen;
}

/** The share of what the others do which is as it was, to the millisecond, when one client is left out. */
function unmoved(plan: Plan, leftOut: number): number {
  const name = plan.clients[leftOut]?.name ?? "";
  const faults = plan.faults.filter(({ target }) => target !== name);
  const less = { ...plan, faults, clients: plan.clients.toSpliced(leftOut, 1) };
  const before = doings(plan).filter((each) => !each.includes(` ${name}#`));
  const after = new Set(doings(less));
  const kept = before.filter((each) => after.has(each)).length;
  return kept / Math.max(before.length, after.size);
}

test("without one client the others do what they did, when they did it", () => {
  const share = (plans: readonly Plan[]): number =>
    plans.reduce((sum, plan, at) => sum + unmoved(plan, at + 1), 0) / plans.length;
  // They ask much, answer late and refuse some of what they are given: what one hears must not move what it says.
  const plans = [1, 2, 3, 4, 5, 6].map((seed) => planFromSeed(seed, profiles.splits));
  expect(share(plans)).toBeGreaterThan(0.75);
  // Draws in turn are what it is compared with.
  expect(share(plans.map((plan) => ({ ...plan, steady: false })))).toBeLessThan(0.3);
});

test("draws depend on the moment, and within it on their number", () => {
  let now = 5;
  const draws = byMoment(7, () => now);
  const all = draws("line");
  const first = [all.int(1_000_000), all.int(1_000_000)];
  expect(first[0]).not.toBe(first[1]);
  now = 6;
  const later = all.int(1_000_000);
  expect(draws("line").int(1_000_000)).toBe(later);
  expect(draws("line#2").int(1_000_000)).toBe(later);
  expect(draws("other").int(1_000_000)).not.toBe(later);
  expect(byMoment(8, () => now)("line").int(1_000_000)).not.toBe(later);
  now = 5;
  expect(draws("line").int(1_000_000)).toBe(first[0]);
});

test("over moments, within one and over names each number comes about as often as any other", () => {
  let now = 0;
  const draws = byMoment(1, () => now);
  const counts = (drawn: readonly number[]): readonly number[] =>
    Array.from({ length: 10 }, (_, digit) => drawn.filter((each) => each === digit).length);
  const line = draws("line");
  const overMoments = Array.from({ length: 10_000 }, (_, at) => {
    now = at;
    return line.int(10);
  });
  const withinOne = Array.from({ length: 10_000 }, () => line.int(10));
  const overNames = Array.from({ length: 10_000 }, (_, at) => draws(`client-${at}`).int(10));
  const inTurnOnce = Array.from({ length: 10_000 }, (_, at) => inTurn(at)("line").int(10));
  for (const drawn of [overMoments, withinOne, overNames, inTurnOnce]) {
    for (const count of counts(drawn)) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  }
});
