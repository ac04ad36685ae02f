import { expect, test, vi } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import type { FaultPlan, Plan } from "../../sim/plan.ts";
import { run } from "../../sim/run.ts";
import type { TraceEvent } from "../../sim/trace.ts";

// A machine that is busy takes long for what is simulated.
vi.setConfig({ testTimeout: 60_000 });

/** Three nodes that nothing happens to but what a test says, and two clients. */
function planOf(faults: readonly Partial<FaultPlan>[], joins: readonly string[] = []): Plan {
  const plan = planFromSeed(1, { ...profiles.cluster, nodes: [3], clients: 2, behaviours: [] });
  return {
    ...plan,
    topology: {
      ...plan.topology,
      cluster: {
        discovery: "static",
        heartbeatInterval: 1_000,
        heartbeatTimeout: 5_000,
        linkGrace: 5_000,
        expireAfter: 3_600_000,
      },
      network: { ...plan.topology.network, latencyMs: [1, 2] },
      nodes: plan.topology.nodes.map((node) => ({ ...node, joins: joins.includes(node.name) })),
    },
    faults: faults.map((fault) => ({
      kind: "node-pause",
      target: "n2",
      startAt: 10_000,
      endAt: 20_000,
      amount: 0,
      ...fault,
    })),
  };
}

function played(plan: Plan): readonly TraceEvent[] {
  const events: TraceEvent[] = [];
  const { failures } = run(plan, { ...runPorts(), sinks: [(event) => void events.push(event)] });
  expect(failures).toEqual([]);
  return events;
}

/** When `place` lost or found a peer of this name. */
function of(
  events: readonly TraceEvent[],
  place: string,
  kind: "peer-up" | "peer-down",
  name: string,
) {
  return events.flatMap((event) =>
    event.place === place && event.kind === kind && event.data.peer.startsWith(`${name}#`)
      ? [{ at: event.at, ...event.data }]
      : [],
  );
}

test("node: a process that is killed and not restarted is gone from the others in a second", () => {
  const events = played(planOf([{ kind: "node-crash" }]));
  const [down] = of(events, "n1", "peer-down", "n2");
  expect(down?.at).toBeGreaterThanOrEqual(10_000);
  expect(down?.at).toBeLessThan(11_000);
  const boots = events.flatMap((e) =>
    e.kind === "cluster-joined" && e.place === "n2" ? [e.data.peer] : [],
  );
  expect(new Set(boots).size).toBe(2);
  expect(of(events, "n1", "peer-up", "n2").at(-1)?.peer).toBe(boots[1]);
});

test("node: what dies at a moment and not for a while is gone for good, and the rest go on without it", () => {
  for (const amount of [0, 1]) {
    const events = played(planOf([{ kind: "node-crash", endAt: 10_000, amount }]));
    expect(of(events, "n1", "peer-down", "n2")).toHaveLength(1);
    const after = events.filter(({ at, place }) => place === "n2" && at > 10_000);
    expect(after).toEqual([]);
    const looks = events.flatMap((event) =>
      event.kind === "cluster-observed" && event.place === "n1" ? [event.data.synced] : [],
    );
    expect(looks.at(-1)?.map((peer) => peer.split("#")[0])).toEqual(["n3"]);
  }
});

test("node: a machine without power is noticed by its silence, and its successor is another peer", () => {
  const events = played(planOf([{ kind: "node-crash", amount: 1, endAt: 30_000 }]));
  const [down] = of(events, "n1", "peer-down", "n2");
  expect(down?.at).toBeGreaterThan(14_000);
  expect(down?.at).toBeLessThanOrEqual(21_000);
});

test("node: a quick restart under the same name replaces the old process at once", () => {
  const events = played(planOf([{ kind: "node-restart", endAt: 10_050 }]));
  const [down] = of(events, "n1", "peer-down", "n2");
  expect(down).toMatchObject({ final: true });
  expect(down?.at).toBeLessThan(12_000);
});

test("node: a short pause ends no session, a long one does, and all is well after both", () => {
  const short = played(planOf([{ endAt: 13_000 }]));
  expect(of(short, "n1", "peer-down", "n2")).toEqual([]);
  const long = played(planOf([{ endAt: 30_000 }]));
  expect(of(long, "n1", "peer-down", "n2")).toHaveLength(1);
  expect(of(long, "n2", "peer-down", "n1")).toMatchObject([{ at: 30_000 }]);
});

