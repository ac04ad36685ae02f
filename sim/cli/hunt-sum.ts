/** Hunt sum: what do many runs say together, and on which stages was nothing shown? */
import { makeOracles } from "../oracles/index.ts";
import { planFromSeed } from "../plan-from-seed.ts";
import { probeNames } from "../probes.ts";
import type { Profile } from "../profiles.ts";
import type { Failure } from "../run.ts";
import { hasOracle, hasProbe } from "./reach.ts";
import { alsoText, counted } from "./summary.ts";
import type { TaskResult } from "./tasks.ts";

export interface SeedFailure {
  readonly seed: number;
  readonly failures: readonly Failure[];
  /** The line that repeats it. */
  readonly repeat: string;
}

export interface Findings {
  /** Oracles and probes to which no run of the profile can come. */
  readonly outOfReach: { readonly oracles: readonly string[]; readonly probes: readonly string[] };
  /** Oracles that had nothing to judge in any run. */
  readonly idleOracles: readonly string[];
  readonly probesNeverReached: readonly string[];
}

/** How long recovery took, over many runs, told in seconds. */
class Recovery {
  /** By tenth of a second, rounded up: there may be millions of times. */
  readonly #tenths: (number | undefined)[] = [];
  #count = 0;

  add(recoveredMs: readonly number[]): void {
    for (const ms of recoveredMs) {
      const tenth = Math.ceil(ms / 100);
      this.#tenths[tenth] = (this.#tenths[tenth] ?? 0) + 1;
      this.#count += 1;
    }
  }

  /** Within so many seconds this share was well. */
  #within(share: number): number {
    let left = Math.ceil(share * this.#count);
    const tenth = this.#tenths.findIndex((count = 0) => (left -= count) <= 0);
    return Math.max(tenth, 0) / 10;
  }

  json() {
    return {
      count: this.#count,
      half: this.#within(0.5),
      "90 %": this.#within(0.9),
      "99 %": this.#within(0.99),
      all: this.#within(1),
    };
  }
}

interface Judged {
  judged: number;
  unknown: number;
  readonly counts: string;
  readonly also: Record<string, number>;
}

export class HuntSum {
  readonly #judged = new Map<string, Judged>();
  readonly #recovery = new Map<string, Recovery>();
  readonly #probes = new Map<string, number>();
  readonly failed: SeedFailure[] = [];
  readonly unequal: { readonly seed: number; readonly difference: string }[] = [];
  seeds = 0;
  checkedTwice = 0;
  simulatedMs = 0;
  events = 0;

  add({ verdicts, probes, stats }: TaskResult): void {
    this.seeds += 1;
    this.simulatedMs += stats.simulatedMs;
    this.events += stats.events;
    for (const [name, verdict] of Object.entries(verdicts)) {
      const { judged, also = {}, unknown, counts, recoveredMs = [] } = verdict;
      const sum = this.#judged.get(name) ?? { judged: 0, unknown: 0, counts, also: {} };
      sum.judged += judged;
      for (const [what, count] of Object.entries(also)) {
        sum.also[what] = (sum.also[what] ?? 0) + count;
      }
      sum.unknown += unknown;
      this.#judged.set(name, sum);
      if (recoveredMs.length > 0) this.#recoveryOf(name).add(recoveredMs);
    }
    for (const [probe, count] of probes) {
      this.#probes.set(probe, (this.#probes.get(probe) ?? 0) + count);
    }
  }

