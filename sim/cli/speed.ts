/**
 * Speed: `node scripts/bundled.mjs sim/cli/speed.ts SEEDS PART PROFILE...` runs so many seeds of each profile one
 * after the other, as a worker of a hunt does, and writes what each took as JSON. Of part 2/3 it takes the second of each
 * three seeds: for several of these at once, as a hunt has them. For `npm run bench`.
 */
import { planFromSeed, profiles, type Profile, type ProfileName } from "../plan-from-seed.ts";
import { run } from "../run.ts";
import { runPorts } from "./ports.ts";

export interface Measured {
  readonly seed: number;
  readonly events: number;
  readonly failures: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly simulatedSeconds: number;
}

/** A hunt is hundreds of runs; the first are slow, for it takes so many events until most of their code is compiled. */
const warmEvents = 1_000_000;
const ports = runPorts();

/** A turn of the process each, as a hunt's workers take their tasks: what is left of a run goes with its turn. */
async function measure(profile: Profile, seed: number): Promise<Measured> {
  await new Promise((resolve) => setImmediate(resolve));
  const plan = planFromSeed(seed, profile);
  const began = performance.now();
  const cpu = process.cpuUsage();
  const { stats, failures } = run(plan, ports);
  const { user, system } = process.cpuUsage(cpu);
  return {
    seed,
    events: stats.events,
    failures: failures.length,
    wallSeconds: (performance.now() - began) / 1_000,
    cpuSeconds: (user + system) / 1_000_000,
    simulatedSeconds: stats.simulatedMs / 1_000,
  };
}

const [seeds = "5", part = "1/1", ...names] = process.argv.slice(2);
const [which = 1, of = 1] = part.split("/").map(Number);
const results: Measured[][] = [];
for (const name of names) {
  const profile = profiles[name as ProfileName];
  let warm = 0;
  for (let at = Number(seeds) + which; warm < warmEvents; at += of) {
    warm += (await measure(profile, at)).events;
  }
  const measured: Measured[] = [];
  for (let at = which; at <= Number(seeds); at += of) measured.push(await measure(profile, at));
  results.push(measured);
}
process.stdout.write(JSON.stringify(results));
