import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { subjectOfFlags } from "../../sim/cli/subject.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { parseRepro, reproText, shellWord, type Repro } from "../../sim/repro.ts";
import { run } from "../../sim/run.ts";

test("repro: one line says seed, profile, version of the code and hash", () => {
  const repro: Repro = {
    source: { type: "seed", seed: 7, profile: "speed-3" },
    code: "0.1.0+c15d7d4.changed",
    hash: "5e707c6a2a625c5a",
  };
  expect(reproText(repro)).toBe("seed:7/speed-3@0.1.0+c15d7d4.changed#5e707c6a2a625c5a");
  expect(parseRepro(reproText(repro))).toEqual(repro);
});

test("repro: a number is a seed of the default profile, another word the file of a plan", () => {
  const seed = { source: { type: "seed", seed: 12, profile: "default" }, code: "", hash: "" };
  expect(parseRepro("12")).toEqual(seed);
  expect(parseRepro("seed:12")).toEqual(seed);
  const file = { source: { type: "file", file: "a/b c.json" }, code: "", hash: "" };
  expect(parseRepro("a/b c.json")).toEqual(file);
  expect(parseRepro("plan:a/b c.json")).toEqual(file);
});

test("repro: what says seed and then no seed is none", () => {
  for (const text of ["", "seed:", "seed:x", "seed:1/UP", "seed:99999999999999999", "seed:1#12"]) {
    expect(parseRepro(text)).toBeUndefined();
  }
});

test("repro: whatever the file is called, it comes back", () => {
  const hash = fc.constantFrom("", "0123456789abcdef");
  const code = fc.constantFrom("", "0.1.0+c15d7d4");
  const name = fc.string({ minLength: 1 }).filter((text) => !/[@#\n\r\u2028\u2029]/.test(text));
  fc.assert(
    fc.property(name, code, hash, (file, version, fingerprint) => {
      const repro = { source: { type: "file", file }, code: version, hash: fingerprint } as const;
      expect(parseRepro(reproText(repro))).toEqual(repro);
    }),
  );
});

test("repro: it is one word of a command line", () => {
  expect(shellWord("seed:7/default@0.1.0+c15d7d4#5e707c6a2a625c5a")).toBe(
    "seed:7/default@0.1.0+c15d7d4#5e707c6a2a625c5a",
  );
  expect(shellWord("plan:it's here.json")).toBe("'plan:it'\\''s here.json'");
});

test("repro: a word without a flag is a seed of the profile that was said, or whatever is a repro", () => {
  const said = subjectOfFlags({ seed: "7", profile: "small" });
  expect(subjectOfFlags({ profile: "small" }, "7")).toEqual(said);
  expect(subjectOfFlags({}, "seed:7/small")).toEqual(said);
  for (const repro of ["seed:7/small", "seed:7", "plan.json"]) {
    expect(() => subjectOfFlags({ profile: "demo" }, repro)).toThrow("--profile is of a seed");
    expect(() => subjectOfFlags({ profile: "demo", plan: repro })).toThrow("of a seed");
  }
  expect(() => subjectOfFlags({ plan: "plan.json" }, "7")).toThrow("one of them");
});

test("repro: run and replay say when the trace is another; replay stops where it is told", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const printed = (...words: readonly string[]): string => {
    const command = [join(root, "scripts", "run.mjs"), "sim/cli/main.ts", ...words];
    return spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" }).stdout;
  };
  const plan = planFromSeed(5, profiles.demo);
  for (const verb of ["run", "replay"]) {
    const whole = printed(verb, "seed:5/demo@0.0.1#0123456789abcdef");
    expect(whole).toMatch(/^another trace than the repro's 0123456789abcdef/);
    expect(whole).toContain(`trace ${run(plan, runPorts()).hash}`);
  }
  const part = printed("replay", "seed:5/demo", "--until", "3s");
  const cut = run(plan, { ...runPorts(), until: 3_000 });
  expect(part).toContain(`trace ${cut.hash}`);
  expect(part).toContain("3 simulated seconds");
  expect(cut.failures).toEqual([]);
}, 60_000);
