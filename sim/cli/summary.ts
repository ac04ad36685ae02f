/** Summary: what does a person, or a program, want to know of one run? */
import type { Plan } from "../plan.ts";
import type { Failure, Outcome } from "../run.ts";
import { symptomOf } from "../shrink.ts";

/** Of many kinds of failure the first few tell enough. */
const failuresShown = 10;

export interface Summary {
  readonly plan: Plan;
  readonly outcome: Outcome;
  /** The line that repeats the run. */
  readonly repeat: string;
}

export function summaryLines({ plan, outcome, repeat }: Summary): readonly string[] {
  const { events, traced, simulatedMs } = outcome.stats;
  const { clients, faults, topology } = plan;
  const lines = [
    `seed ${plan.seed}: ${counted(topology.nodes.length, "node")}, ` +
      `${counted(clients.length, "client")}, ${counted(faults.length, "fault")};`,
    `${simulatedMs / 1_000} simulated seconds, ${events} events, ${traced} traced`,
  ];
  for (const [name, verdict] of Object.entries(outcome.verdicts)) {
    const { judged, also, unknown, counts, recoveredMs = [] } = verdict;
    const failed = outcome.failures.filter(({ oracle }) => oracle === name).length;
    const said = failed === 0 ? "ok" : `${failed} FAILED`;
    const unsure = unknown === 0 ? "" : `, ${unknown} unknown`;
    const last = Math.max(...recoveredMs) / 1_000;
    const well = recoveredMs.length === 0 ? "" : `, all well ${last} s after the heal`;
    const what = `${judged} ${counts}${alsoText(also)}`;
    lines.push(`  ${name.padEnd(16)} ${said.padEnd(10)} judged ${what}${unsure}${well}`);
  }
  const reached = [...outcome.probes].map(([probe, count]) => `${probe} ×${count}`);
  lines.push(`  reached: ${reached.length === 0 ? "no probe" : reached.join(", ")}`);
  if (outcome.failures.length > 0) {
    lines.push(...failureLines(outcome.failures), `repeat with: ${repeat}`);
  }
  return lines;
}

/** Of an oracle with more than one subject. */
export function alsoText(also: Readonly<Record<string, number>> = {}): string {
  return Object.entries(also)
    .map(([counts, judged]) => `, ${judged} ${counts}`)
    .join("");
}

/** The first of each kind: an oracle that says the same of forty messages says one thing. */
export function failureLines(failures: readonly Failure[]): string[] {
  const kinds = new Map<string, { readonly first: Failure; count: number }>();
  for (const failure of failures) {
    const { oracle, words } = symptomOf(failure);
    const kind = kinds.get(`${oracle}: ${words}`);
    if (kind === undefined) kinds.set(`${oracle}: ${words}`, { first: failure, count: 1 });
    else kind.count += 1;
  }
  const lines = [...kinds.values()]
    .slice(0, failuresShown)
    .map(({ first: { oracle, what }, count }) => {
      const others = count === 1 ? "" : ` (and ${count - 1} more like it)`;
      return `FAILED ${oracle}: ${what}${others}`;
    });
  const more = kinds.size - failuresShown;
  if (more > 0) lines.push(`… and ${more} more kinds`);
  return lines;
}

export function summaryJson({ plan, outcome, repeat }: Summary): object {
  const { hash, failures, verdicts, probes, stats } = outcome;
  const counts = Object.entries(verdicts).map(
    ([name, { judged, also, unknown, counts }]) =>
      [name, { judged, ...(also && { also }), unknown, counts }] as const,
  );
  return {
    seed: plan.seed,
    nodes: plan.topology.nodes.length,
    clients: plan.clients.length,
    faults: plan.faults.length,
    ...stats,
    hash,
    failures,
    verdicts: Object.fromEntries(counts),
    probes: Object.fromEntries(probes),
    repeat,
  };
}

export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
