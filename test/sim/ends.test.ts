/** Whatever comes to no good end: each is said as what it is, and costs nothing else. */
import { afterEach, expect, test, vi } from "vitest";
import { runRecorded } from "../../sim/cli/record.ts";
import { UsageError } from "../../sim/cli/subject.ts";
import { told } from "../../sim/cli/told.ts";
import { Workers } from "../../sim/cli/workers.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { firstMoments } from "../../sim/report/moments.ts";
import { reportPage } from "../../sim/report/page.ts";
import { readTrace } from "../../sim/trace-file.ts";

afterEach(() => void vi.restoreAllMocks());

test("simulator: what was misunderstood ends with 2 and in words, what went wrong with 1", () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const missing = Object.assign(new Error("no such file"), { code: "ENOENT", path: "plan.json" });
  const bug = new TypeError("undefined is not a function");
  expect([new UsageError("Say --seed N"), missing, bug].map(told)).toEqual([2, 2, 1]);
  expect(error.mock.calls).toEqual([["Say --seed N"], ["plan.json: ENOENT"], [bug]]);
});

test("simulator: a run that the simulator itself cannot end has failed, and its trace is kept", () => {
  const plan = planFromSeed(1, { ...profiles.small, nodes: [1], clients: 2 });
  let seen = 0;
  const broken = (): void => {
    seen += 1;
    if (seen > 100) throw new RangeError("out of range");
  };
  const { outcome, lines } = runRecorded(plan, "1.2.3", { sinks: [broken] });
  const what = "the simulator threw RangeError: out of range";
  expect(outcome.failures).toEqual([{ oracle: "uncaught", what }]);
  const trace = readTrace(lines);
  expect(trace.end).toMatchObject({ events: 100, failures: outcome.failures });
  const last = { at: trace.events[99]?.at, event: 99 };
  expect(firstMoments(plan, trace.events, outcome.failures)).toMatchObject([last]);
  expect(firstMoments(plan, [], outcome.failures)).toEqual([]);
  expect(reportPage(trace)).toContain(what);
});

test("simulator: a process that dies is the failure of its seed; others go on, in another", async () => {
  const workers = new Workers(2);
  try {
    const plan = planFromSeed(1, { ...profiles.small, nodes: [1], clients: 2 });
    const well = () => workers.perform({ type: "plan", plan });
    // What it cannot understand ends a worker.
    const deadly = { type: "seed", seed: 1, profile: "no such", twice: false } as const;
    const died = [workers.perform(deadly), workers.perform(deadly)];
    const after = [well(), well(), well()];
    for (const { failures } of await Promise.all(died)) {
      expect(failures).toEqual([{ oracle: "uncaught", what: "its process ended with code 1" }]);
    }
    for (const { failures, hash } of await Promise.all(after)) {
      expect(failures).toEqual([]);
      expect(hash).toMatch(/^[0-9a-f]{16}$/);
    }
    expect((await well()).failures).toEqual([]);
  } finally {
    workers.close();
  }
}, 60_000);

test("simulator: with one worker, too", async () => {
  const deadly = { type: "seed", seed: 1, profile: "no such", twice: false } as const;
  const { failures } = await new Workers(1).perform(deadly);
  expect(failures).toMatchObject([{ oracle: "uncaught" }]);
});
