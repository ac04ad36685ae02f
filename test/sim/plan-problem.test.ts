/** What somebody may do wrong who edits a plan by hand: each is refused, and the place is named. */
import { expect, test } from "vitest";
import { faultKinds, faults } from "../../sim/faults/index.ts";
import type { TargetKind } from "../../sim/faults/targets.ts";
import { choices } from "../../sim/kit/random.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { planProblem } from "../../sim/plan-problem.ts";
import { discoveryKinds, type Behaviour, type FaultKind, type Plan } from "../../sim/plan.ts";

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
  [/"startAt":7037/, '"startAt":"7s"', "`faults[0].startAt` must be an integer of milliseconds"],
  [/"startAt":7037/, '"startAt":39000', "`faults[0]` ends before it starts"],
  [/"windowBytes":\d+,/, "", "`topology.network.windowBytes` is missing"],
  [/"joins":false/, '"joins":false,"drfit":5', "`topology.nodes[0].drfit` is nothing that a plan"],
  [/"nodes":\["n3",/, '"nodes":["n4",', '`clients[0].nodes`: there is no node "n4"'],
  [/"kind":"rival"/, '"kind":"rivl"', "behaviour.kind` must be one of chatter, vanisher"],
  [/"livesMs":\[1000,5000\]/, '"livesMs":[5000,1000]', "livesMs` must be [low, high] in whole"],
  [
    /"everyMs":\[1000,5000\]/,
    '"everyMs":[0,0]',
    "everyMs` must be [low, high] in whole milliseconds, 1",
  ],
  [
    /"maxStanzaSize":\d+/,
    '"maxStanzaSize":4000',
    "maxStanzaSize` must be an integer, 4096 or more",
  ],
  [
    /"peers":/,
    '"longBytes":300000,"peers":',
    "`clients[0].behaviour`: `limits.maxStanzaSize` is for",
  ],
  [/"cluster":\{.*?\}\},/, "", "`topology.cluster` is missing"],
  [/"name":"c2"/, '"name":"c1"', 'two nodes or clients are called "c1"'],
  [/"duration":\{"setUp":\d+,/, '"duration":{', "`duration.setUp` is missing"],
  [/"startAt":0/, '"startAt":0,"pipelines":1', "`clients[0].pipelines` must be true or false"],
  [/"limits":\{/, '"limits":{"failedLogins":{"max":2},', "failedLogins.period` is missing"],
  [/"too-deep"/, '"too-high"', "must be one of"],
  [/"attacks":\["too-deep"\]/, '"attacks":[]', "must be a list of at least 1"],
  [/"startAt":7037,"endAt":\d+/, '"startAt":45001,"endAt":45001', "starts after the heal"],
  [/"heartbeatTimeout":\d+/, '"heartbeatTimeout":900', "heartbeatTimeout` must be twice"],
  [/"limits":/, '"looksEveryMs":0,"limits":', "`looksEveryMs` must be an integer, 100 or more"],
  [/"limits":/, '"looksEveryMs":60000,"limits":', "`looksEveryMs` must be at most 10000 ms"],
  [/"limits":/, '"clientSignsMs":30000,"limits":', "`clientSignsMs` must be at most 20000 ms"],
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

/** Of every number in a plan: where it is, and the plan with another there. */
function numbersOf(value: unknown, where = ""): readonly { where: string; put: Put }[] {
  if (typeof value === "number") return [{ where, put: (changed) => changed }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    numbersOf(inner, where === "" ? name : `${where}.${name}`).map((each) => ({
      where: each.where,
      put: (changed: number) =>
        Array.isArray(value)
          ? value.with(Number(name), each.put(changed))
          : { ...value, [name]: each.put(changed) },
    })),
  );
}
type Put = (changed: number) => unknown;

const full: Plan = {
  ...plan,
  topology: { ...plan.topology, network: { ...plan.topology.network, noise: noise() } },
  limits: { ...plan.limits, maxRate: 30_000, failedLogins: { max: 2, period: 4_000 } },
};

function noise(): NonNullable<Plan["topology"]["network"]["noise"]> {
  return { loss: 0.05, latencyMs: 100 };
}

test("plan problem: all numbers but chances are whole, and what must not be nothing is not", () => {
  expect(planProblem(full)).toBeUndefined();
  const accepted = (changed: number): readonly string[] =>
    numbersOf(full)
      .filter(({ put }) => planProblem(put(changed)) === undefined)
      .map(({ where }) => where.replaceAll(/\.\d+/g, "[]"));
  const chances = ["topology.network.cutChance", "topology.network.noise.loss"];
  expect([...new Set(accepted(0.4))]).toEqual(chances);
  expect([...new Set(accepted(0))].toSorted()).toEqual(
    [
      ...["clients[].startAt", "duration.setUp", "duration.liveness", "seed"],
      ...["faults[].amount", "faults[].startAt"],
      ...chances,
      ...["topology.network.noise.latencyMs", "topology.network.congestionMarkBytes"],
      ...["topology.network.latencyMs[]", "topology.database.latencyMs[]"],
      ...["topology.nodes[].monotonicOrigin", "topology.nodes[].wallOrigin"],
      "topology.cluster.linkGrace",
      ...["logOperations", "retention", "overtaking"].map((n) => `topology.cluster.bounds.${n}`),
    ].toSorted(),
  );
});

/** What each may be, of four nodes of which the last joins, and two clients. */
const fitting: Readonly<Record<TargetKind, readonly string[]>> = {
  client: ["c0"],
  clients: ["c0", "c0,c1"],
  database: ["database"],
  node: ["n1", "n4"],
  joiner: ["n4"],
  nodes: ["all"],
  machine: ["n1", "n4", "all"],
  pair: ["n1~n2"],
  path: ["n1>n2", "n1>c0", "c0>n1"],
  groups: ["n1|n2,n4", "n1,n2|n3|n4"],
  ring: ["n1,n3,n2,n4"],
};
const targets = [
  ...new Set(Object.values(fitting).flat()),
  ...["n1~n1", "n1~n2~n3", "n1~c0", "n1>n1", "c0>c1", "n1>database", "n1,n2", "n1,n2,n3"],
  ...["n1|n1", "n1|c0", "n1,n1,n2,n3", "n1,c0", "n1>n2,n3", "n1~n2|n3"],
];
const four = planFromSeed(7, { ...profiles.cluster, nodes: [4] });

function aimed(kind: FaultKind, target: string, discovery = faults[kind].discovery): Plan {
  const { topology, duration } = four;
  const nodes = topology.nodes.map((node, index) => ({ ...node, joins: index === 3 }));
  const cluster = topology.cluster && { ...topology.cluster, discovery: discovery ?? "sql" };
  const startAt = duration.setUp;
  const clients = plan.clients.slice(0, 2);
  return {
    ...four,
    topology: { ...topology, nodes, ...(cluster === undefined ? {} : { cluster }) },
    clients,
    faults: [{ kind, target, startAt, endAt: startAt + 1_000, amount: 4_000 }],
  };
}

test("plan problem: somebody stays to the end, for every client", () => {
  const gone = (...names: string[]): Plan => ({
    ...plan,
    faults: names.map((target, index) => {
      const kind = index === 0 ? "node-crash" : "node-stop";
      return { kind, target, startAt: 8_000, endAt: 8_000, amount: 0 };
    }),
  });
  expect(planProblem(gone("n3"))).toBeUndefined();
  expect(planProblem(gone("n3", "n1"))).toContain("`clients[0].nodes`: by `faults` they all go");
  expect(planProblem(gone("n3", "n1", "n2"))).toContain("all nodes go for good");
});

test("plan problem: each kind of fault aims at what it can hit, in a cluster that has it", () => {
  const counts = { accepted: 0, refused: 0, elsewhere: 0 };
  for (const kind of faultKinds) {
    const { hits, discovery } = faults[kind];
    for (const target of targets) {
      const problem = planProblem(aimed(kind, target));
      if (fitting[hits].includes(target)) {
        expect([kind, target, problem]).toEqual([kind, target, undefined]);
        counts.accepted += 1;
      } else {
        expect([kind, problem]).toEqual([kind, expect.stringContaining(`${kind} hits `)]);
        expect(problem).toContain(`, not "${target}"`);
        counts.refused += 1;
      }
    }
    for (const other of discoveryKinds.filter((each) => each !== discovery)) {
      if (discovery === undefined) continue;
      expect(planProblem(aimed(kind, "all", other))).toContain(`find each other by ${discovery}`);
      counts.elsewhere += 1;
    }
  }
  expect(counts.accepted).toBeGreaterThan(faultKinds.length);
  expect(counts.refused).toBeGreaterThan(20 * faultKinds.length);
  expect(counts.elsewhere).toBe(7 * 3);
  const slow = aimed("link-bandwidth", "n1~n2");
  const standing = slow.faults.map((fault) => ({ ...fault, amount: 0 }));
  expect(planProblem({ ...slow, faults: standing })).toContain("link-bandwidth is 4000 or more");
});

test("plan problem: what is drawn of each kind fits it", () => {
  for (const kind of faultKinds) {
    const { topology, clients, duration } = aimed(kind, "");
    const { nodes, cluster } = topology;
    for (let seed = 1; seed <= 30; seed += 1) {
      const setting = { nodes, clients, duration, discovery: cluster?.discovery };
      const rows = faults[kind].plan(choices(seed, kind), setting);
      expect([kind, planProblem({ ...aimed(kind, ""), faults: rows })]).toEqual([kind, undefined]);
    }
  }
});
