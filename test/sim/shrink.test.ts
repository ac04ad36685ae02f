import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { writePlan } from "../../sim/cli/shrink.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { planProblem } from "../../sim/plan-problem.ts";
import type { FaultPlan, Plan } from "../../sim/plan.ts";
import { run, type Failure } from "../../sim/run.ts";
import { shows, shrink, shrinkHere, symptomOf, Yardstick } from "../../sim/shrink.ts";
import { withoutNode } from "../../sim/shrink-parts.ts";
import { server } from "../../src/server/server.ts";

const plans = fc.nat({ max: 1_000 }).map((seed) => planFromSeed(seed + 1, profiles.cluster));
const namesOf = (plan: Plan) => plan.clients.map(({ name }) => name);
const rowsOf = (plan: Plan) => plan.faults.map(({ kind, target }) => `${kind} ${target}`);

test("shrink: the symptom is what an oracle says without names and numbers", () => {
  const what = "m/chatter-5#1/21 to family@meerkat.test, sent at 23628 ms, was neither delivered";
  const symptom = symptomOf({ oracle: "conservation", what });
  expect(symptom).toEqual({
    oracle: "conservation",
    words: "to sent at ms, was neither delivered",
  });
  const again = what.replaceAll("21", "4").replace("family", "rival-1");
  expect(shows([{ oracle: "conservation", what: again }], symptom)).toBe(true);
  expect(shows([{ oracle: "answers", what }], symptom)).toBe(false);
  expect(shows([{ oracle: "conservation", what: "m/1 arrived twice" }], symptom)).toBe(false);
});