test("node: what stands still gets its inputs afterwards, in their order", () => {
  const events = played(planOf([{ endAt: 13_000 }]));
  const own = events.filter(({ place, at }) => place === "n2" && at >= 10_000 && at <= 13_000);
  const meanwhile = own.filter(({ at }) => at > 10_000 && at < 13_000);
  // It is asked for its health all the time, as for anything else, and answers when it wakes.
  expect(new Set(meanwhile.map(({ kind }) => kind))).toEqual(new Set(["health-asked"]));
  expect(own.filter(({ at, kind }) => at === 13_000 && kind === "bytes-received")).not.toEqual([]);
});

/** Inputs that a node has taken in, at which moments. */
const taken = new Set(["bytes-received", "deadline-reached", "query-answered", "key-derived"]);

test("node: a slow one takes in one thing after another, loses nobody, and is as quick as ever afterwards", () => {
  const slow = { kind: "node-slow", startAt: 10_000, endAt: 20_000, amount: 60 } as const;
  const events = played(planOf([slow]));
  /** Between two things that it takes in. */
  const gaps = (from: number, to: number): readonly number[] => {
    const moments = events.flatMap(({ place, at, kind }) =>
      place === "n2" && taken.has(kind) && at > from && at < to ? [at] : [],
    );
    return moments.slice(1).map((at, index) => at - (moments[index] ?? 0));
  };
  expect(gaps(10_000, 20_000).length).toBeGreaterThan(30);
  expect(Math.min(...gaps(10_000, 20_000))).toBeGreaterThanOrEqual(60);
  expect(Math.min(...gaps(20_500, Infinity))).toBeLessThan(60);
  expect(of(events, "n1", "peer-down", "n2")).toEqual([]);
  const recovered = events.find(({ kind }) => kind === "node-recovered");
  expect(recovered).toMatchObject({ at: 20_000, place: "n2" });
});

test("node: one that has hardly any time falls behind, and its successor is as slow until it ends", () => {
  const slow = { kind: "node-slow", startAt: 8_000, endAt: 28_000, amount: 700 } as const;
  const restart = { kind: "node-restart", startAt: 12_000, endAt: 12_050 } as const;
  const events = played(planOf([slow, restart]));
  const at = (kind: string) => events.filter((e) => e.kind === kind).map((e) => e.at);
  expect(at("node-slowed")).toHaveLength(2);
  expect(at("node-recovered")).toEqual([28_000]);
  const late = events.find(({ kind }) => kind === "node-recovered");
  expect(late?.kind === "node-recovered" ? late.data.waitedMs : 0).toBeGreaterThan(1_000);
});

test("node: a graceful stop is noticed at once and for good", () => {
  const events = played(planOf([{ kind: "node-stop" }]));
  const [down] = of(events, "n1", "peer-down", "n2");
  expect(down).toMatchObject({ final: true, reason: "the peer has left" });
  expect(down?.at).toBeLessThan(12_000);
});

test("node: one that joins later is found by the others, and finds them", () => {
  const joining = { kind: "node-join", target: "n3", endAt: 10_000 } as const;
  const events = played(planOf([joining], ["n3"]));
  const [up] = of(events, "n1", "peer-up", "n3");
  expect(up?.at).toBeGreaterThanOrEqual(10_000);
  expect(up?.at).toBeLessThan(16_000);
  expect(of(events, "n3", "peer-up", "n1")).toHaveLength(1);
});

test("node: all of them at once, and they are a cluster again", () => {
  const events = played(planOf([{ kind: "all-nodes-restart", target: "all", amount: 1 }]));
  expect(of(events, "n1", "peer-up", "n2").at(-1)?.at).toBeLessThan(30_000);
});

test("node: the same plan gives the same trace, with every kind of end in it", () => {
  const plan = planOf([
    { kind: "node-crash", target: "n1" },
    { kind: "node-pause", target: "n2", startAt: 12_000 },
    { kind: "node-stop", target: "n3", startAt: 14_000 },
    { kind: "split", target: "n1|n2,n3", startAt: 22_000, endAt: 40_000 },
  ]);
  expect(run(plan, runPorts()).hash).toBe(run(plan, runPorts()).hash);
});
