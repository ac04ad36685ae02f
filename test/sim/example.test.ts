import { expect, test } from "vitest";
import { planFromSeed, type Plan } from "../../examples/simulate-a-protocol/plan.ts";
import { Simulation, smallest } from "../../examples/simulate-a-protocol/simulation.ts";

const seeds = Array.from({ length: 200 }, (_, index) => index + 1);
const failing = (): Plan => {
  const seed = seeds.find((each) => new Simulation(planFromSeed(each), "answer").run().failure);
  return planFromSeed(seed ?? 0);
};

test("example: a seed finds the bug, and one fault and two tenants are left of its plan", () => {
  const small = smallest(failing(), "answer");
  expect(small.faults).toHaveLength(1);
  expect(small.tenants).toHaveLength(2);
  const read = JSON.parse(JSON.stringify(small)) as Plan;
  const [one, other] = [small, read].map((plan) => new Simulation(plan, "answer").run());
  expect(one?.failure).toMatch(/^\w+ and \w+ have the lock at \d+ ms$/);
  expect(other?.story).toEqual(one?.story);
  expect(other?.hash()).toBe(one?.hash());
  // It is the bug that fails, not the plan.
  expect(new Simulation(small, "question").run().failure).toBeUndefined();
});

test("example: without the bug no seed fails, and every seed grants the lock now and then", () => {
  for (const seed of seeds) {
    const { failure, story } = new Simulation(planFromSeed(seed), "question").run();
    expect({ seed, failure }).toEqual({ seed, failure: undefined });
    expect(story.some((line) => line.includes("has the lock"))).toBe(true);
  }
});

test("example: another seed is another history", () => {
  const hashes = seeds.map((seed) => new Simulation(planFromSeed(seed), "answer").run().hash());
  expect(new Set(hashes).size).toBe(seeds.length);
});
