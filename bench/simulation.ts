/** Simulation: how fast does simulated time pass? One node, 100 clients, each writing every ten seconds. */
import { runPorts } from "../sim/cli/ports.ts";
import { planFromSeed, profiles } from "../sim/plan-from-seed.ts";
import { run } from "../sim/run.ts";
import { machine, median, writeJson } from "./report.ts";

export const simulationRow = "simulation";

/** With all oracles judging, as a hunt does. Returns a table. */
export function measureSimulation(repetitions: number): string {
  const ports = runPorts();
  const runs = Array.from({ length: repetitions }, (_, index) => {
    const plan = planFromSeed(index + 1, profiles.speed);
    const began = performance.now();
    const cpu = process.cpuUsage();
    const { stats, failures } = run(plan, ports);
    const { user, system } = process.cpuUsage(cpu);
    return {
      seed: plan.seed,
      events: stats.events,
      failures: failures.length,
      simulatedPerWallSecond: stats.simulatedMs / (performance.now() - began),
      cpuMicrosPerEvent: (user + system) / stats.events,
    };
  });
  writeJson(simulationRow, { machine: machine(), profile: profiles.speed, runs });
  const speed = median(runs.map((each) => each.simulatedPerWallSecond));
  const micros = median(runs.map((each) => each.cpuMicrosPerEvent));
  return [
    `### ${simulationRow}: 1 node, 100 clients, all oracles judging`,
    "",
    "| simulated seconds per wall second | CPU-µs per event | failures |",
    "| ---: | ---: | ---: |",
    `| ${speed.toFixed(0)} | ${micros.toFixed(1)} | ${runs.reduce((sum, { failures }) => sum + failures, 0)} |`,
    "",
  ].join("\n");
}
