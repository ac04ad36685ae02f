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
async function speedOf(
  { profile }: Row,
  seeds: number,
  part: string,
): Promise<readonly Measured[]> {
  const bundled = fileURLToPath(new URL("../scripts/bundled.mjs", import.meta.url));
  const args = [...v8Flags, bundled, "sim/cli/speed.ts", String(seeds), part, profile.name];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
  const [measured = []] = JSON.parse(stdout) as readonly (readonly Measured[])[];
  return measured;
}

/** The same seeds, dealt out to so many processes at once. */
function speedOfAll(row: Row, seeds: number, processes: number): Promise<(readonly Measured[])[]> {
  const parts = Array.from({ length: processes }, (_, index) => `${index + 1}/${processes}`);
  return Promise.all(parts.map((part) => speedOf(row, seeds, part)));
}

/** What these bring together, each as fast as it was. */
function together(processes: readonly (readonly Measured[])[]): number {
  const sum = (runs: readonly Measured[], of: (each: Measured) => number): number =>
    runs.reduce((total, each) => total + of(each), 0);
  return processes.reduce((total, runs) => {
    const simulated = sum(runs, ({ simulatedSeconds }) => simulatedSeconds);
    return total + simulated / sum(runs, ({ wallSeconds }) => wallSeconds);
  }, 0);
}

/** Seeds differ in what they cost by three. */
const seedsMin = 11;

/**
 * Each repetition is another seed, after some that only warm up, as in a hunt. Returns a table of medians of one process
 * alone. On a busy machine the wall says more of others: beside it stands what a CPU second brought. A hunt has a
 * process on each core, which slow each other down: what they bring together stands last.
 */
export async function measureSimulation(repetitions: number): Promise<string> {
  const seeds = Math.max(seedsMin, repetitions);
  const processes = Math.min(availableParallelism(), seeds);
  const results = [];
  for (const row of rows) {
    const runs = await speedOf(row, seeds, "1/1");
    results.push({ ...row, runs, ofAll: await speedOfAll(row, seeds, processes) });
  }
  writeJson(simulationRow, { machine: machine(), results });
  return [
    `### ${simulationRow}: all oracles judging, medians of ${seeds} seeds in one process, and ${processes} processes together`,
    "",
    `| what | simulated seconds per wall second | per CPU second | runs per wall second | per CPU second | CPU-µs per event | ${processes} processes: simulated seconds per wall second | failures |`,
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...results.map(({ what, runs, ofAll }) => {
      const of = (number: (each: Measured) => number): number => median(runs.map(number));
      const failures = [runs, ...ofAll].flat().reduce((sum, each) => sum + each.failures, 0);
      return `| ${[
        what,
        of((each) => each.simulatedSeconds / each.wallSeconds).toFixed(0),
        of((each) => each.simulatedSeconds / each.cpuSeconds).toFixed(0),
        of((each) => 1 / each.wallSeconds).toFixed(2),
        of((each) => 1 / each.cpuSeconds).toFixed(2),
        of((each) => (each.cpuSeconds * 1_000_000) / each.events).toFixed(1),
        together(ofAll).toFixed(0),
        failures,
      ].join(" | ")} |`;
    }),
    "",
  ].join("\n");
}
