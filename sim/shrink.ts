/**
 * Shrink: what can be left out of a plan of ours, and what is the same failure?
 *
 * Order (kit/shrink.ts does the rest): faults, clients, time, nodes, then simpler behaviours, network and
 * limits. The liveness phase never becomes shorter than what the oracles grant a healed cluster, since a
 * plan that is too short fails whatever the code does.
 */
import * as kit from "./kit/shrink.ts";
import { fewer, smaller, type Pass, type ShrinkOptions, type Shrinking } from "./kit/shrink.ts";
import type { Plan } from "./plan.ts";
import type { Failure } from "./run.ts";
import { keepClients, keepFaults, simplerClients, withoutNode } from "./shrink-parts.ts";
import { earlier, shorterFaults, simplerWorld } from "./shrink-time.ts";

/** What must still be seen: an oracle, and the words of what it said without names and numbers. */
export interface Symptom {
  readonly oracle: string;
  readonly words: string;
}

export function symptomOf({ oracle, what }: Failure): Symptom {
  const plain = what.split(/\s+/).filter((word) => /^[a-z]{2,}[,;:.]?$/.test(word));
  return { oracle, words: plain.join(" ") };
}

export function shows(failures: readonly Failure[], symptom: Symptom): boolean {
  return failures.some((failure) => {
    const { oracle, words } = symptomOf(failure);
    return oracle === symptom.oracle && words === symptom.words;
  });
}

const passes: readonly Pass<Plan>[] = [
  (plan) => fewer(plan, plan.faults.length, keepFaults),
  (plan) => fewer(plan, plan.clients.length, keepClients),
  (plan) => smaller(plan, earlier),
  nodesFewer,
  (plan) => smaller(plan, shorterFaults),
  (plan) => smaller(plan, simplerClients),
  (plan) => smaller(plan, simplerWorld),
];

export function shrink(plan: Plan): Shrinking<Plan> {
  return kit.shrink(plan, passes);
}

/** One run after the other, in this very thread. */
export function shrinkHere(plan: Plan, options: ShrinkOptions<Plan>): Plan {
  return kit.shrinkHere(plan, passes, options);
}

function* nodesFewer(plan: Plan): Shrinking<Plan> {
  return yield* smaller(plan, (each) =>
    each.topology.nodes.length < 2
      ? []
      : each.topology.nodes.toReversed().map(({ name }) => withoutNode(each, name)),
  );
}
