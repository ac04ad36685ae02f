/**
 * Main: which seed shows the bug, and what is left of its plan?
 *
 *     node scripts/run.mjs examples/simulate-a-protocol/main.ts              hunts, shrinks, tells the story
 *     node scripts/run.mjs examples/simulate-a-protocol/main.ts PLAN         runs a plan (JSON) or a seed again
 *     node scripts/run.mjs examples/simulate-a-protocol/main.ts fixed [PLAN] the same with the bug fixed
 */
import type { CountsFrom } from "./lease.ts";
import { planFromSeed, type Plan } from "./plan.ts";
import { Simulation, smallest } from "./simulation.ts";

const seedsMax = 2_000;
const words = process.argv.slice(2);
const countsFrom: CountsFrom = words[0] === "fixed" ? "question" : "answer";
const subject = words[0] === "fixed" ? words[1] : words[0];
if (subject === undefined) hunt();
else if (subject.startsWith("{")) show(JSON.parse(subject) as Plan);
else show(planFromSeed(Number(subject)));

function hunt(): void {
  for (let seed = 1; seed <= seedsMax; seed++) {
    const plan = planFromSeed(seed);
    const { failure } = new Simulation(plan, countsFrom).run();
    if (failure === undefined) continue;
    const { tenants, faults, forMs } = plan;
    console.log(`seed ${seed}: ${failure}`);
    console.log(`from ${tenants.length} tenants, ${faults.length} faults, ${forMs} ms to`);
    const small = smallest(plan, countsFrom);
    show(small);
    const command = "node scripts/run.mjs examples/simulate-a-protocol/main.ts";
    console.log(`repeat with: ${command} '${JSON.stringify(small)}'`);
    return;
  }
  console.log(`${seedsMax} seeds, and never more than one had the lock`);
}

function show(plan: Plan): void {
  const simulation = new Simulation(plan, countsFrom).run();
  for (const line of simulation.story) console.log(`  ${line}`);
  const { failure } = simulation;
  console.log(failure === undefined ? "nothing is wrong" : `FAILED: ${failure}`);
  if (failure !== undefined) process.exitCode = 1;
  console.log(`hash ${simulation.hash()}`);
}
