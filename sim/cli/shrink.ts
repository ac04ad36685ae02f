/** Shrink: the smallest plan that still fails, as a file and as a regression test. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { makeOracles } from "../oracles/index.ts";
import type { Plan } from "../plan.ts";
import type { Failure } from "../run.ts";
import { reproText } from "../repro.ts";
import { shows, shrink as shrinking, symptomOf, Yardstick, type Known } from "../shrink.ts";
import { codeVersion, root } from "./code-version.ts";
import { Progress } from "./progress.ts";
import { failedAt } from "./record.ts";
import { runSafely } from "./run-safely.ts";
import { countOf, repeatLine, subjectOfRepro, UsageError, type Subject } from "./subject.ts";
import { counted } from "./summary.ts";
import type { TaskResult } from "./tasks.ts";
import { Workers } from "./workers.ts";

export interface ShrinkFlags {
  readonly oracle?: string;
  readonly out?: string;
  readonly name?: string;
  readonly seconds: string;
  readonly workers?: string;
  readonly json?: boolean;
}

const regressions = join("test", "sim", "regressions");

export async function shrink(word: string, flags: ShrinkFlags): Promise<void> {
  if (flags.name !== undefined && !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(flags.name)) {
    throw new UsageError(`--name is the lesson in kebab-case, not "${flags.name}"`);
  }
  const subject = subjectOfRepro(word);
  const target = targetOf(subject, flags);
  const forMs = countOf("--seconds", flags.seconds) * 1_000;
  const count =
    flags.workers === undefined ? availableParallelism() : countOf("--workers", flags.workers);
  const oracles = makeOracles(subject.plan).map(({ name }) => name);
  if (flags.oracle !== undefined && !oracles.includes(flags.oracle)) {
    throw new UsageError(`No oracle "${flags.oracle}"; there are ${oracles.join(", ")}`);
  }
  const quiet = flags.json === true;
  const say = (text: string): void => void (quiet || console.log(text));
  const before = runSafely(subject.plan);
  const failure = before.failures.find(
    ({ oracle }) => flags.oracle === undefined || oracle === flags.oracle,
  );
  if (failure === undefined) {
    const all = before.failures.map(({ oracle }) => oracle);
    const others = all.length === 0 ? "" : `; what fails is ${[...new Set(all)].join(", ")}`;
    throw new UsageError(
      flags.oracle === undefined
        ? `${word} does not fail: there is nothing to shrink`
        : `${word} does not fail ${flags.oracle}${others}`,
    );
  }
  say(`FAILED ${failure.oracle}: ${failure.what}`);
  say(`from ${sizeText(subject.plan, before.stats.events)}`);
  const workers = new Workers(count);
  const yardstick = new Yardstick(symptomOf(failure), subject.plan, before.stats.events);
  const shrinker = new Shrinker(workers, yardstick, forMs);
  const progress = new Progress(() => shrinker.text(), { quiet });
  let plan: Plan;
  try {
    plan = await shrinker.run(subject.plan, {
      failedAt: failedAt(subject.plan, failure),
      yardstick,
    });
  } finally {
    progress.end();
    workers.close();
  }
  const after = runSafely(plan);
  const left = after.failures.find((each) => shows([each], symptomOf(failure))) ?? failure;
  const times = before.stats.events / Math.max(1, after.stats.events);
  const fewer = times < 10 ? times.toFixed(1) : String(Math.round(times));
  say(`to   ${sizeText(plan, after.stats.events)}: ${fewer}× fewer events`);
  say(`in ${(shrinker.elapsedMs / 1_000).toFixed(1)} s and ${shrinker.runs} runs`);
  say(`FAILED ${left.oracle}: ${left.what}`);
  const file = await writePlan(plan, left, target);
  const repeat = repeatLine({ type: "file", file }, codeVersion(), after.hash);
  say(`wrote ${file}`);
  if (flags.name === undefined) say(`with --name LESSON it becomes ${regressions}/LESSON.json`);
  else if (flags.out === undefined) say(`which ${join("test", "sim", "regressions.test.ts")} runs`);
  say(`repeat with: ${repeat}`);
  if (flags.json === true) {
    const { oracle, what } = left;
    const events = { before: before.stats.events, after: after.stats.events };
    console.log(JSON.stringify({ oracle, what, events, runs: shrinker.runs, file, repeat, plan }));
  }
}

class Shrinker {
  readonly #workers: Workers;
  readonly #yardstick: Yardstick;
  readonly #startedAt = performance.now();
  readonly #forMs: number;
  /** Plans that were tried and did not fail. */
  readonly #inVain = new Set<string>();
  runs = 0;

  constructor(workers: Workers, yardstick: Yardstick, forMs: number) {
    this.#workers = workers;
    this.#yardstick = yardstick;
    this.#forMs = forMs;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** How it goes. */
  text(): string {
    const seconds = Math.round(this.elapsedMs / 1_000);
    return `${seconds} s, ${counted(this.runs, "run")}: ${sizeText(this.#yardstick.best)}`;
  }

  async run(plan: Plan, known: Known): Promise<Plan> {
    const steps = shrinking(plan, known);
    for (let step = steps.next(); step.done !== true;) {
      const found = await this.#first(step.value);
      if (this.elapsedMs > this.#forMs) break;
      step = steps.next(found);
    }
    return this.#yardstick.best;
  }

  /** As many at once as there are workers; the first in order counts, so that cores change nothing. */
  async #first(candidates: readonly Plan[]): Promise<number | undefined> {
    const fresh = candidates
      .map((plan, index) => ({ plan, index, text: JSON.stringify(plan) }))
      .filter(({ text }) => !this.#inVain.has(text));
    for (let from = 0; from < fresh.length; from += this.#workers.count) {
      if (this.elapsedMs > this.#forMs) return undefined;
      const batch = fresh.slice(from, from + this.#workers.count);
      this.runs += batch.length;
      const results = await Promise.all(
        batch.map(({ plan }) => this.#workers.perform({ type: "plan", plan })),
      );
      const failing = results.map((result: TaskResult) => this.#yardstick.fits(result));
      batch.forEach(({ text }, at) => void (failing[at] === true || this.#inVain.add(text)));
      const at = failing.indexOf(true);
      const [found, result] = [batch[at], results[at]];
      if (found === undefined || result === undefined) continue;
      this.#yardstick.took(result, found.plan);
      return found.index;
    }
    return undefined;
  }
}

export function sizeText({ topology, clients, faults, duration }: Plan, events?: number): string {
  const { setUp, safety, liveness } = duration;
  return [
    ...(events === undefined ? [] : [counted(events, "event")]),
    counted(faults.length, "fault"),
    counted(clients.length, "client"),
    counted(topology.nodes.length, "node"),
    `${(setUp + safety + liveness) / 1_000} s`,
  ].join(", ");
}

interface Target {
  readonly file: string;
  readonly lesson: string;
}

/** Known before anything is run, so that nobody waits for what cannot be written. */
function targetOf({ source }: Subject, { name, out }: ShrinkFlags): Target {
  if (name === undefined) {
    const usual = reproText({ source, code: "", hash: "" }).replace(/[^\w.-]+/g, "-");
    return { file: out ?? join(root, "build", "sim", `${usual}.json`), lesson: lessonOf(usual) };
  }
  const regression = join(root, regressions, `${name}.json`);
  const own = source.type === "file" && resolve(source.file) === regression;
  if (out === undefined && !own && existsSync(regression)) {
    throw new UsageError(`${join(regressions, `${name}.json`)} is another lesson: it is kept`);
  }
  return { file: out ?? regression, lesson: lessonOf(name) };
}

function lessonOf(name: string): string {
  return name.replaceAll("-", " ");
}

/** A plan that was about something is now about this. Says where it is, as seen from here. */
export async function writePlan(
  plan: Plan,
  { oracle, what }: Failure,
  { file, lesson }: Target,
): Promise<string> {
  mkdirSync(dirname(file), { recursive: true });
  const now = { about: { lesson, oracle, what } };
  // At the top, where it is read; and whatever the plan was about before.
  const text = JSON.stringify({ ...now, ...plan, ...now });
  // Large, and of no use to whoever only wants to replay.
  const { format } = await import("prettier");
  writeFileSync(file, await format(text, { parser: "json", printWidth: 100 }));
  const shown = relative(process.cwd(), file);
  return shown.startsWith("..") ? file : shown;
}
