/** Every plan in regressions/ once showed a bug, real or planted; it must be clean for ever. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { planProblem } from "../../sim/plan-problem.ts";
import type { Plan } from "../../sim/plan.ts";
import { run } from "../../sim/run.ts";

const folder = fileURLToPath(new URL("regressions", import.meta.url));
const ports = runPorts();

interface Regression extends Plan {
  readonly about: { readonly lesson: string; readonly oracle: string; readonly what: string };
}

for (const file of readdirSync(folder).sort()) {
  const text = readFileSync(join(folder, file), "utf8");
  const { about, ...plan } = JSON.parse(text) as Regression;
  test(`regression: ${about.lesson}`, { timeout: 30_000 }, () => {
    expect(planProblem(plan)).toBeUndefined();
    const { failures, verdicts } = run(plan, ports);
    expect(failures).toEqual([]);
    // It still shows what it was kept for.
    expect(verdicts[about.oracle]?.judged).toBeGreaterThan(0);
  });
}
