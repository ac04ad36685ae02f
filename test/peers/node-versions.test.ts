/** One seed, one trace hash: on the Node that runs this, and on 22 and 24 (npm's `node` package). */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

/** In a folder of its own: as a dependency of ours it would take over npm's scripts. */
function installed(version: string): string {
  const folder = resolve("build", `node-${version}`);
  const program = join(folder, "node_modules", ".bin", "node");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }');
    const words = ["install", `node@${version}`, "--no-audit", "--no-fund"];
    execFileSync("npm", words, { cwd: folder, stdio: "ignore" });
  }
  return program;
}

function lastLine(program: string, words: readonly string[]): string {
  const output = execFileSync(program, words, { encoding: "utf8" });
  return output.trim().split("\n").pop() ?? "";
}

const run = ["--import", "tsx", "sim/cli/main.ts", "run", "--seed", "7"];

/** An installation and two runs, on a machine that may be busy with other things. */
const timeout = 400_000;

test.each(["22", "24"])("node %s: the same seed leaves the same trace", { timeout }, (version) => {
  const program = installed(version);
  expect(lastLine(program, ["--version"])).toMatch(new RegExp(`^v${version}\\.`));
  const here = lastLine(process.execPath, run);
  expect(here).toMatch(/^trace [0-9a-f]{16}$/);
  expect(lastLine(program, run)).toBe(here);
});
