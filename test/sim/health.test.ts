/** Does the oracle of health checks see what it should? And does a run ask at all? */
import { expect, test } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { health } from "../../sim/oracles/health.ts";
import { Logins } from "../../sim/oracles/logins.ts";
import { Presences } from "../../sim/oracles/presences.ts";
import { Replicas } from "../../sim/oracles/replicas.ts";
import { Written } from "../../sim/oracles/written.ts";
import type { DiscoveryKind, Plan } from "../../sim/plan.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { run } from "../../sim/run.ts";
import { sessionTable } from "../../src/router/session-record.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../../sim/trace.ts";

const drawn = planFromSeed(1, profiles.cluster);
const plan = foundBy("static");

function foundBy(discovery: DiscoveryKind): Plan {
  const { cluster, ...topology } = drawn.topology;
  if (cluster === undefined) throw new Error("no cluster");
  const nodes = topology.nodes.slice(0, 2);
  return { ...drawn, topology: { ...topology, nodes, cluster: { ...cluster, discovery } } };
}

const healed = plan.duration.setUp + plan.duration.safety;

class Tale {
  readonly #oracle;
  #at = 0;

  constructor(of: Plan = plan) {
    this.#oracle = health(of, {
      replicas: new Replicas(),
      logins: new Logins(),
      written: new Written(),
      presences: new Presences(),
    });
  }

  then<K extends TraceKind>(kind: K, data: TraceKinds[K]): this {
    this.#at += 1;
    this.#oracle.see({ at: this.#at, place: "n1", kind, data } as unknown as TraceEvent);
    return this;
  }

  until(at: number): this {
    this.#at = at;
    return this;
  }

  answers(path: string, status: number, body = ""): this {
    return this.then("health-asked", { path }).then("health-answered", { path, status, body });
  }

  /** It shows what the other node has. */
  synced(): this {
    const nothing = { seq: 0, fresh: true, put: [], gone: [] };
    return this.linked().then("table-seen", { table: sessionTable.name, owner: two, ...nothing });
  }

  linked(): this {
    return this.then("peer-up", { peer: two, session: 1 });
  }

  get failures(): readonly string[] {
    return this.#oracle.judge().failures;
  }
}

const two = "n2#2.bb";
const waiting = "Waiting for the tables of n2";
const started = (of?: Plan) => new Tale(of).then("node-started", { generation: 1 });
const joined = (of?: Plan) => started(of).then("cluster-joined", { peer: "n1#1.aa" });

test("health: what is right is not blamed", () => {
  const right = started()
    .answers("/healthz", 200)
    .answers("/readyz", 503)
    .then("cluster-joined", { peer: "n1#1.aa" })
    .answers("/readyz", 503, waiting)
    .synced()
    .answers("/readyz", 200)
    .then("shutdown-requested", {})
    .answers("/readyz", 503)
    .then("health-asked", { path: "/healthz" })
    .then("node-stopped", {});
  expect(right.failures).toEqual([]);
});

test.each<[string, Tale]>([
  ["ready before it has joined", started().answers("/readyz", 200)],
  ["ready before it has heard of the other node", joined().answers("/readyz", 200)],
  ["ready before it shows what the other has", joined().linked().answers("/readyz", 200)],
  ["waiting for ever", joined().until(12_000).answers("/readyz", 503, waiting)],
  [
    "ready while it stops",
    joined().synced().then("shutdown-requested", {}).answers("/readyz", 200),
  ],
  [
    "not ready though all is well",
    joined()
      .until(healed + 40_000)
      .answers("/readyz", 503),
  ],
  ["not alive", joined().answers("/healthz", 500)],
  ["no answer", joined().then("health-asked", { path: "/healthz" })],
])("health: %s is blamed", (_what, tale) => {
  expect(tale.failures).toHaveLength(1);
});

test("health: who has not been told of anybody is not ready", () => {
  const named = (...addresses: string[]) =>
    joined(foundBy("dns")).then("host-resolved", { request: 1, addresses });
  expect(named("10.1.0.1").answers("/readyz", 200).failures).toEqual([]);
  expect(named().answers("/readyz", 200).failures).toHaveLength(1);
  const written = (text: string) => joined(foundBy("file")).then("file-read", { request: 1, text });
  expect(written("# all\nn1 n1:7000\n").answers("/readyz", 200).failures).toEqual([]);
  expect(written("# all\n").answers("/readyz", 200).failures).toHaveLength(1);
  const asked = (statement: string) =>
    joined(foundBy("sql"))
      .then("query-sent", { request: 3, statements: [statement] })
      .then("query-answered", { request: 3, rows: 1 });
  expect(asked("refresh_discovery_node").answers("/readyz", 200).failures).toEqual([]);
  expect(asked("insert_discovery_node").answers("/readyz", 200).failures).toHaveLength(1);
});

test("health: every node of a run is asked, and the answers are right", () => {
  const { verdicts } = run(planFromSeed(1, profiles.demo), runPorts());
  expect(verdicts["health"]?.failures).toEqual([]);
  expect(verdicts["health"]?.judged).toBeGreaterThan(60);
}, 60_000);
