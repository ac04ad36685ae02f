/** Database cut: one node cannot reach the database, or hears nothing of it; the others can. */
import { nodeOf, periodOf, severalRows, type Fault } from "./fault.ts";
import { bothWays, cutAll, mendAll, type Path } from "../kit/paths.ts";
import { databaseHost } from "../ports/database-faults.ts";
import type { FaultPlan } from "../plan.ts";

/** What is lost, by the plan's `amount`. */
const lost = { both: 0, asked: 1, answered: 2 } as const;

export const databaseCut: Fault = {
  kind: "database-cut",
  hits: "node",
  plan: (random, setting) =>
    severalRows("database-cut", random, 3, () => ({
      target: nodeOf(random, setting),
      ...periodOf(random, setting, 20_000),
      amount: random.pick([lost.both, lost.both, lost.asked, lost.answered]),
    })),
  start: ({ network }, fault) => cutAll(network.fabric, pathsOf(fault)),
  end: ({ network }, fault) => mendAll(network.fabric, pathsOf(fault)),
};

function pathsOf({ target, amount }: FaultPlan): readonly Path[] {
  if (amount === lost.asked) return [[target, databaseHost]];
  if (amount === lost.answered) return [[databaseHost, target]];
  return bothWays([target, databaseHost]);
}
