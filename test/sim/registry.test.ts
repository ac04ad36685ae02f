/** Registry: whose row has stayed has a greater successor, on hand-made traces of one name. (Who is listed: cluster-oracles.) */
import { expect, test } from "vitest";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import type { ClusterPlan, Plan } from "../../sim/plan.ts";
import type { Verdict } from "../../sim/oracles/oracle.ts";
import { Tale } from "./tale.ts";

const expireAfter = 120_000;

function bySql(): Plan {
  const drawn = planFromSeed(1, profiles.cluster);
  const cluster = drawn.topology.cluster as ClusterPlan;
  const sql = { ...cluster, discovery: "sql" as const, expireAfter };
  return { ...drawn, topology: { ...drawn.topology, cluster: sql } };
}

const joined = (): Tale => new Tale().at("n2").then("cluster-joined", { peer: "n2#2.bb" });
const killed = (tale = joined()): Tale => tale.then("node-killed", { silent: true });
const leaving = (tale = joined()): Tale => tale.then("shutdown-requested", {});
const next = (peer: string, tale = killed()): Verdict =>
  tale.then("cluster-joined", { peer }).verdict("registry", bySql());

test("who starts while the row of its predecessor is there has a greater incarnation", () => {
  expect(next("n2#3.cc")).toMatchObject({ judged: 1, failures: [] });
  expect(next("n2#2.cc").failures).toEqual([
    "n2#2.cc came after n2#2.bb at 3 ms, with no greater incarnation",
  ]);
  expect(next("n2#2.cc", killed(killed())).failures).toHaveLength(1);
});

test("no longer when the row may have expired, or been taken away", () => {
  expect(next("n2#2.cc", killed().wait(expireAfter))).toMatchObject({ judged: 0, failures: [] });
  expect(next("n2#2.cc", killed(leaving()))).toMatchObject({ judged: 0, failures: [] });
  expect(next("n2#2.cc", leaving().then("node-stopped", {}))).toMatchObject({ judged: 0 });
});

test("who was asked to stop before it had its row takes that away, too", () => {
  const late = (): Tale => leaving(new Tale().at("n2")).then("cluster-joined", { peer: "n2#2.bb" });
  // Its successor cannot reach the database, and is killed before it has a row of its own.
  const gone = killed(late().then("node-stopped", {}));
  expect(next("n2#1.cc", gone)).toMatchObject({ judged: 0, failures: [] });
  expect(next("n2#1.cc", killed(late()))).toMatchObject({ judged: 0, failures: [] });
  // Whoever comes then stays as ever.
  const after = (tale: Tale): Tale => killed(tale.then("cluster-joined", { peer: "n2#5.ee" }));
  expect(next("n2#4.dd", after(late().then("node-stopped", {}))).failures).toHaveLength(1);
  expect(next("n2#4.dd", after(killed(late()))).failures).toHaveLength(1);
});
