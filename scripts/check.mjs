/**
 * Check: the rules that tools can enforce, one line and one verdict each.
 *
 * The fence is checked three times, since no tool sees all of it: tsconfig.core.json knows no Node types,
 * oxlint refuses what ES2023 itself leaves (clocks, chance, promises), dependency-cruiser the directions.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { install, root } from "./ready.mjs";

const bin = (...path) => join(root, "node_modules", ...path);
const tsc = bin("typescript7", "bin", "tsc");
const folders = ["src", "sim", "test", "properties", "bench", "scripts", "bin", "examples"].filter(
  (name) => existsSync(join(root, name)),
);
const steps = [
  { name: "types in the fence", args: [tsc, "-p", "tsconfig.core.json"] },
  { name: "types everywhere", args: [tsc, "-p", "tsconfig.json"] },
  {
    name: "lint",
    args: [bin("oxlint", "bin", "oxlint"), "--type-aware", "--deny-warnings", ...folders],
  },
  {
    name: "format",
    args: [
      bin("prettier", "bin", "prettier.cjs"),
      "--check",
      "--log-level",
      "warn",
      "--no-error-on-unmatched-pattern",
      ...folders,
    ],
  },
  {
    name: "import directions",
    args: [
      bin("dependency-cruiser", "bin", "dependency-cruise.mjs"),
      "--config",
      ".dependency-cruiser.cjs",
      "src",
      "sim",
      "examples",
    ],
    // With a TypeScript that it does not know, dependency-cruiser sees nothing and is content.
    verdict: (output) => Number(/(\d+) modules/.exec(output)?.[1] ?? 0) > 0,
  },
];

await install();
let failed = 0;
for (const { name, args, verdict } of steps) {
  const from = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
  });
  const output = `${stdout}${stderr}`;
  const good = status === 0 && (verdict?.(output) ?? true);
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  console.log(`${good ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  if (good) continue;
  failed += 1;
  console.log(output.trimEnd());
}
console.log(failed === 0 ? "All checks passed." : `${failed} of ${steps.length} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
