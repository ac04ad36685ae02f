/** Simulation: how fast does simulated time pass? With all oracles judging, and all faults where there are any. */
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Measured } from "../sim/cli/speed.ts";
import { v8Flags } from "../sim/cli/v8-flags.ts";
import { profiles, type Profile } from "../sim/profiles.ts";
import { machine, median, writeJson } from "./report.ts";

export const simulationRow = "simulation";

interface Row {
  readonly what: string;
  readonly profile: Profile;
}

/** The second and the third are what is promised: at least 50 simulated seconds a second, and a run a second. */
const rows: readonly Row[] = [
  { what: "1 node, 100 clients, no faults", profile: profiles.speed },
  { what: "5 nodes, 1000 clients, a stanza per client every 10 s", profile: profiles["speed-5"] },
  { what: "3 nodes, 30 clients, 10 simulated minutes", profile: profiles["speed-3"] },
];

/** As one bundled file and with their flags, as `npm run sim` and the workers of a hunt are. */
async function speedOf(seeds: number, part: string): Promise<readonly (readonly Measured[])[]> {
  const names = rows.map(({ profile }) => profile.name);
  const bundled = fileURLToPath(new URL("../scripts/bundled.mjs", import.meta.url));
  const args = [...v8Flags, bundled, "sim/cli/speed.ts", String(seeds), part, ...names];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as readonly (readonly Measured[])[];
}

/** The same seeds, dealt out to as many processes at once as there are cores. */
async function speedOfAll(seeds: number, cores: number): Promise<readonly (readonly Measured[])[]> {
  const parts = Array.from({ length: cores }, (_, index) => `${index + 1}/${cores}`);
  const all = await Promise.all(parts.map((part) => speedOf(seeds, part)));
  return rows.map((_, at) => all.flatMap((results) => results[at] ?? []));
}

/** Seeds differ in what they cost by three. */
const seedsMin = 11;

/**
 * Each repetition is another seed, after some that only warm up, as in a hunt. Returns a table of medians. On a
 * busy machine the wall says more of others: beside it stands what a CPU second brought. A hunt has a process on each
 * core, which slow each other down: what they bring together stands last.
 */
export async function measureSimulation(repetitions: number): Promise<string> {
  const seeds = Math.max(seedsMin, repetitions);
  const cores = availableParallelism();
  const alone = await speedOf(seeds, "1/1");
  const together = await speedOfAll(seeds, cores);
  const results = rows.map((row, at) => {
    return { ...row, runs: alone[at] ?? [], together: together[at] ?? [] };
  });
  writeJson(simulationRow, { machine: machine(), results });
  return [
    `### ${simulationRow}: all oracles judging, one core, medians of ${seeds} seeds`,
    "",
    `| what | simulated seconds per wall second | per CPU second | runs per wall second | per CPU second | CPU-µs per event | simulated seconds per wall second of ${cores} cores | failures |`,
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...results.map((row) => {
      const { what, runs } = row;
      const of = (number: (each: Measured) => number): number => median(runs.map(number));
      const rate = (each: Measured): number => each.simulatedSeconds / each.wallSeconds;
      const failures = [...runs, ...row.together].reduce((sum, each) => sum + each.failures, 0);
      return `| ${[
        what,
        of(rate).toFixed(0),
        of((each) => each.simulatedSeconds / each.cpuSeconds).toFixed(0),
        of((each) => 1 / each.wallSeconds).toFixed(2),
        of((each) => 1 / each.cpuSeconds).toFixed(2),
        of((each) => (each.cpuSeconds * 1_000_000) / each.events).toFixed(1),
        (cores * median(row.together.map(rate))).toFixed(0),
        failures,
      ].join(" | ")} |`;
    }),
    "",
  ].join("\n");
}
