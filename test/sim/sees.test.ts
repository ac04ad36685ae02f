/**
 * Sees: is an oracle that is shown only what it asks for as sharp as one that is shown all?
 *
 * Which kinds of event an oracle sees is declared for speed alone. One that is forgotten there makes it
 * blind, and nothing else would tell.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { makeOracles } from "../../sim/oracles/index.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { probeKinds, probeOf, type Probe } from "../../sim/probes.ts";
import { run } from "../../sim/run.ts";

const folder = new URL("../../sim/oracles/", import.meta.url);
const traceText = readFileSync(new URL("../../sim/trace.ts", import.meta.url), "utf8");
const kinds = [...traceText.matchAll(/^ {2}(?:"([a-z-]+)"|(logged|settled)): /gm)].map(
  ([, quoted, bare]) => quoted ?? bare ?? "",
);

test.each([
  ["small", 3],
  ["small", 4],
  ["small", 11],
  ["cluster", 2],
  ["splits", 1],
  ["lists", 1],
] as const)("shown all, the oracles say the same of seed %s %i", (name, seed) => {
  const plan = planFromSeed(seed, profiles[name]);
  const shownAll = makeOracles(plan);
  const probes = new Map<Probe, number>();
  const outcome = run(plan, {
    ...runPorts(),
    sinks: [
      (event) => {
        for (const oracle of shownAll) oracle.see(event);
        const probe = probeOf(event);
        if (probe !== undefined) probes.set(probe, (probes.get(probe) ?? 0) + 1);
      },
    ],
  });
  for (const oracle of shownAll) {
    const { counts, ...verdict } = outcome.verdicts[oracle.name] ?? { counts: "" };
    expect(verdict, oracle.name).toEqual(oracle.judge());
    expect(counts).toBe(oracle.counts);
  }
  expect(outcome.probes).toEqual(probes);
});

test("every kind that an oracle's file names is one that it sees", () => {
  expect(kinds.length).toBeGreaterThan(70);
  const oracles = makeOracles(planFromSeed(1, profiles.small));
  for (const { name, sees } of oracles) {
    const text = readFileSync(new URL(`${name}.ts`, folder), "utf8");
    const named = kinds.filter((kind) => text.includes(`"${kind}"`));
    expect(named.filter((kind) => !sees.some((each) => each === kind))).toEqual([]);
  }
  const files = new Set(readdirSync(folder));
  for (const { name } of oracles) expect(files).toContain(`${name}.ts`);
});

test("every kind that shows a probe is asked for", () => {
  const text = readFileSync(new URL("../probes.ts", folder), "utf8");
  const named = kinds.filter((kind) => text.includes(`case "${kind}"`));
  expect([...probeKinds].sort()).toEqual(named.sort());
});
