/** Demo: what does a newcomer see first? Ten seconds of three nodes, a split, a crash and the heal. */
import { join } from "node:path";
import { planFromSeed, profiles } from "../plan-from-seed.ts";
import type { FaultPlan, Plan } from "../plan.ts";
import { reportPage } from "../report/page.ts";
import { storyLine } from "../story.ts";
import { readTrace } from "../trace-file.ts";
import type { TraceSink } from "../trace.ts";
import { codeVersion, root } from "./code-version.ts";
import { runRecorded } from "./record.ts";
import { writeReport } from "./report.ts";
import { integer } from "./subject.ts";
import { summaryLines } from "./summary.ts";

const toldUntilMs = 10_000;

export function demo(flags: { readonly seed: string }): void {
  const plan = demoPlan(integer(flags.seed, "--seed"));
  const code = codeVersion();
  const { outcome, lines } = runRecorded(plan, code, { sinks: [tell] });
  console.log("          … and so on, until all has healed and become quiet.\n");
  const repeat = `npm run sim -- demo --seed ${plan.seed}`;
  for (const line of summaryLines({ plan, outcome, repeat })) console.log(line);
  const file = join(root, "build", "sim", `demo-${plan.seed}.html`);
  console.log(
    `its report: ${writeReport(reportPage(readTrace(lines), repeat), file)} (open it in a browser)`,
  );
  console.log(`trace ${outcome.hash}`);
  if (outcome.failures.length > 0) process.exitCode = 1;
}

/** People and latencies are the seed's; the trouble is always the same, so that there is something to see. */
export function demoPlan(seed: number): Plan {
  const plan = planFromSeed(seed, profiles.demo);
  const faults: readonly FaultPlan[] = [
    { kind: "split", target: "n1|n2,n3", startAt: 2_500, endAt: 5_500, amount: 0 },
    {
      kind: "vanish",
      target: plan.clients[0]?.name ?? "",
      startAt: 4_000,
      endAt: 4_000,
      amount: 0,
    },
    { kind: "node-crash", target: "n2", startAt: 6_500, endAt: 7_500, amount: 0 },
  ];
  const nodes = plan.topology.nodes.map((node) => ({ ...node, joins: false }));
  return { ...plan, topology: { ...plan.topology, nodes }, faults };
}

const tell: TraceSink = (event) => {
  const line = event.at <= toldUntilMs ? storyLine(event) : undefined;
  if (line !== undefined) console.log(line);
};
