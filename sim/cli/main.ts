/**
 * Command line of the simulator: demo, run, hunt, verify, plan.
 *
 * The outside of the simulator: reads and writes files, measures real time, prints. What happens in a
 * run is decided inside, by the plan alone.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { Command } from "commander";
import { planFromSeed, profiles, type ProfileName } from "../plan-from-seed.ts";
import { planProblem, type Plan } from "../plan.ts";
import { probeNames } from "../probes.ts";
import { run, type Outcome } from "../run.ts";
import { storyLine, wireLine } from "../story.ts";
import { traceHead, traceLine, type TraceSink } from "../trace.ts";
import { runPorts } from "./ports.ts";
import { verifyFile } from "./verify.ts";

interface RunFlags {
  readonly seed?: string;
  readonly plan?: string;
  readonly profile: string;
  readonly trace?: string;
  readonly story?: boolean;
  readonly wire?: boolean;
}

class UsageError extends Error {}

const program = new Command("sim").description("Meerkat in a simulated world");

program
  .command("demo")
  .description("ten seconds of a small world, told line by line")
  .option("--seed <number>", "which small world", "7")
  .action((flags: { seed: string }) => {
    const plan = planFromSeed(integer(flags.seed), profiles.demo);
    const outcome = run(plan, { ...runPorts(), sinks: [printStory(10_000)] });
    console.log("          … and so on, until all has healed and become quiet.\n");
    finish(plan, outcome, "demo", `--seed ${flags.seed}`);
  });

program
  .command("run")
  .description("one run; the last line is its trace hash")
  .option("--seed <number>", "makes the plan")
  .option("--plan <file>", "a plan as JSON, instead of a seed")
  .option("--profile <name>", `kind of plan: ${Object.keys(profiles).join(", ")}`, "default")
  .option("--trace <file>", "write every event as JSON Lines")
  .option("--story", "print what happens in words")
  .option("--wire", "print every byte that nodes receive and send")
  .action((flags: RunFlags) => {
    const plan = planOf(flags);
    const sinks: TraceSink[] = [];
    if (flags.story === true) sinks.push(printStory(Number.MAX_SAFE_INTEGER));
    if (flags.wire === true) sinks.push(printWire);
    const file = flags.trace === undefined ? undefined : openSync(flags.trace, "w");
    if (file !== undefined) sinks.push(writeTrace(file, plan.seed));
    const outcome = run(plan, { ...runPorts(), sinks });
    if (file !== undefined) closeSync(file);
    const source =
      flags.plan === undefined
        ? `--seed ${plan.seed}${profileFlag(flags)}`
        : `--plan ${flags.plan}`;
    finish(plan, outcome, "run", source);
  });

program
  .command("plan")
  .description("write the plan that a seed stands for, to be edited and run")
  .requiredOption("--seed <number>")
  .option("--profile <name>", "kind of plan", "default")
  .argument("[file]", "where to; otherwise it is printed")
  .action((file: string | undefined, flags: RunFlags) => {
    const text = `${JSON.stringify(planOf(flags), null, 2)}\n`;
    if (file === undefined) process.stdout.write(text);
    else writeFileSync(file, text);
  });

program
  .command("hunt")
  .description("many runs; prints each failure with the line that repeats it")
  .requiredOption("--seeds <first..last>", "e.g. 1..200")
  .option("--profile <name>", "kind of plan", "default")
  .option("--keep-going", "do not stop at the first failure")
  .action(hunt);

program
  .command("verify")
  .description("feed a recording of a real node to the same core; equal, or the first difference")
  .argument("<file>")
  .action((file: string) => {
    const verdict = verifyFile(file);
    console.log(verdict.text);
    if (!verdict.equal) process.exitCode = 1;
  });

// Whoever reads us may stop early (`| head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});
try {
  program.parse();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = 2;
}

function hunt(flags: { seeds: string; profile: string; keepGoing?: boolean }): void {
  const [first, last] = flags.seeds.split("..").map(Number);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) {
    throw new UsageError(`--seeds must be FIRST..LAST, not ${flags.seeds}`);
  }
  const ports = runPorts();
  const startedAt = Date.now();
  const judged = new Map<string, { judged: number; unknown: number; counts: string }>();
  const probes = new Map<string, number>();
  let simulatedMs = 0;
  let runs = 0;
  let failed = 0;
  for (let seed = first ?? 0; seed <= (last ?? 0); seed++) {
    const outcome = run(planFromSeed(seed, profileOf(flags.profile)), ports);
    runs += 1;
    simulatedMs += outcome.stats.simulatedMs;
    for (const [name, verdict] of Object.entries(outcome.verdicts)) {
      const sum = judged.get(name) ?? { judged: 0, unknown: 0, counts: verdict.counts };
      sum.judged += verdict.judged;
      sum.unknown += verdict.unknown;
      judged.set(name, sum);
    }
    for (const [probe, count] of outcome.probes)
      probes.set(probe, (probes.get(probe) ?? 0) + count);
    if (outcome.failures.length === 0) continue;
    failed += 1;
    printFailures(outcome, "run", `--seed ${seed}${profileFlag(flags)}`);
    if (flags.keepGoing !== true) break;
  }
  const wall = (Date.now() - startedAt) / 1_000;
  console.log(`${runs} runs in ${wall.toFixed(1)} s, ${(runs / wall).toFixed(1)} a second,`);
  console.log(`${Math.round(simulatedMs / 1_000 / wall)} simulated seconds per wall second`);
  for (const [name, sum] of judged) {
    const empty = sum.judged === 0 ? "   JUDGED NOTHING: a finding" : "";
    console.log(`  ${name.padEnd(14)} ${sum.judged} ${sum.counts}, ${sum.unknown} unknown${empty}`);
    if (sum.judged === 0) process.exitCode = 1;
  }
  const missed = probeNames.filter((probe) => !probes.has(probe));
  console.log(`probes: ${probes.size} of ${probeNames.length} hit`);
  if (missed.length > 0) console.log(`  never reached: ${missed.join(", ")}`);
  console.log(failed === 0 ? "no failures" : `${failed} of ${runs} seeds failed`);
  if (failed > 0) process.exitCode = 1;
}

function planOf(flags: RunFlags): Plan {
  if (flags.plan !== undefined) {
    const value: unknown = JSON.parse(readFileSync(flags.plan, "utf8"));
    const problem = planProblem(value);
    if (problem !== undefined) throw new UsageError(`${flags.plan}: ${problem}`);
    return value as Plan;
  }
  if (flags.seed === undefined) throw new UsageError("Say --seed N or --plan FILE");
  return planFromSeed(integer(flags.seed), profileOf(flags.profile));
}

function profileOf(name: string): (typeof profiles)[ProfileName] {
  if (!Object.hasOwn(profiles, name)) {
    throw new UsageError(`No profile "${name}"; there are ${Object.keys(profiles).join(", ")}`);
  }
  return profiles[name as ProfileName];
}

function profileFlag({ profile }: { profile: string }): string {
  return profile === "default" ? "" : ` --profile ${profile}`;
}

function integer(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new UsageError(`A seed is an integer, not "${text}"`);
  return number;
}

function printStory(until: number): TraceSink {
  return (event) => {
    const line = event.at <= until ? storyLine(event) : undefined;
    if (line !== undefined) console.log(line);
  };
}

function printWire(event: Parameters<TraceSink>[0]): void {
  const line = wireLine(event) ?? storyLine(event);
  if (line !== undefined) console.log(line);
}

function writeTrace(file: number, seed: number): TraceSink {
  writeSync(file, `${traceHead(seed)}\n`);
  return (event) => void writeSync(file, `${traceLine(event)}\n`);
}

function finish(plan: Plan, outcome: Outcome, verb: string, source: string): void {
  const { events, traced, simulatedMs } = outcome.stats;
  console.log(`seed ${plan.seed}: ${plan.clients.length} clients, ${plan.faults.length} faults,`);
  console.log(`${simulatedMs / 1_000} simulated seconds, ${events} events, ${traced} traced`);
  for (const [name, { judged, unknown, counts, failures }] of Object.entries(outcome.verdicts)) {
    const said = failures.length === 0 ? "ok" : `${failures.length} FAILED`;
    const unsure = unknown === 0 ? "" : `, ${unknown} unknown`;
    console.log(`  ${name.padEnd(14)} ${said.padEnd(10)} judged ${judged} ${counts}${unsure}`);
  }
  const hit = [...outcome.probes].map(([probe, count]) => `${probe} ×${count}`);
  console.log(`  reached: ${hit.join(", ")}`);
  if (outcome.failures.length > 0) {
    printFailures(outcome, verb, source);
    process.exitCode = 1;
  }
  console.log(`trace ${outcome.hash}`);
}

function printFailures(outcome: Outcome, verb: string, source: string): void {
  for (const { oracle, what } of outcome.failures.slice(0, 10))
    console.log(`FAILED ${oracle}: ${what}`);
  const more = outcome.failures.length - 10;
  if (more > 0) console.log(`… and ${more} more`);
  console.log(`repeat with: npm run sim -- ${verb} ${source}`);
}
