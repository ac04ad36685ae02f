/** Two troubles of one kind that befall one target: which goes on when the other ends? */
import { expect, test } from "vitest";
import { scheduleTroubles, type Trouble } from "../../sim/kit/troubles.ts";
import { World } from "../../sim/kit/world.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { run } from "../../sim/run.ts";
import { runPorts } from "../../sim/cli/ports.ts";
import type { FaultPlan, Plan } from "../../sim/plan.ts";

test("troubles: who ends is told of another of its kind and target that goes on", () => {
  const world = new World();
  const row = (target: string, startAt: number, endAt: number): Trouble => ({
    ...{ kind: "slow", target, startAt, endAt },
  });
  const told: string[] = [];
  scheduleTroubles(world, [row("a", 10, 40), row("a", 20, 60), row("b", 15, 30)], {
    start: ({ target }) => told.push(`${world.now()} ${target} starts`),
    end: ({ target }, other) =>
      told.push(`${world.now()} ${target} ends, ${other?.endAt ?? "nothing"}`),
  });
  world.runUntil(100);
  expect(told.slice(3)).toEqual(["30 b ends, nothing", "40 a ends, 60", "60 a ends, nothing"]);
});

test("troubles: a node that is slow twice is slow until the last has ended, as slow as that is", () => {
  const drawn = planFromSeed(3, { ...profiles.small, nodes: [1], faults: false });
  const slow = (startAt: number, endAt: number, amount: number): FaultPlan => ({
    ...{ kind: "node-slow", target: "n1", startAt, endAt, amount },
  });
  const plan: Plan = { ...drawn, faults: [slow(5_000, 9_000, 25), slow(6_000, 12_000, 5)] };
  const turns: string[] = [];
  run(plan, {
    ...runPorts(),
    sinks: [
      ({ at, kind, data }) => {
        if (kind === "node-slowed") turns.push(`${at} ${data.turnMs}`);
        if (kind === "node-recovered") turns.push(`${at} well`);
      },
    ],
  });
  expect(turns).toEqual(["5000 25", "6000 5", "12000 well"]);
});
