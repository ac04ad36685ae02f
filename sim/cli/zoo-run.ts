/**
 * Zoo run: how many seeds until this bug is seen, and how small does its plan become? The entry of the
 * bundle that the zoo makes per plant.
 *
 *     node build/zoo/NAME.mjs ORACLE FIRST LAST [SHRINK SECONDS] [PROFILE]   prints one line of JSON
 */
import { planFromSeed, profiles, type ProfileName } from "../plan-from-seed.ts";
import type { Plan } from "../plan.ts";
import { shows, shrinkHere, symptomOf } from "../shrink.ts";
import { runSafely } from "./tasks.ts";

export interface ZooResult {
  readonly runs: number;
  readonly found?: { readonly seed: number; readonly what: string };
  readonly others: readonly string[];
  readonly shrunk?: ShrunkSize;
}

/** Events of the run, before and after; what is left in the plan. */
export interface ShrunkSize {
  readonly before: number;
  readonly events: number;
  readonly faults: number;
  readonly clients: number;
  readonly nodes: number;
  readonly seconds: number;
  readonly plan: Plan;
}

const [oracle = "", first = "1", last = "1", shrinkSeconds = "0", profile = "small"] =
  process.argv.slice(2);
const others = new Set<string>();
let found: { seed: number; what: string } | undefined;
let shrunk: ShrunkSize | undefined;
let runs = 0;
for (let seed = Number(first); seed <= Number(last) && found === undefined; seed++) {
  runs += 1;
  const plan = planFromSeed(seed, profiles[profile as ProfileName]);
  const { failures } = runSafely(plan);
  const failure = failures.find((each) => each.oracle === oracle);
  if (failure === undefined) {
    for (const each of failures) others.add(each.oracle);
    continue;
  }
  found = { seed, what: failure.what };
  if (Number(shrinkSeconds) > 0) shrunk = shrinkPlan(plan, symptomOf(failure));
}
const result: ZooResult = {
  runs,
  others: [...others],
  ...(found === undefined ? {} : { found }),
  ...(shrunk === undefined ? {} : { shrunk }),
};
console.log(JSON.stringify(result));

function shrinkPlan(plan: Plan, symptom: ReturnType<typeof symptomOf>): ShrunkSize {
  const startedAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedAt) / 1_000);
  const small = shrinkHere(plan, {
    fails: (candidate) => shows(runSafely(candidate).failures, symptom),
    expired: () => seconds() >= Number(shrinkSeconds),
  });
  return {
    before: runSafely(plan).stats.events,
    events: runSafely(small).stats.events,
    faults: small.faults.length,
    clients: small.clients.length,
    nodes: small.topology.nodes.length,
    seconds: seconds(),
    plan: small,
  };
}
