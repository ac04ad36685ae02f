import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { HuntSum } from "../../sim/cli/hunt-sum.ts";
import { seedRange } from "../../sim/cli/hunt.ts";
import { failureLines } from "../../sim/cli/summary.ts";
import { perform } from "../../sim/cli/tasks.ts";
import { planFromSeed, profiles, type Profile } from "../../sim/plan-from-seed.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const alone = { ...profiles.small, nodes: [1] };
const plan = planFromSeed(1, { ...alone, clients: 4, faults: false });

test("hunt: the seeds of different machines never overlap", () => {
  expect(seedRange("1..200", 0)).toEqual({ first: 1, last: 200 });
  const blocks = [0, 1, 2, 7_000].map((offset) => seedRange(undefined, offset));
  for (const [index, { first, last }] of blocks.entries()) {
    expect(first).toBeLessThan(last);
    expect(first).toBeGreaterThan(blocks[index - 1]?.last ?? 0);
    expect(Number.isSafeInteger(last)).toBe(true);
  }
  expect(seedRange("5..6", 2)).toEqual({ first: 2_000_000_005, last: 2_000_000_006 });
  for (const bad of ["1", "2..1", "a..b", "0..3", "1..1000000001"]) {
    expect(() => seedRange(bad, 0)).toThrow(/--seeds is FIRST..LAST/);
  }
});

test("hunt: what every oracle judged is summed; idle oracles and missed probes are findings", () => {
  const sum = new HuntSum();
  const result = perform({ type: "plan", plan });
  sum.add(result);
  sum.add(result);
  const { conservation } = result.verdicts;
  const findings = sum.findings(profiles.small);
  expect(sum.json(1_000, findings)).toMatchObject({
    seeds: 2,
    oracles: { conservation: { judged: 2 * (conservation?.judged ?? 0) } },
  });
  // One node without faults shows nothing of a cluster, and no probe of a fault.
  expect(findings.idleOracles).toContain("convergence");
  expect(findings.idleOracles).not.toContain("conservation");
  expect(findings.probesNeverReached).toContain("clock jumped");
  expect(sum.lines(1_000, findings)).toContain("FINDING: oracle convergence judged nothing");
});

test("hunt: what no run of the profile can come to is not asked, and never happens", () => {
  const sum = new HuntSum();
  const [judged, reached] = [new Set<string>(), new Set<string>()];
  for (let seed = 1; seed <= 8; seed++) {
    const result = perform({ type: "plan", plan: planFromSeed(seed, alone) });
    sum.add(result);
    for (const [name, verdict] of Object.entries(result.verdicts)) {
      if (verdict.judged > 0) judged.add(name);
    }
    for (const [probe] of result.probes) reached.add(probe);
  }
  const { idleOracles, outOfReach } = sum.findings(alone);
  expect(idleOracles).toEqual([]);
  expect(outOfReach.oracles).toContain("convergence");
  expect(outOfReach.oracles.filter((name) => judged.has(name))).toEqual([]);
  expect(outOfReach.probes).toContain("link came up");
  expect(outOfReach.probes.filter((name) => reached.has(name))).toEqual([]);
  const outOf = (profile: Profile) => sum.findings(profile).outOfReach.oracles;
  expect(outOf(profiles.small)).toEqual([]);
  expect(outOf(profiles.splits)).toEqual(["refusals"]);
  expect(outOf(profiles.lists)).toEqual(["registry"]);
});

test("hunt: how soon all was well after the heal is told as a distribution", () => {
  const sum = new HuntSum();
  const result = perform({ type: "plan", plan });
  const met = { judged: 100, unknown: 0, counts: "pairs of nodes" };
  const recoveredMs = Array.from({ length: 100 }, (_, index) => 100 * index + 1);
  sum.add({ ...result, verdicts: { convergence: { ...met, recoveredMs } } });
  sum.add({ ...result, verdicts: { convergence: { ...met, recoveredMs: [29_960] } } });
  const findings = sum.findings(profiles.small);
  const times = "half within 5.1 s, 90 % 9.1 s, 99 % 10 s, all 30 s";
  expect(sum.lines(1_000, findings)).toContain(`  convergence      well after the heal: ${times}`);
  expect(sum.json(1_000, findings)).toMatchObject({
    recovery: { convergence: { count: 101, all: 30 } },
  });
});

test("hunt: clients that were online when all healed count as well at once", () => {
  const { progress } = perform({ type: "plan", plan }).verdicts;
  expect(progress?.recoveredMs).toEqual(plan.clients.map(() => 0));
});

test("hunt: what an oracle says again and again is said once", () => {
  const lost = (id: number) => ({
    oracle: "conservation",
    what: `m/a#1/${id} was lost at ${id} ms`,
  });
  const twice = { oracle: "conservation", what: "m/a#1/4 arrived twice" };
  const ghost = { oracle: "ghosts", what: "m/a#1/5 was lost at 5 ms" };
  expect(failureLines([lost(1), lost(2), twice, lost(3), ghost])).toEqual([
    "FAILED conservation: m/a#1/1 was lost at 1 ms (and 2 more like it)",
    "FAILED conservation: m/a#1/4 arrived twice",
    "FAILED ghosts: m/a#1/5 was lost at 5 ms",
  ]);
});

test("hunt: on two processes, with half of the seeds run twice; the sum as JSON", () => {
  const words = ["hunt", "--profile", "demo", "--seeds", "1..2", "--twice-every", "2"];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "scripts", "run.mjs"), "sim/cli/main.ts", ...words, "--workers", "2", "--json"],
    { cwd: root, encoding: "utf8" },
  );
  expect(stderr).toBe("");
  const sum = JSON.parse(stdout) as Record<string, unknown>;
  expect(sum).toMatchObject({ seeds: 2, checkedTwice: 1, unequal: [], failed: [] });
}, 60_000);
