/**
 * Tasks: what the processes of a hunt or a shrink do for their parent.
 *
 * Plain JSON both ways, since it crosses processes. A run that throws has failed, too: the bug reached the
 * simulator itself.
 */
import { planFromSeed } from "../plan-from-seed.ts";
import type { Plan } from "../plan.ts";
import type { Failure, Outcome } from "../run.ts";
import { differenceText, firstDifference } from "../trace-file.ts";
import { runRecorded } from "./record.ts";
import { failedOutcome, runSafely } from "./run-safely.ts";
import { profileOf } from "./subject.ts";

export type Task =
  /** `twice`: again, and compared event by event. */
  | {
      readonly type: "seed";
      readonly seed: number;
      readonly profile: string;
      readonly twice: boolean;
    }
  | { readonly type: "plan"; readonly plan: Plan };

export interface TaskResult {
  readonly hash: string;
  readonly failures: readonly Failure[];
  readonly verdicts: Readonly<Record<string, Counts>>;
  readonly probes: readonly (readonly [name: string, count: number])[];
  readonly stats: Outcome["stats"];
  /** The first difference of two runs of the same plan. */
  readonly difference: string | undefined;
}

export interface Counts {
  readonly judged: number;
  readonly unknown: number;
  readonly counts: string;
  readonly also?: Readonly<Record<string, number>>;
  readonly recoveredMs?: readonly number[];
}

/** More of them would only repeat the first. */
const failuresMax = 50;

export function perform(task: Task): TaskResult {
  if (task.type === "plan") return resultOf(runSafely(task.plan));
  const plan = planFromSeed(task.seed, profileOf(task.profile));
  if (!task.twice) return resultOf(runSafely(plan));
  const first = runRecorded(plan, "");
  const second = runRecorded(plan, "");
  const difference = firstDifference(first.lines, second.lines);
  const names: [string, string] = ["first run", "second run"];
  return resultOf(
    first.outcome,
    difference === undefined ? undefined : differenceText(difference, names),
  );
}

/** Of one that did not come back. */
export function failedResult(what: string): TaskResult {
  return resultOf(failedOutcome(what));
}

function resultOf(outcome: Outcome, difference?: string): TaskResult {
  const { hash, failures, verdicts, probes, stats } = outcome;
  const counts = Object.entries(verdicts).map(
    ([name, { judged, also, unknown, counts, recoveredMs }]) =>
      [
        name,
        { judged, ...(also && { also }), unknown, counts, ...(recoveredMs && { recoveredMs }) },
      ] as const,
  );
  return {
    hash,
    failures: failures.slice(0, failuresMax),
    verdicts: Object.fromEntries(counts),
    probes: [...probes],
    stats,
    difference,
  };
}
