/** Simulation: how fast does simulated time pass? With all oracles judging, and all faults where there are any. */
import { runPorts } from "../sim/cli/ports.ts";
import { planFromSeed, profiles, type Profile } from "../sim/plan-from-seed.ts";
import { run } from "../sim/run.ts";
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

interface Measured {
  readonly seed: number;
  readonly events: number;
  readonly failures: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly simulatedSeconds: number;
}

function measure(profile: Profile, seed: number, ports: ReturnType<typeof runPorts>): Measured {
  const plan = planFromSeed(seed, profile);
  const began = performance.now();
  const cpu = process.cpuUsage();
  const { stats, failures } = run(plan, ports);
  const { user, system } = process.cpuUsage(cpu);
  const wallSeconds = (performance.now() - began) / 1_000;
  return {
    seed,
    events: stats.events,
    failures: failures.length,
    wallSeconds,
    cpuSeconds: (user + system) / 1_000_000,
    simulatedSeconds: stats.simulatedMs / 1_000,
  };
}

/** Seeds differ in what they cost. */
const seedsMin = 5;

/**
 * Each repetition is another seed, after one that only warms up, as in a hunt. Returns a table of medians. On a
 * busy machine the wall says more of others: beside it stands what a CPU second brought.
 */
export function measureSimulation(repetitions: number): string {
  const ports = runPorts();
  const seeds = Math.max(seedsMin, repetitions);
  const results = rows.map(({ what, profile }) => {
    measure(profile, seeds + 1, ports);
    const runs = Array.from({ length: seeds }, (_, index) => measure(profile, index + 1, ports));
    return { what, profile, runs };
  });
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
