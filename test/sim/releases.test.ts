/** Two releases in one simulated cluster: whatever runs where, all is as with one. */
import { expect, test, vi } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { planProblem } from "../../sim/plan-problem.ts";
import type { FaultPlan, Plan } from "../../sim/plan.ts";
import type { Release } from "../../sim/releases/releases.ts";
import { run } from "../../sim/run.ts";
import type { TraceEvent } from "../../sim/trace.ts";

vi.setConfig({ testTimeout: 60_000 });

/** Nothing happens to the nodes but what `faults` say; some clients speak. */
function planOf(releases: readonly Release[], faults: readonly FaultPlan[] = []): Plan {
  const profile = { ...profiles.cluster, nodes: [releases.length], behaviours: [] };
  const plan = planFromSeed(3, profile);
  const nodes = plan.topology.nodes.map((node, index) => {
    return { ...node, joins: false, release: releases[index] ?? 1 };
  });
  const network = { ...plan.topology.network, noise: undefined };
  return { ...plan, topology: { ...plan.topology, nodes, network }, faults };
}

function played(plan: Plan): { events: readonly TraceEvent[]; judged: number } {
  const events: TraceEvent[] = [];
  const { failures, verdicts } = run(plan, {
    ...runPorts(),
    sinks: [(event) => void events.push(event)],
  });
  expect(failures).toEqual([]);
  return { events, judged: verdicts["conservation"]?.judged ?? 0 };
}

/** The version of each link between two names, as it came up last. */
function versions(events: readonly TraceEvent[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { place, kind, data } of events) {
    if (kind !== "peer-up") continue;
    found[`${place} ${data.peer.split("#")[0]}`] = data.version ?? 1;
  }
  return found;
}

const upgrade = (target: string, startAt: number, amount: number): FaultPlan => {
  return { kind: "rolling-upgrade", target, startAt, endAt: startAt + 500, amount };
};

test("releases: a mixed cluster lives its whole life, each pair with what both speak", () => {
  const { events, judged } = played(planOf([1, 2, 2]));
  expect(versions(events)).toEqual({
    ...{ "n1 n2": 1, "n2 n1": 1, "n1 n3": 1, "n3 n1": 1 },
    ...{ "n2 n3": 2, "n3 n2": 2 },
  });
  expect(judged).toBeGreaterThan(100);
});

test("releases: upgraded one after the other under load, one killed, and one rolled back", () => {
  const steps = [
    upgrade("n1", 10_000, 2),
    upgrade("n2", 18_000, -2),
    upgrade("n3", 26_000, 2),
    upgrade("n1", 34_000, 1),
  ];
  const { events, judged } = played(planOf([1, 1, 1], steps));
  const started = events.flatMap(({ place, kind, data }) =>
    kind === "node-started" ? [`${place} ${data.release ?? 1}`] : [],
  );
  expect(started).toEqual(["n1 1", "n2 1", "n3 1", "n1 2", "n2 2", "n3 2", "n1 1"]);
  expect(versions(events)).toMatchObject({ "n1 n2": 1, "n2 n3": 2, "n3 n1": 1 });
  expect(judged).toBeGreaterThan(100);
});

test("releases: what the next one adds is on the wire", () => {
  const { events } = played(planOf([1, 2]));
  const sent = events.flatMap(({ place, kind, data }) =>
    place === "n2" && kind === "bytes-sent" && data.data.includes("what a later release says")
      ? [data]
      : [],
  );
  expect(sent.length).toBeGreaterThan(50);
  const records = events.filter(
    ({ place, kind, data }) =>
      place === "n1" && kind === "table-seen" && data.put.some((text) => text.endsWith("says")),
  );
  expect(records.length).toBeGreaterThan(5);
});

test("releases: a plan may name those that exist", () => {
  const plan = planOf([1, 2]);
  expect(planProblem(plan)).toBeUndefined();
  const [node] = plan.topology.nodes;
  const nodes = [{ ...node, release: 3 }];
  const wrong = { ...plan, topology: { ...plan.topology, nodes } };
  expect(planProblem(wrong)).toBe("`topology.nodes[0].release` must be one of 1, 2, not 3");
});
