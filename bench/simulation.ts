/** Simulation: how fast does simulated time pass? With all oracles judging, and all faults where there are any. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
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
function speedOf(seeds: number): readonly (readonly Measured[])[] {
  const names = rows.map(({ profile }) => profile.name);
  const bundled = fileURLToPath(new URL("../scripts/bundled.mjs", import.meta.url));
  const args = [...v8Flags, bundled, "sim/cli/speed.ts", String(seeds), ...names];
  const stdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
  const output = execFileSync(process.execPath, args, { encoding: "utf8", stdio });
  return JSON.parse(output) as readonly (readonly Measured[])[];
}

/** Seeds differ in what they cost by three. */
const seedsMin = 11;

/**
 * Each repetition is another seed, after some that only warm up, as in a hunt. Returns a table of medians. On a
 * busy machine the wall says more of others: beside it stands what a CPU second brought.
 */
export function measureSimulation(repetitions: number): string {
  const seeds = Math.max(seedsMin, repetitions);
  const measured = speedOf(seeds);
  const results = rows.map((row, at) => ({ ...row, runs: measured[at] ?? [] }));
  writeJson(simulationRow, { machine: machine(), results });
  return [
    `### ${simulationRow}: all oracles judging, one core, medians of ${seeds} seeds`,
    "",
    "| what | simulated seconds per wall second | per CPU second | runs per wall second | per CPU second | CPU-µs per event | failures |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...results.map(({ what, runs }) => {
      const of = (number: (each: Measured) => number): number => median(runs.map(number));
      const failures = runs.reduce((sum, each) => sum + each.failures, 0);
      return `| ${[
        what,
        of((each) => each.simulatedSeconds / each.wallSeconds).toFixed(0),
        of((each) => each.simulatedSeconds / each.cpuSeconds).toFixed(0),
        of((each) => 1 / each.wallSeconds).toFixed(2),
        of((each) => 1 / each.cpuSeconds).toFixed(2),
        of((each) => (each.cpuSeconds * 1_000_000) / each.events).toFixed(1),
        failures,
      ].join(" | ")} |`;
    }),
    "",
  ].join("\n");
}
