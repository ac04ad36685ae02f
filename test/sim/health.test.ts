/** Does the oracle of health checks see what it should? And does a run ask at all? */
import { expect, test } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { health } from "../../sim/oracles/health.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { run } from "../../sim/run.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../../sim/trace.ts";

const plan = planFromSeed(1, profiles.cluster);
const healed = plan.duration.setUp + plan.duration.safety;

class Tale {
  readonly #oracle = health(plan);
  #at = 0;

  then<K extends TraceKind>(kind: K, data: TraceKinds[K]): this {
    this.#at += 1;
    this.#oracle.see({ at: this.#at, place: "n1", kind, data } as unknown as TraceEvent);
    return this;
  }

  until(at: number): this {
    this.#at = at;
    return this;
  }

  answers(path: string, status: number): this {
    return this.then("health-asked", { path }).then("health-answered", { path, status, body: "" });
  }

  get failures(): readonly string[] {
    return this.#oracle.judge().failures;
  }
}

const started = () => new Tale().then("node-started", { generation: 1 });
const joined = () => started().then("cluster-joined", { peer: "n1#1.aa" });

test("health: what is right is not blamed", () => {
  const right = started()
    .answers("/healthz", 200)
    .answers("/readyz", 503)
    .then("cluster-joined", { peer: "n1#1.aa" })
    .answers("/readyz", 503)
    .answers("/readyz", 200)
    .then("shutdown-requested", {})
    .answers("/readyz", 503)
    .then("health-asked", { path: "/healthz" })
    .then("node-stopped", {});
  expect(right.failures).toEqual([]);
});

test.each<[string, Tale]>([
  ["ready before it has joined", started().answers("/readyz", 200)],
  ["ready while it stops", joined().then("shutdown-requested", {}).answers("/readyz", 200)],
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

test("health: every node of a run is asked, and the answers are right", () => {
  const { verdicts } = run(planFromSeed(1, profiles.demo), runPorts());
  expect(verdicts["health"]?.failures).toEqual([]);
  expect(verdicts["health"]?.judged).toBeGreaterThan(60);
}, 60_000);
