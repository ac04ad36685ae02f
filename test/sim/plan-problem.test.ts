/** What somebody may do wrong who edits a plan by hand: each is refused, and the place is named. */
import { expect, test } from "vitest";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { planProblem } from "../../sim/plan-problem.ts";
import type { Behaviour, Plan } from "../../sim/plan.ts";

const chat = { everyMs: [1_000, 5_000], peers: ["b@meerkat.test"] } as const;
const behaviours: readonly Behaviour[] = [
  { kind: "chatter", ...chat },
  { kind: "rival", ...chat },
  { kind: "vanisher", ...chat, livesMs: [1_000, 5_000], silent: true },
  { kind: "hostile", everyMs: [500, 3_000], attacks: ["too-deep"] },
];
const drawn = planFromSeed(7, { ...profiles.cluster, nodes: [3] });
/** Drawn where it does not matter, so that what is edited is there whatever the generator draws. */
const plan: Plan = {
  ...drawn,
  clients: behaviours.map((behaviour, index) => ({
    ...{ name: `c${index}`, nodes: ["n3", "n1"], roams: false, user: "c", resource: "" },
    ...{ mechanism: "PLAIN", startAt: 0, behaviour },
  })),
  faults: [{ kind: "flapping", target: "n3~n2", startAt: 7_037, endAt: 38_232, amount: 12_000 }],
};

/** The plan as JSON with one text replaced, which must be there. */
function edited(from: string | RegExp, to: string): unknown {
  const text = JSON.stringify(plan);
  const after = text.replace(from, to);
  expect(after).not.toBe(text);
  return JSON.parse(after);
}

test("plan problem: what the generator draws is a plan, in every profile", () => {
  for (const profile of Object.values(profiles)) {
    for (let seed = 1; seed <= 12; seed += 1) {
      expect(planProblem(JSON.parse(JSON.stringify(planFromSeed(seed, profile))))).toBeUndefined();
    }
  }
  expect(planProblem({ ...plan, about: { lesson: "anything" } })).toBeUndefined();
});

test.each([
  [
    /"kind":"flapping"/,
    '"kind":"flappin"',
    "`faults[0].kind` must be one of reset, reconnect-storm, half-open",
  ],
  [/"target":"n3~n2"/, '"target":"n9~n2"', '`faults[0].target`: there is no node or client "n9"'],
  [/"startAt":7037/, '"startAt":"7s"', "`faults[0].startAt` must be a number of milliseconds"],
  [/"startAt":7037/, '"startAt":39000', "`faults[0]` ends before it starts"],
  [/"windowBytes":\d+,/, "", "`topology.network.windowBytes` is missing"],
  [/"joins":false/, '"joins":false,"drfit":5', "`topology.nodes[0].drfit` is nothing that a plan"],
  [/"nodes":\["n3",/, '"nodes":["n4",', '`clients[0].nodes`: there is no node "n4"'],
  [/"kind":"rival"/, '"kind":"rivl"', "behaviour.kind` must be one of chatter, vanisher"],
  [/"livesMs":\[1000,5000\]/, '"livesMs":[5000,1000]', "livesMs` must be [low, high]"],
  [/"cluster":\{.*?\}\},/, "", "`topology.cluster` is missing"],
  [/"name":"c2"/, '"name":"c1"', 'two nodes or clients are called "c1"'],
  [/"duration":\{"setUp":\d+,/, '"duration":{', "`duration.setUp` is missing"],
  [/"startAt":0/, '"startAt":0,"pipelines":1', "`clients[0].pipelines` must be true or false"],
  [/"limits":\{/, '"limits":{"failedLogins":{"max":2},', "failedLogins.period` is missing"],
  [/"too-deep"/, '"too-high"', "must be one of"],
  [/"attacks":\["too-deep"\]/, '"attacks":[]', "must be a list of at least 1"],
  [/"startAt":7037,"endAt":\d+/, '"startAt":45001,"endAt":45001', "starts after the heal"],
  [/"heartbeatTimeout":\d+/, '"heartbeatTimeout":900', "heartbeatTimeout` must be twice"],
  [/"joins":false/g, '"joins":true', "nobody is there from the start"],
  [/"resource":""/g, '"resource":"phone"', '"c0" and "c1" are both c/phone'],
])("plan problem: %s for %s", (from, to, problem) => {
  expect(planProblem(plan)).toBeUndefined();
  expect(planProblem(edited(from, to))).toContain(problem);
});

test("plan problem: what is no plan at all", () => {
  expect(planProblem(null)).toBe("a plan is a JSON object");
  expect(planProblem({})).toBe("this code runs plans of version 2, not undefined");
  expect(planProblem({ ...plan, version: 1 })).toContain("make it anew from its seed");
  expect(planProblem({ ...plan, clients: {} })).toBe("`clients` must be a list, not {}");
});
