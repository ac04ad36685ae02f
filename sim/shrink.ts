/**
 * Shrink: what can be left out of a plan of ours, and what is the same failure?
 *
 * Order (kit/shrink.ts does the rest): what came after the failure, faults, clients, time, nodes, then simpler behaviours, network and
 * limits, and at last all of it again under other seeds; where that ends high, another way down. What is left fails in the same way, and sound code
 * passes it: no step leaves what plans promise (plan-problem.ts), and the liveness phase never becomes
 * shorter than what the oracles grant a healed cluster.
 */
import * as kit from "./kit/shrink.ts";
import { fewer, smaller, type Pass, type ShrinkOptions, type Shrinking } from "./kit/shrink.ts";
import { planProblem } from "./plan-problem.ts";
import type { Plan } from "./plan.ts";
import type { Failure } from "./run.ts";
import { keepClients, keepFaults, simplerClients, withoutNode } from "./shrink-parts.ts";
import {
  cutShort,
  earlier,
  longFaults,
  movedFaults,
  shorterFaults,
  simplerWorld,
  untilItFails,
} from "./shrink-time.ts";

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

/**
 * Is a run with less in its plan less, too? Nodes that dial each other in a circle do so far more often on a plain network: what
 * takes half as many events again as the shortest so far is no step, though its plan be simpler. Of several ways down it keeps the
 * shortest end.
 */
export class Yardstick {
  readonly #symptom: Symptom;
  readonly #whole: number;
  /** On this way. */
  #least: number;
  #last: Shrunk;
  /** Of the ways before. */
  #shortest: Shrunk | undefined;

  /** `events`: of this whole plan. */
  constructor(symptom: Symptom, plan: Plan, events: number) {
    this.#symptom = symptom;
    this.#whole = events;
    this.#least = events;
    this.#last = { plan, events };
  }

  fits({ failures, stats }: Measured): boolean {
    return stats.events <= 1.5 * this.#least && shows(failures, this.#symptom);
  }

  took({ stats: { events } }: Measured, plan: Plan): void {
    this.#least = Math.min(this.#least, events);
    this.#last = { plan, events };
  }

  /** Another way down, from the top. */
  again(): void {
    this.#shortest = this.#best();
    this.#least = this.#whole;
  }

  get best(): Plan {
    return this.#best().plan;
  }

  /** As short as one may hope. */
  get isShort(): boolean {
    return this.#best().events * 20 <= this.#whole;
  }

  #best(): Shrunk {
    const before = this.#shortest;
    return before !== undefined && before.events <= this.#last.events ? before : this.#last;
  }
}

interface Shrunk {
  readonly plan: Plan;
  readonly events: number;
}

interface Measured {
  readonly failures: readonly Failure[];
  readonly stats: { readonly events: number };
}

/** What is known of it before anything is left out. */
export interface Known {
  /** The moment at which it went wrong; undefined: at the end, or nobody knows. */
  readonly failedAt?: number | undefined;
  /** With it other ways are tried where the first ends high. */
  readonly yardstick?: Yardstick;
}

const passes = (whole: Plan, { failedAt, yardstick }: Known): readonly Pass<Plan>[] => [
  steps((plan) => untilItFails(plan, failedAt)),
  (plan) => fewer(plan, plan.faults.length, keepFaults),
  (plan) => fewer(plan, plan.clients.length, keepClients),
  steps(earlier),
  steps(withoutEachNode),
  steps(shorterFaults),
  steps(movedFaults),
  steps(simplerClients),
  steps(simplerWorld),
  (plan) => reseeded(plan, seeds.few),
  steps((plan) => cutShort(plan)),
  (plan) => anyOf(plan, underSeeds(cutShort(plan, [1, 4]), seeds.few)),
  (plan) => anyOf(plan, underSeeds(lessOf(plan), seeds.more)),
  otherWays(whole, yardstick),
];

/**
 * Which way a plan shrinks hangs on what fails by chance; where one ends high, another may end lower. So the whole is tried
 * under other seeds, and the first that fails is gone down from.
 */