  #recoveryOf(oracle: string): Recovery {
    let recovery = this.#recovery.get(oracle);
    if (recovery === undefined) this.#recovery.set(oracle, (recovery = new Recovery()));
    return recovery;
  }

  get probesReached(): number {
    return this.#probes.size;
  }

  get good(): boolean {
    return this.failed.length === 0 && this.unequal.length === 0;
  }

  findings(profile: Profile): Findings {
    const oracles = makeOracles(planFromSeed(1, profile)).map(({ name }) => name);
    const [asked, spared] = parted(oracles, (name) => hasOracle(profile, name));
    const [within, beyond] = parted(probeNames, (name) => hasProbe(profile, name));
    return {
      outOfReach: { oracles: spared, probes: beyond },
      idleOracles: asked.flatMap((name) => this.#idleOf(name)),
      probesNeverReached: within.filter((probe) => !this.#probes.has(probe)),
    };
  }

  /** By its name or, where it is idle in a second subject alone, with that. */
  #idleOf(name: string): readonly string[] {
    const { judged = 0, also = {} } = this.#judged.get(name) ?? {};
    if (judged === 0) return [name];
    return Object.keys(also)
      .filter((what) => also[what] === 0)
      .map((what) => `${name} (${what})`);
  }

  lines(wallMs: number, findings: Findings): readonly string[] {
    const { idleOracles, probesNeverReached, outOfReach } = findings;
    const seconds = Math.max(wallMs, 1) / 1_000;
    const lines = [
      `${counted(this.seeds, "seed")} in ${seconds.toFixed(1)} s, ` +
        `${rateText(this.seeds, seconds)} a second,`,
      `${Math.round(this.simulatedMs / 1_000 / seconds)} simulated seconds per wall second, ` +
        `${this.checkedTwice} run twice: ${this.unequal.length} differed`,
    ];
    for (const [name, { judged, also, unknown, counts }] of this.#judged) {
      const unsure = unknown === 0 ? "" : `, ${unknown} unknown`;
      lines.push(`  ${name.padEnd(16)} judged ${judged} ${counts}${alsoText(also)}${unsure}`);
    }
    for (const [name, recovery] of this.#recovery) {
      const { half, "90 %": most, "99 %": nearlyAll, all } = recovery.json();
      const times = `half within ${half} s, 90 % ${most} s, 99 % ${nearlyAll} s, all ${all} s`;
      lines.push(`  ${name.padEnd(16)} well after the heal: ${times}`);
    }
    const others = outOfReach.probes.length;
    const within = `${this.#probes.size} of ${probeNames.length - others} reached`;
    lines.push(`probes: ${within}${others === 0 ? "" : `, ${others} are not of such a profile`}`);
    if (outOfReach.oracles.length > 0) {
      lines.push(`nothing to judge in such a profile: ${outOfReach.oracles.join(", ")}`);
    }
    for (const name of idleOracles) lines.push(`FINDING: oracle ${name} judged nothing`);
    for (const name of probesNeverReached) lines.push(`FINDING: probe "${name}" never reached`);
    lines.push(...this.#ending());
    return lines;
  }

  json(wallMs: number, findings: Findings): object {
    return {
      seeds: this.seeds,
      wallMs: Math.round(wallMs),
      simulatedMs: this.simulatedMs,
      events: this.events,
      checkedTwice: this.checkedTwice,
      unequal: this.unequal,
      failed: this.failed,
      oracles: Object.fromEntries(this.#judged),
      recovery: Object.fromEntries([...this.#recovery].map(([name, each]) => [name, each.json()])),
      probes: Object.fromEntries(this.#probes),
      ...findings,
    };
  }

  #ending(): string[] {
    if (this.failed.length === 0) return ["no failures"];
    const byOracle = new Map<string, number>();
    for (const { failures } of this.failed) {
      for (const oracle of new Set(failures.map((failure) => failure.oracle))) {
        byOracle.set(oracle, (byOracle.get(oracle) ?? 0) + 1);
      }
    }
    const each = [...byOracle].map(([oracle, count]) => `${oracle} ${count}`).join(", ");
    const repeats = this.failed.map(({ repeat }) => `  ${repeat}`);
    return [`${this.failed.length} of ${this.seeds} seeds failed (${each}):`, ...repeats];
  }
}

function parted<T>(all: readonly T[], has: (one: T) => boolean): [readonly T[], readonly T[]] {
  return [all.filter(has), all.filter((one) => !has(one))];
}

/** Slow ones, too, must not be told as none. */
export function rateText(count: number, seconds: number): string {
  const rate = count / seconds;
  return rate.toFixed(rate < 1 ? 2 : 1);
}
