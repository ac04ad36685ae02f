/** Reconnection: hand-made traces of a link that lost its connection. */
import { expect, test } from "vitest";
import { makeOracles } from "../../sim/oracles/index.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import type { FaultKind, Plan } from "../../sim/plan.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../../sim/trace.ts";

const drawn = planFromSeed(1, profiles.cluster);
const cluster = {
  discovery: "static",
  heartbeatInterval: 1_000,
  heartbeatTimeout: 5_000,
  linkGrace: 5_000,
  expireAfter: 3_600_000,
} as const;
const network = { ...drawn.topology.network, latencyMs: [10, 60] as const, noise: undefined };
const plan: Plan = { ...drawn, topology: { ...drawn.topology, network, cluster } };
const [one, two] = ["n1#1.aa", "n2#2.bb"];

/** Two nodes that have been linked for a minute. */
class Linked {
  readonly #events: TraceEvent[] = [];
  #at = 0;

  constructor() {
    this.then("n1", "cluster-joined", { peer: one }).then("n2", "cluster-joined", { peer: two });
    this.then("n1", "peer-up", { peer: two, session: 1 }).until(60_000).look([]);
  }

  then<K extends TraceKind>(place: string, kind: K, data: TraceKinds[K]): this {
    this.#events.push({ at: this.#at, place, kind, data } as unknown as TraceEvent);
    return this;
  }

  until(at: number): this {
    this.#at = at;
    return this;
  }

  fault(fault: FaultKind, target: string): this {
    return this.then("world", "fault-started", { fault, target });
  }

  look(broken: readonly string[]): this {
    const queues = { queuedBytes: 0, unackedBytes: 0, logBytes: 0 };
    const data = { peers: [two], synced: [two], broken, ...queues };
    return this.then("n1", "cluster-observed", data);
  }

  failures(of = plan): readonly string[] {
    const oracle = makeOracles(of).find(({ name }) => name === "reconnection");
    for (const event of this.#events) if (oracle?.sees.includes(event.kind)) oracle.see(event);
    const verdict = oracle?.judge();
    if (of === plan) expect(verdict?.judged).toBeGreaterThan(0);
    return verdict?.failures ?? [];
  }
}

test("reconnection: after a dropped connection there is another within a second or so", () => {
  const dropped = () => new Linked().fault("link-reset", "n1~n2");
  expect(dropped().until(61_000).look([two]).failures()).toEqual([]);
  expect(dropped().until(62_000).look([]).failures()).toEqual([]);
  expect(dropped().until(62_000).look([two]).failures()).toHaveLength(1);
  expect(
    dropped().until(61_500).fault("link-reset", "n1~n2").until(62_000).look([two]).failures(),
  ).toEqual([]);
  expect(new Linked().fault("database-down", "database").look([two]).failures()).toHaveLength(1);
});

test("reconnection: who is kept apart, or was a while ago, is not judged", () => {
  const split = () => new Linked().fault("split", "n1|n2");
  expect(split().until(80_000).look([two]).failures()).toEqual([]);
  const healed = () =>
    split().until(70_000).then("world", "fault-ended", { fault: "split", target: "n1|n2" });
  expect(healed().until(81_000).look([two]).failures()).toEqual([]);
  expect(healed().until(83_000).look([two]).failures()).toHaveLength(1);
  const killed = new Linked().then("n2", "node-killed", { silent: true });
  expect(killed.until(90_000).look([two]).failures()).toEqual([]);
  const paused = new Linked().then("n2", "node-paused", {});
  expect(paused.until(90_000).look([two]).failures()).toEqual([]);
  const ends = { peer: one, session: 1, reason: "too much", final: false, undelivered: 0 };
  const ended = () => new Linked().then("n2", "peer-down", ends);
  expect(ended().until(61_000).look([two]).failures()).toEqual([]);
  expect(ended().until(62_000).look([two]).failures()).toHaveLength(1);
});

test("reconnection: where noise never ends a link may be without a connection at any time", () => {
  const noise = { loss: 0.05, latencyMs: 100 };
  const noisy = { ...plan, topology: { ...plan.topology, network: { ...network, noise } } };
  expect(new Linked().look([two]).failures(noisy)).toEqual([]);
});
