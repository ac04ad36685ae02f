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
  [["run", "seed:7/small", "--profile", "one"], '--profile is of a seed: "seed:7/small" says'],
  [["run", "--seed", "7", "--json", "--story"], "--json prints the summary alone"],
  [["run", "--seed", "7", "--profile", "demo", "--trace", nowhere], "ENOENT"],
  [["plan", "--seed", "7", nowhere], "ENOENT"],
  [["hunt", "--seeds", "1..2", "--workers", "0"], "--workers is 1 or more, not 0"],
  [["shrink", "7", "--oracle", "mine"], 'No oracle "mine"; there are conservation'],
  [
    ["shrink", "7", "--name", "answered-another-way"],
    "answered-another-way.json is another lesson: it is kept",
  ],
  [["zoo", "--seeds", "x"], '--seeds is an integer, not "x"'],
  [["zoo", "--at-least", "x"], '--at-least is an integer, not "x"'],
  [["zoo", "--shrink", "-1"], "--shrink is 0 or more, not -1"],
  [["zoo", "--workers", "0"], "--workers is 1 or more, not 0"],
  [["zoo", "--seed", "1"], "unknown option '--seed'"],
  [["zoo", "--only", "typo"], 'No planted bug has "typo" in its name'],
  [["zoo", "--only", "link,"], 'No planted bug has "" in its name'],
  [["zoo", "--without", "mine"], 'No oracle "mine"; there are conservation'],
  [["zoo", "--matrix", "--shrink", "9"], "--matrix and --shrink: say one of them"],
  [["zoo", "--purposes", "--without", "links"], "--purposes and --without: say one of them"],
  [["zoo", "--matrix", "--purposes"], "--matrix and --purposes: say one of them"],
  [["verify", nowhere], "Cannot read"],
])(
  "simulator: %j",
  (words, said) => {
    const [verb, ...rest] = words;
    const run = verb === "zoo" ? ["sim/cli/zoo.ts", ...rest] : ["sim/cli/main.ts", ...words];
    const command = [join(root, "scripts", "bundled.mjs"), ...run];
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
