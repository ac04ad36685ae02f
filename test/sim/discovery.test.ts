/** Discovery: the oracle, on hand-made traces of one node of a cluster. */
import { expect, test } from "vitest";
import { refreshNode } from "../../src/storage/discovery.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import type { ClusterPlan, Plan } from "../../sim/plan.ts";
import { Tale } from "./tale.ts";

/** Looks every 15 s once it has stood for 10 s. */
function seldom(): Plan {
  const drawn = planFromSeed(1, profiles.cluster);
  const cluster = drawn.topology.cluster as ClusterPlan;
  const bounds = { ...(cluster.bounds as NonNullable<ClusterPlan["bounds"]>), quickFor: 10_000 };
  const topology = {
    ...drawn.topology,
    network: { ...drawn.topology.network, noise: undefined },
    cluster: { ...cluster, discovery: "sql" as const, expireAfter: 120_000, bounds },
  };
  return { ...drawn, topology };
}

const joined = (): Tale => new Tale().at("n1").then("cluster-joined", { peer: "n1#1.aa" });
const looks = (tale: Tale, afterMs: number): Tale =>
  tale.wait(afterMs - 1).then("query-sent", { request: 1, statements: [refreshNode.name] });
const failures = (tale: Tale): readonly string[] => tale.verdict("discovery", seldom()).failures;

/** Often at first, then seldom. */
const settled = (): Tale => {
  const tale = joined();
  for (const afterMs of [5, 5_005, 5_005, 15_005]) looks(tale, afterMs);
  return tale;
};

test("a node looks often at first, and seldom then: no more, no less", () => {
  expect(failures(looks(settled(), 15_005))).toEqual([]);
  expect(failures(looks(settled(), 5_005))).toMatchObject([/n1 looked .* after 5005 and not/]);
  expect(failures(looks(settled(), 19_000))).toHaveLength(1);
  const never = settled().wait(19_000).then("sessions-observed", { jids: [] });
  expect(failures(never)).toMatchObject([/and never since$/]);
});

test("who has waited long for the database has looked often meanwhile, and looks seldom then", () => {
  const tale = new Tale().at("n1").then("node-started", { generation: 1 }).wait(15_000);
  tale.then("cluster-joined", { peer: "n1#1.aa" });
  for (const afterMs of [5, 15_005]) looks(tale, afterMs);
  expect(failures(tale)).toEqual([]);
  expect(failures(looks(tale, 5_005))).toHaveLength(1);
});

test("until when it looks often, its own clock says", () => {
  const tale = joined();
  for (const afterMs of [5, 5_005, 5_105]) looks(tale, afterMs);
  expect(failures(looks(tale, 5_105))).toEqual([]);
});

test("whose link is lost looks soon, and often for a while", () => {
  const lost = { peer: "n2#2.bb", session: 1, reason: "", final: false, undelivered: 0 };
  const hurried = (): Tale => settled().wait(1_000).then("peer-down", lost);
  expect(failures(looks(looks(hurried(), 5_005), 5_005))).toEqual([]);
  expect(failures(looks(hurried(), 14_000))).toHaveLength(1);
  expect(failures(looks(looks(hurried(), 5_005), 15_005))).toHaveLength(1);
});

test("nobody is judged for what befell it or the database meanwhile", () => {
  const row = { fault: "database-down", target: "database" } as const;
  expect(failures(looks(settled().then("fault-started", row), 40_000))).toEqual([]);
  expect(failures(looks(settled().then("node-paused", {}), 40_000))).toEqual([]);
});

test("a row is lost only where something kept its owner from it", () => {
  const expired = { level: "warning", event: "registration-lost", detail: "" };
  const calm = (): Tale => settled().wait(150_000);
  expect(failures(calm().then("logged", expired))).toMatchObject([/had lost its row/]);
  const row = { fault: "database-cut", target: "n1" } as const;
  const cut = calm().then("fault-started", row).then("fault-ended", row);
  expect(failures(cut.then("logged", expired))).toEqual([]);
});
