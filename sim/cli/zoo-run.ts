/**
 * Zoo run: by whom is this bug seen, after how many seeds, and how small does its plan become? The entry of
 * the bundle that the zoo makes per plant.
 *
 *     node build/zoo/NAME.mjs ORDER   an order as JSON; prints one line of JSON
 */
import { planFromSeed, profiles, type ProfileName } from "../plan-from-seed.ts";
import type { Plan } from "../plan.ts";
import type { Failure } from "../run.ts";
import { shrinkHere, symptomOf, Yardstick } from "../shrink.ts";
import { failedAt } from "./record.ts";
import { runSafely } from "./run-safely.ts";

export interface ZooOrder {
  readonly profile: ProfileName;
  /** Give up after so many. */
  readonly seeds: number;
  /** Enough, once one of these has seen it; missing: once two have, so that it hangs on neither. */
  readonly enough?: readonly string[];
  readonly shrinkSeconds: number;
}

export interface Sighting {
  readonly oracle: string;
  /** How many seeds it took. */
  readonly runs: number;
  readonly what: string;
}

export interface ZooResult {
  readonly runs: number;
  /** Of each oracle the first, in the order in which they came. */
  readonly seen: readonly Sighting[];
  readonly shrunk?: ShrunkSize;
}

/** Events of the run, before and after; what is left in the plan. */
export interface ShrunkSize {
  readonly before: number;
  readonly events: number;
  readonly faults: number;
  readonly clients: number;
  readonly nodes: number;
  /** Of one core, and in how many runs. */
  readonly seconds: number;
  readonly runs: number;
  readonly plan: Plan;
}

const order = JSON.parse(process.argv[2] ?? "") as ZooOrder;
const { enough } = order;
const seen = new Map<string, Sighting>();
let shrunk: ShrunkSize | undefined;
let runs = 0;
while (runs < order.seeds && !isEnough()) {
  runs += 1;
  const plan = planFromSeed(runs, profiles[order.profile]);
  // All that fail in one run are noted, not the first alone.
  const { failures } = runSafely(plan);
  for (const { oracle, what } of failures) {
    if (!seen.has(oracle)) seen.set(oracle, { oracle, runs, what });
  }
  const failure = failures.find(({ oracle }) => enough?.includes(oracle) === true);
  if (failure !== undefined && order.shrinkSeconds > 0) {
    shrunk = shrinkPlan(plan, failure);
  }
}
const result: ZooResult = {
  runs,
  seen: [...seen.values()],
  ...(shrunk === undefined ? {} : { shrunk }),
};
console.log(JSON.stringify(result));

function isEnough(): boolean {
  return enough === undefined ? seen.size > 1 : enough.some((oracle) => seen.has(oracle));
}

function shrinkPlan(plan: Plan, failure: Failure): ShrunkSize {
  const symptom = symptomOf(failure);
  const startedAt = process.cpuUsage();
  // Of this process's own, so that it hangs on nobody else's work: as long as a whole core would take.
  const seconds = (): number => {
    const { user, system } = process.cpuUsage(startedAt);
    return Math.round((user + system) / 1_000_000);
  };
  const before = runSafely(plan).stats.events;
  const yardstick = new Yardstick(symptom, plan, before);
  let tried = 0;
  const small = shrinkHere(plan, {
    fails: (candidate) => {
      tried += 1;
      const outcome = runSafely(candidate);
      const fits = yardstick.fits(outcome);
      if (fits) yardstick.took(outcome, candidate);
      return fits;
    },
    failedAt: failedAt(plan, failure),
    yardstick,
    expired: () => seconds() >= order.shrinkSeconds,
  });
  return {
    before,
    events: runSafely(small).stats.events,
    faults: small.faults.length,
    clients: small.clients.length,
    nodes: small.topology.nodes.length,
    seconds: seconds(),
    runs: tried,
    plan: small,
  };
}
