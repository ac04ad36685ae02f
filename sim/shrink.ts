/**
 * Shrink: which smallest plan still shows the failure?
 *
 * Delta debugging over a plan, which is a value: each candidate is a plan with less in it, and a whole run
 * decides whether the same failure is still there. A generator that runs nothing itself: it yields a list of
 * candidates, best first, and is told which of them failed first in that order (or none). So the
 * candidates of a list may be run on as many cores as there are, and whoever calls may stop at any time:
 * the best plan so far is always `best`.
 *
 * Order: faults, clients, time, nodes, then simpler behaviours, network and limits; over again until a whole
 * round removes nothing. The liveness phase never becomes shorter than what the oracles grant a healed
 * cluster, since a plan that is too short fails whatever the code does.
 */
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

/** Yields candidates; `next` takes the index of the first that still fails, or undefined. */
export type Shrinking = Generator<readonly Plan[], Plan, number | undefined>;

type Pass = (plan: Plan) => Shrinking;

const passes: readonly Pass[] = [
  (plan) => fewer(plan, plan.faults.length, keepFaults),
  (plan) => fewer(plan, plan.clients.length, keepClients),
  (plan) => smaller(plan, earlier),
  nodesFewer,
  (plan) => smaller(plan, shorterFaults),
  (plan) => smaller(plan, simplerClients),
  (plan) => smaller(plan, simplerWorld),
];

export function* shrink(plan: Plan): Shrinking {
  let best = plan;
  for (;;) {
    const before = best;
    for (const pass of passes) best = yield* pass(best);
    if (best === before) return best;
  }
}

/** Delta debugging (ddmin) of a list: halves, then quarters …; keeps what is needed. */
function* fewer(
  plan: Plan,
  count: number,
  keep: (plan: Plan, indices: readonly number[]) => Plan,
): Shrinking {
  let best = plan;
  let kept = Array.from({ length: count }, (_, index) => index);
  let parts = 1;
  while (kept.length > 0) {
    const size = Math.ceil(kept.length / parts);
    const rests: number[][] = [];
    for (let from = 0; from < kept.length; from += size) {
      rests.push([...kept.slice(0, from), ...kept.slice(from + size)]);
    }
    const candidates = rests.map((rest) => keep(plan, rest));
    const index = yield candidates;
    const rest = index === undefined ? undefined : rests[index];
    if (rest !== undefined) {
      kept = rest;
      best = keep(plan, kept);
      parts = Math.max(1, parts - 1);
    } else {
      if (size === 1) break;
      parts = Math.min(kept.length, parts * 2);
    }
  }
  return best;
}

/** Takes any step that still fails, until none does. */
function* smaller(plan: Plan, steps: (plan: Plan) => readonly Plan[]): Shrinking {
  let best = plan;
  for (;;) {
    const candidates = steps(best);
    if (candidates.length === 0) return best;
    const index = yield candidates;
    const next = index === undefined ? undefined : candidates[index];
    if (next === undefined) return best;
    best = next;
  }
}

function* nodesFewer(plan: Plan): Shrinking {
  return yield* smaller(plan, (each) =>
    each.topology.nodes.length < 2
      ? []
      : each.topology.nodes.toReversed().map(({ name }) => withoutNode(each, name)),
  );
}

export interface ShrinkOptions {
  /** Does this plan still fail in the same way? */
  readonly fails: (plan: Plan) => boolean;
  /** Asked before every run. */
  readonly expired?: () => boolean;
}

/** One run after the other, in this very thread; what was tried before is not tried again. */
export function shrinkHere(plan: Plan, { fails, expired }: ShrinkOptions): Plan {
  const shrinking = shrink(plan);
  const inVain = new Set<string>();
  let best = plan;
  let step = shrinking.next();
  while (step.done !== true) {
    const candidates = step.value;
    const found = candidates.findIndex((candidate) => {
      const text = JSON.stringify(candidate);
      if (inVain.has(text) || expired?.() === true) return false;
      if (fails(candidate)) return true;
      inVain.add(text);
      return false;
    });
    if (found === -1 && expired?.() === true) return best;
    best = candidates[found] ?? best;
    step = shrinking.next(found === -1 ? undefined : found);
  }
  return step.value;
}
