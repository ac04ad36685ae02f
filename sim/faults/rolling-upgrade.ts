/**
 * Rolling upgrade: one node after the other is restarted with another release.
 *
 * Some are never reached, and some are rolled back. An amount is the release; below zero the process is
 * killed instead of being told to stop.
 */
import type { FaultPlan } from "../plan.ts";
import type { Random } from "../kit/random.ts";
import { releases, type Release } from "../releases/releases.ts";
import { periodOf, type Fault } from "./fault.ts";

export const rollingUpgrade: Fault = {
  kind: "rolling-upgrade",
  hits: "node",
  nodesMin: 2,
  amountMin: -Infinity,
  plan: (random, setting) => {
    const reached = random.shuffle(setting.nodes).filter(() => random.chance(0.8));
    const back = reached.filter(() => random.chance(0.25));
    const steps = [
      ...reached.map(({ name, release = 1 }) => ({ name, to: other(release) })),
      ...back.map(({ name, release = 1 }) => ({ name, to: release })),
    ];
    const { startAt, endAt } = periodOf(random, setting, setting.duration.safety);
    const step = (endAt - startAt) / Math.max(1, steps.length);
    return steps.map(({ name, to }, index) => row(random, name, to, startAt + index * step, step));
  },
  start: ({ node }, { target, amount }) => {
    const release = releases.find((each) => each === Math.abs(amount));
    if (release !== undefined) node(target)?.install(release);
    if (amount < 0) node(target)?.kill();
    else node(target)?.stop(true);
  },
  end: ({ node }, { target }) => node(target)?.revive(),
};

function other(release: Release): Release {
  return release === 1 ? 2 : 1;
}

/** Down for a part of the step, or back at once. */
function row(random: Random, target: string, to: Release, at: number, step: number): FaultPlan {
  const startAt = Math.floor(at);
  const endAt = startAt + Math.min(random.pick([1, 400, 3_000]), Math.floor(step));
  const amount = random.chance(0.5) ? to : -to;
  return { kind: "rolling-upgrade", target, startAt, endAt, amount };
}