function otherWays(whole: Plan, yardstick: Yardstick | undefined): Pass<Plan> {
  const tops = seeds.tops.map((added) => underSeeds([whole], added));
  let end: Plan | undefined;
  return function* down(plan) {
    const isEnd = plan === end; // a whole round has changed nothing
    end = plan;
    if (!isEnd || yardstick === undefined || yardstick.isShort) return plan;
    for (let top = tops.shift(); top !== undefined; top = tops.shift()) {
      yardstick.again();
      const taken = yield* anyOf(plan, top);
      if (taken !== plan) return taken;
    }
    return plan;
  };
}

/** Any of these steps that sound code is known to pass, as often as there is one. */
function steps(of: (plan: Plan) => readonly Plan[]): Pass<Plan> {
  return (plan) =>
    smaller(plan, (each) => of(each).filter((next) => planProblem(next) === undefined));
}

export function shrink(plan: Plan, known: Known = {}): Shrinking<Plan> {
  return kit.shrink(plan, passes(plan, known));
}

/** One run after the other, in this very thread. */
export function shrinkHere(plan: Plan, options: ShrinkOptions<Plan> & Known): Plan {
  const last = kit.shrinkHere(plan, passes(plan, options), options);
  return options.yardstick?.best ?? last;
}

function withoutEachNode(plan: Plan): readonly Plan[] {
  const { nodes } = plan.topology;
  return nodes.length < 2 ? [] : nodes.toReversed().map(({ name }) => withoutNode(plan, name));
}

/** Added to that of the plan; more of them when all else has been tried. */
const seeds = {
  few: [1, 2, 3, 4, 5, 6, 7, 8],
  more: Array.from({ length: 24 }, (_, index) => index + 9),
  /** Of the whole plan, for another way down; one list each. */
  tops: [0, 1, 2].map((way) => Array.from({ length: 12 }, (_, index) => 100 * (way + 1) + index)),
} as const;

/**
 * With less in a plan other draws move the moment that matters, and the seed that showed it may no longer. So
 * what could not be left out is left out under another, and what could not be made simple is tried with faults
 * that last longer; one step, for then the other passes may go on.
 */
function reseeded(plan: Plan, added: readonly number[]): Shrinking<Plan> {
  const candidates = underSeeds(lessOf(plan), added);
  if (plan.faults.length > 0) {
    const simpler = [...simplerWorld(plan), ...simplerClients(plan)].map(longFaults);
    candidates.push(...simpler.filter((next) => planProblem(next) === undefined));
  }
  return anyOf(plan, candidates);
}

function underSeeds(plans: readonly Plan[], added: readonly number[]): Plan[] {
  return plans.flatMap((plan) => added.map((more) => ({ ...plan, seed: plan.seed + more })));
}

function* anyOf(plan: Plan, candidates: readonly Plan[]): Shrinking<Plan> {
  if (candidates.length === 0) return plan;
  const index = yield candidates;
  return (index === undefined ? undefined : candidates[index]) ?? plan;
}

/** The boldest first: a node, half of the clients or faults or time, then each. */
function lessOf(plan: Plan): readonly Plan[] {
  const halves = <T>(items: readonly T[], keep: typeof keepFaults): readonly Plan[] => {
    const all = [...items.keys()];
    const middle = all.length >> 1;
    return all.length < 3 ? [] : [keep(plan, all.slice(middle)), keep(plan, all.slice(0, middle))];
  };
  const each = <T>(items: readonly T[], keep: typeof keepFaults): readonly Plan[] => {
    const all = [...items.keys()];
    return all.map((index) => keep(plan, all.toSpliced(index, 1)));
  };
  const less = [
    ...withoutEachNode(plan),
    ...halves(plan.faults, keepFaults),
    ...halves(plan.clients, keepClients),
    ...earlier(plan).slice(0, 3),
    ...each(plan.faults, keepFaults),
    ...each(plan.clients, keepClients),
  ];
  return less.filter((next) => planProblem(next) === undefined);
}