test("shrink: what is written is about what it shows now, whatever it was about", async () => {
  const folder = mkdtempSync(join(tmpdir(), "meerkat-test-"));
  try {
    const about = { lesson: "an old one", oracle: "links", what: "n1 speaks" };
    const plan = { ...planFromSeed(1, profiles.small), about };
    const file = join(folder, "plan.json");
    const now = { oracle: "bounds", what: "n1 has too much" };
    await writePlan(plan, now, { file, lesson: "a new one" });
    const written: unknown = JSON.parse(readFileSync(file, "utf8"));
    expect(written).toEqual({ ...plan, about: { lesson: "a new one", ...now } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("shrink: a yardstick", () => {
  const failures = [{ oracle: "links", what: "n1 speaks" }];
  const symptom = symptomOf({ oracle: "links", what: "n2 speaks" });
  const plan = (seed: number): Plan => planFromSeed(seed, profiles.small);
  const begin = () => {
    const yardstick = new Yardstick(symptom, plan(1), 1_000);
    const fits = (events: number) => yardstick.fits({ failures, stats: { events } });
    const took = (events: number, seed: number) =>
      yardstick.took({ failures, stats: { events } }, plan(seed));
    return { yardstick, fits, took };
  };

  test("what takes half as many events again as the shortest so far is no step", () => {
    const { yardstick, fits, took } = begin();
    expect([1_500, 1_501].map(fits)).toEqual([true, false]);
    took(400, 2);
    took(500, 3);
    expect([600, 601].map(fits)).toEqual([true, false]);
    expect(yardstick.fits({ failures: [], stats: { events: 1 } })).toBe(false);
    expect(yardstick.best.seed).toBe(3);
  });

  test("of two ways down the shorter end counts", () => {
    const { yardstick, fits, took } = begin();
    took(400, 2);
    yardstick.again();
    expect([1_500, 1_501].map(fits)).toEqual([true, false]);
    took(900, 3);
    expect([yardstick.best.seed, yardstick.isShort]).toEqual([2, false]);
    took(50, 4);
    expect([yardstick.best.seed, yardstick.isShort]).toEqual([4, true]);
  });
});

/** What matters is met under one seed of three alone: a way down that ends high is not the last. */
test("shrink: where one way down ends high, another is tried", () => {
  const plan = planFromSeed(1, profiles.small);
  const failures = [{ oracle: "links", what: "speaks" }];
  const events = ({ seed, clients }: Plan): number =>
    (seed < 100 ? 1_000 : 100) * (1 + clients.length);
  const yardstick = new Yardstick(symptomOf(failures[0] as Failure), plan, events(plan));
  const fails = (each: Plan): boolean => {
    const fits = yardstick.fits({ failures, stats: { events: events(each) } });
    const isMet = each.seed < 100 ? each.clients.length > 5 : each.seed % 3 === 0;
    if (fits && isMet) yardstick.took({ failures, stats: { events: events(each) } }, each);
    return fits && isMet;
  };
  const small = shrinkHere(plan, { fails, yardstick });
  expect([small.seed >= 100, small.clients]).toEqual([true, []]);
});

test("shrink: exactly the faults and clients that matter are left", { timeout: 30_000 }, () => {
  const setting = plans.chain((plan) =>
    fc.record({
      plan: fc.constant(plan),
      clients: fc.subarray(namesOf(plan), { minLength: 1, maxLength: 3 }),
      // Node faults outlive what becomes of the clients, and one node is always there.
      rows: fc.subarray(
        rowsOf({ ...plan, faults: plan.faults.filter(({ kind }) => kind === "database-down") }),
      ),
    }),
  );
  fc.assert(
    fc.property(setting, ({ plan, clients, rows }) => {
      const fails = (candidate: Plan) =>
        clients.every((name) => namesOf(candidate).includes(name)) &&
        rows.every((row) => rowsOf(candidate).filter((each) => each === row).length >= 1);
      const small = shrinkHere(plan, { fails });
      expect(new Set(namesOf(small))).toEqual(new Set(clients));
      expect(new Set(rowsOf(small))).toEqual(new Set(rows));
      expect(small.topology.nodes).toHaveLength(1);
      expect(small.duration.safety).toBeLessThanOrEqual(1_000);
    }),
    { numRuns: 15 },
  );
});

test(
  "shrink: no candidate speaks of what it does not have, or is longer",
  { timeout: 30_000 },
  () => {
    fc.assert(
      fc.property(plans, fc.infiniteStream(fc.nat({ max: 3 })), (plan, coins) => {
        const steps = shrink(plan);
        let best = plan;
        let step = steps.next();
        while (step.done !== true) {
          const candidates = step.value;
          for (const candidate of candidates) expect(problemOf(candidate, best)).toBeUndefined();
          // Some fail, some do not: whatever the answers, candidates stay sound.
          const index = coins.next().value;
          const found = index < candidates.length && index > 0 ? index - 1 : undefined;
          best = (found === undefined ? undefined : candidates[found]) ?? best;
          step = steps.next(found);
        }
        expect(step.value).toEqual(best);
      }),
      { numRuns: 15 },
    );
  },
);

test("shrink: whatever is left out, sound code passes what is left", { timeout: 60_000 }, () => {
  const ports = runPorts();
  const plans = [profiles.small, profiles.splits].flatMap((profile) =>
    [3, 4].map((seed) => planFromSeed(seed, profile)),
  );
  for (const plan of plans) {
    let asked = 0;
    const taken: Plan[] = [];
    shrinkHere(plan, {
      fails: (candidate) => {
        asked += 1;
        // Neither all of them, or nothing is left at once, nor the first of each kind alone.
        const fails = asked % 4 === 0;
        if (fails) taken.push(candidate);
        return fails;
      },
      expired: () => asked > 150,
    });
    for (const each of taken.filter((_, index) => index % 5 === 4)) {
      expect(run(each, ports).failures).toEqual([]);
    }
    expect(taken.length).toBeGreaterThan(5);
  }
});

test("shrink: without a node its clients go elsewhere, and faults that need it are gone", () => {
  const plan = planFromSeed(1, { ...profiles.cluster, nodes: [3], discoveries: ["dns"] });
  const rows = [
    { kind: "split", target: "n1|n2,n3" },
    { kind: "split", target: "n1,n2|n3" },
    { kind: "one-way-cut", target: "n3>n1" },
    { kind: "link-reset", target: "n1~n2" },
    { kind: "node-crash", target: "n3" },
    { kind: "all-nodes-restart", target: "all" },
    { kind: "dns-down", target: "all" },
  ] as const;
  const faults = rows.map((row): FaultPlan => ({ ...row, startAt: 1, endAt: 2, amount: 0 }));
  const two = withoutNode({ ...plan, faults }, "n3");
  const left = ({ faults: all }: Plan) => all.map(({ kind, target }) => `${kind} ${target}`);
  const pair = ["split n1|n2", "link-reset n1~n2", "all-nodes-restart all", "dns-down all"];
  expect(left(two)).toEqual(pair);
  expect(two.topology.cluster).toEqual(plan.topology.cluster);
  const one = withoutNode(two, "n2");
  expect(left(one)).toEqual(["all-nodes-restart all"]);
  expect(one.topology.cluster).toBeUndefined();
  for (const client of one.clients) expect(client.nodes).toEqual(["n1"]);
});

test(
  "shrink: a real bug becomes a small plan that fails in the same way",
  { timeout: 60_000 },
  () => {
    const ports = runPorts();
    const buggy = (plan: Plan) =>
      run(plan, {
        ...ports,
        compose: (options) => {
          const real = server(options);
          const deliver = real.loop.deliver.bind(real.loop);
          let opened = 0;
          real.loop.deliver = (now, input) => {
            // A bug that needs two clients and the database to be down.
            if (input.type === "connection-opened") opened += 1;
            if (input.type === "query-failed" && opened > 1) throw new TypeError("planted");
            deliver(now, input);
          };
          return real;
        },
      });
    const plan = planFromSeed(8, { ...profiles.small, nodes: [1] });
    const down: FaultPlan = {
      kind: "database-down",
      target: "database",
      startAt: 5_000,
      endAt: 9_000,
      amount: 0,
    };
    const large = { ...plan, faults: [...plan.faults, down] };
    const [failure] = buggy(large).failures;
    expect(failure?.what).toContain("planted");
    const symptom = symptomOf(failure ?? { oracle: "", what: "" });
    const small = shrinkHere(large, { fails: (each) => shows(buggy(each).failures, symptom) });
    expect(shows(buggy(small).failures, symptom)).toBe(true);
    expect(small.faults.length).toBeLessThanOrEqual(1);
    expect(small.clients.length).toBeLessThanOrEqual(2);
    // It has thrown by then: nothing need heal.
    expect(small.duration.liveness).toBe(0);
  },
);

function problemOf(plan: Plan, before: Plan): string | undefined {
  const nodes = new Set(plan.topology.nodes.map(({ name }) => name));
  const known = new Set([...nodes, ...namesOf(plan), "database", "all"]);
  const heal = plan.duration.setUp + plan.duration.safety;
  const total = ({ duration }: Plan) => duration.setUp + duration.safety + duration.liveness;
  for (const { nodes: theirs, name } of plan.clients) {
    if (theirs.length === 0 || theirs.some((node) => !nodes.has(node))) return `${name} is lost`;
  }
  for (const { target, kind, startAt, endAt } of plan.faults) {
    const unknown = target.split(/[>~|,]/).filter((part) => !known.has(part));
    if (unknown.length > 0) return `${kind} at ${unknown.join(" ")}`;
    if (startAt > heal || endAt < startAt) return `${kind} from ${startAt} to ${endAt}`;
  }
  if (plan.topology.nodes.every(({ joins }) => joins)) return "nobody is there from the start";
  if (total(plan) > total(before)) return "longer than before";
  return planProblem(plan);
}
