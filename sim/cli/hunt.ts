/**
 * Hunt: many seeds on all cores, for a time or a range; every failure with the line that repeats it.
 *
 * No two workers are given the same seed. Machines that hunt together take a block of 10⁹ seeds each
 * (`--offset`), so that they never meet either.
 */
import { availableParallelism } from "node:os";
import { probeNames } from "../probes.ts";
import { codeVersion } from "./code-version.ts";
import { HuntSum, rateText } from "./hunt-sum.ts";
import { Progress } from "./progress.ts";
import { countOf, integer, profileOf, repeatLine, UsageError } from "./subject.ts";
import { failureLines } from "./summary.ts";
import type { TaskResult } from "./tasks.ts";
import { Workers } from "./workers.ts";

export interface HuntFlags {
  readonly minutes?: string;
  readonly seeds?: string;
  readonly offset: string;
  readonly profile: string;
  readonly failures: string;
  readonly twiceEvery: string;
  readonly workers?: string;
  readonly json?: boolean;
}

const blockSeeds = 1_000_000_000;

export interface SeedRange {
  readonly first: number;
  readonly last: number;
}

/** Seeds from `offset` blocks on; blocks never overlap. */
export function seedRange(seeds: string | undefined, offset: number): SeedRange {
  if (offset < 0 || !Number.isSafeInteger((offset + 1) * blockSeeds)) {
    throw new UsageError(`--offset is a block of 10⁹ seeds, 0 or more, not ${offset}`);
  }
  const base = offset * blockSeeds;
  if (seeds === undefined) return { first: base + 1, last: base + blockSeeds };
  const match = /^(\d+)\.\.(\d+)$/.exec(seeds);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || first > last || first < 1 || last > blockSeeds) {
    throw new UsageError(`--seeds is FIRST..LAST within 1..10⁹, not ${seeds}`);
  }
  return { first: base + first, last: base + last };
}

export async function hunt(flags: HuntFlags): Promise<void> {
  const { json = false } = flags;
  if (flags.minutes === undefined && flags.seeds === undefined) {
    throw new UsageError("Say --minutes M or --seeds FIRST..LAST");
  }
  const minutes = flags.minutes === undefined ? Infinity : Number(flags.minutes);
  if (!(minutes > 0)) {
    throw new UsageError(`--minutes is a number of minutes, not ${String(flags.minutes)}`);
  }
  const range = seedRange(flags.seeds, integer(flags.offset, "--offset"));
  const profile = profileOf(flags.profile);
  const cores =
    flags.workers === undefined ? availableParallelism() : countOf("--workers", flags.workers);
  const workers = new Workers(Math.min(cores, range.last - range.first + 1));
  const hunter = new Hunter(workers, range, flags, minutes * 60_000);
  const stop = (): void => hunter.stop();
  process.on("SIGINT", stop);
  const progress = new Progress(() => progressText(hunter), { quiet: json });
  try {
    await hunter.run((lines) => void (json || progress.print(lines)));
  } finally {
    progress.end();
    process.off("SIGINT", stop);
    workers.close();
  }
  const { sum } = hunter;
  const findings = sum.findings(profile);
  const wallMs = hunter.elapsedMs;
  if (json) console.log(JSON.stringify(sum.json(wallMs, findings)));
  else for (const line of sum.lines(wallMs, findings)) console.log(line);
  if (!sum.good || findings.idleOracles.length > 0) process.exitCode = 1;
}

class Hunter {
  readonly sum = new HuntSum();
  readonly #workers: Workers;
  readonly #range: SeedRange;
  readonly #profile: string;
  readonly #failuresMax: number;
  readonly #twiceEvery: number;
  readonly #code = codeVersion();
  readonly #startedAt = performance.now();
  readonly #endsAt: number;
  #next: number;
  #stopped = false;

  constructor(workers: Workers, range: SeedRange, flags: HuntFlags, forMs: number) {
    this.#workers = workers;
    this.#range = range;
    this.#profile = flags.profile;
    this.#failuresMax = countOf("--failures", flags.failures);
    this.#twiceEvery = countOf("--twice-every", flags.twiceEvery, 0);
    this.#endsAt = this.#startedAt + forMs;
    this.#next = range.first;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(print: (lines: readonly string[]) => void): Promise<void> {
    await Promise.all(Array.from({ length: this.#workers.count }, () => this.#work(print)));
    this.sum.failed.sort((one, other) => one.seed - other.seed);
  }

  async #work(print: (lines: readonly string[]) => void): Promise<void> {
    for (let seed = this.#take(); seed !== undefined; seed = this.#take()) {
      const twice = this.#twiceEvery > 0 && seed % this.#twiceEvery === 0;
      const task = { type: "seed", seed, profile: this.#profile, twice } as const;
      const result = await this.#workers.perform(task);
      if (twice) this.sum.checkedTwice += 1;
      this.sum.add(result);
      print(this.#failureOf(seed, result));
    }
  }

  #take(): number | undefined {
    const full = this.sum.failed.length >= this.#failuresMax;
    if (this.#stopped || full || performance.now() >= this.#endsAt) return undefined;
    return this.#next > this.#range.last ? undefined : this.#next++;
  }

  #failureOf(seed: number, { failures, difference, hash }: TaskResult): string[] {
    const source = { type: "seed", seed, profile: this.#profile } as const;
    const lines: string[] = [];
    if (difference !== undefined) {
      this.sum.unequal.push({ seed, difference });
      lines.push(`NOT DETERMINISTIC: seed ${seed} ran twice`, difference);
    }
    if (failures.length > 0) {
      const repeat = repeatLine(source, this.#code, hash);
      this.sum.failed.push({ seed, failures, repeat });
      lines.push(...failureLines(failures), `repeat with: ${repeat}`);
    }
    return lines;
  }
}

function progressText({ sum, elapsedMs }: Hunter): string {
  const { seeds, simulatedMs, probesReached, failed } = sum;
  const seconds = elapsedMs / 1_000;
  const speed = Math.round(simulatedMs / 1_000 / seconds);
  return (
    `${Math.round(seconds)} s: ${seeds} seeds, ${rateText(seeds, seconds)}/s, ` +
    `${speed} simulated s/s, ` +
    `probes ${probesReached}/${probeNames.length}, failures ${failed.length}`
  );
}
