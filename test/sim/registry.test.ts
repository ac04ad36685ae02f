/** Registry: the oracle, on hand-made traces: who is listed, and who comes after whom. */
import { expect, test } from "vitest";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import type { ClusterPlan, Plan } from "../../sim/plan.ts";
import type { Verdict } from "../../sim/oracles/oracle.ts";
import { Tale } from "./tale.ts";

const expireAfter = 120_000;
const [one, two] = ["n1#1.aa", "n2#2.bb"];

function bySql(): Plan {
  const drawn = planFromSeed(1, profiles.cluster);
  const cluster = drawn.topology.cluster as ClusterPlan;
  const topology = {
    ...drawn.topology,
    network: { ...drawn.topology.network, noise: undefined },
    cluster: { ...cluster, discovery: "sql" as const, expireAfter },
  };
  return { ...drawn, topology, faults: [] };
}

const { setUp, safety } = bySql().duration;
const healAt = setUp + safety;

const joined = (): Tale => new Tale().at("n2").then("cluster-joined", { peer: two });
const killed = (tale = joined()): Tale => tale.then("node-killed", { silent: true });
const leaving = (tale = joined()): Tale => tale.then("shutdown-requested", {});
const next = (peer: string, tale = killed()): Verdict =>
  tale.then("cluster-joined", { peer }).verdict("registry", bySql());

const both = (): Tale =>
  new Tale()
    .at("n1")
    .then("cluster-joined", { peer: one })
    .at("n2")
    .then("cluster-joined", { peer: two });
const listed = (peers: readonly string[], tale = both()): readonly string[] =>
  tale.at("database").then("registry-observed", { peers }).verdict("registry", bySql()).failures;

test("the database lists who runs, and nobody who has left", () => {
  expect(listed([one, two])).toEqual([]);
  expect(listed([one])).toHaveLength(1);
  const left = (tale = both()) => tale.wait(10_000).at("n2").then("node-stopped", {});
  expect(listed([one], left())).toEqual([]);
  expect(listed([one, two], left())).toHaveLength(1);
  const fault = { fault: "database-down", target: "database" } as const;
  expect(listed([one, two], left(both().at("world").then("fault-started", fault)))).toEqual([]);
  expect(listed([one, two], killed(both()))).toEqual([]);
  const late = killed(both()).wait(healAt + expireAfter + 60_000);
  expect(listed([one, two], late)).toHaveLength(1);
});

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
