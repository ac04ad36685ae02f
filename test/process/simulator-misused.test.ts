/** The simulator's command line, misunderstood: what is wrong in words, exit code 2, no stack. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "meerkat-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nowhere = join(folder, "no", "folder");
const trace = join(folder, "trace.jsonl");
writeFileSync(trace, '{"trace":"meerkat","version":0}\n{"at":0,"pla');

test.each([
  [["replay"], "missing required argument"],
  [["replay", "7", "--unti", "3s"], "unknown option '--unti'"],
  [["replay", "7", "--until", "-3"], 'A time is 12500 (milliseconds) or 12.5s, not "-3"'],
  [["replay", "cluster"], '"cluster" is no file, and no repro either'],
  [["replay", trace], "line 1: a trace of version 0"],
  [["report", trace], "trace.jsonl: line"],
  [["diff", trace, trace], "trace.jsonl: line"],
  [["run", "plan.jsn"], '"plan.jsn" is no file, and no repro either'],
  [["run", "7", "--seed", "8"], "Say --seed N, --plan FILE or a repro, one of them"],
  [["run", "--seed", "7", "--json", "--story"], "--json prints the summary alone"],
  [["run", "--seed", "7", "--profile", "demo", "--trace", nowhere], "ENOENT"],
  [["plan", "--seed", "7", nowhere], "ENOENT"],
  [["hunt", "--seeds", "1..2", "--workers", "0"], "--workers is 1 or more, not 0"],
  [["shrink", "7", "--oracle", "mine"], 'No oracle "mine"; there are conservation'],
  [
    ["shrink", "7", "--name", "answered-another-way"],
    "answered-another-way.json is another lesson: it is kept",
  ],
  [["verify", nowhere], "Cannot read"],
])(
  "simulator: %j",
  (words, said) => {
    const command = [join(root, "scripts", "bundled.mjs"), "sim/cli/main.ts", ...words];
    const { status, stderr } = spawnSync(process.execPath, command, {
      cwd: root,
      encoding: "utf8",
    });
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(2);
  },
  60_000,
);
