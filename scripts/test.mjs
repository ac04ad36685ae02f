/**
 * Test: `npm test` (laws, examples, real processes) or `npm run test:peers` (needs Debian's packages).
 *
 * The last line says `N passed, N failed`. A file that could not be loaded and an error outside any test
 * count as failed: they would be invisible among the tests.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, install, root, run } from "./ready.mjs";

const [first, ...others] = process.argv.slice(2);
const peers = first === "peers";
const extra = peers || first === undefined ? others : [first, ...others];
const projects = peers ? ["peers"] : ["unit", "process"];

await install();
await build();
const folder = mkdtempSync(join(tmpdir(), "meerkat-test-"));
const report = join(folder, "report.json");
const code = await run(process.execPath, [
  join(root, "node_modules", "vitest", "vitest.mjs"),
  "run",
  ...projects.flatMap((name) => ["--project", name]),
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...(peers ? ["--passWithNoTests"] : []),
  ...extra,
]);
const { passed, failed } = counts(report);
rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = code === 0 && failed > 0 ? 1 : code;

function counts(path) {
  let json;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { passed: 0, failed: code === 0 ? 0 : 1 };
  }
  const broken = json.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.every((t) => t.status !== "failed"),
  );
  const failed = json.numFailedTests + broken.length;
  return { passed: json.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
}
