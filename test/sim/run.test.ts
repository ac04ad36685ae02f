import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { makeOracles } from "../../sim/oracles/index.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { planProblem } from "../../sim/plan-problem.ts";
import type { Plan } from "../../sim/plan.ts";
import { run } from "../../sim/run.ts";
import type { TraceEvent } from "../../sim/trace.ts";
import { server } from "../../src/server/server.ts";
import { fenced } from "./fenced.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ports = runPorts();

test("run: the same seed gives the same trace again, in this process and in a fresh one", () => {
  const plan = planFromSeed(8, profiles.demo);
  const { hash } = run(plan, ports);
  expect(run(plan, ports).hash).toBe(hash);
  const fresh = spawnSync(
    process.execPath,
    [
      join(root, "scripts", "run.mjs"),
      "sim/cli/main.ts",
      "run",
      "--seed",
      "8",
      "--profile",
      "demo",
    ],
    { cwd: root, encoding: "utf8" },
  );
  const last = fresh.stdout.trimEnd().split("\n").at(-1);
  expect(last).toBe(`trace ${hash}`);
}, 60_000);

test("run: another seed, or one client less, gives another trace", { timeout: 30_000 }, () => {
  const plan = planFromSeed(3, profiles.demo);
  const hashes = [
    run(plan, ports).hash,
    run(planFromSeed(4, profiles.demo), ports).hash,
    run({ ...plan, clients: plan.clients.slice(1) }, ports).hash,
  ];
  expect(new Set(hashes).size).toBe(3);
});

test("run: a plan that went through a file gives the same trace", () => {
  const plan = planFromSeed(5, profiles.demo);
  const read = JSON.parse(JSON.stringify(plan)) as Plan;
  expect(run(read, ports).hash).toBe(run(plan, ports).hash);
});

test("run: whoever remembers the database of a run that is over keeps nothing else of it", () => {
  let clock = (): number => 0;
  const times = new Set<number>();
  run(planFromSeed(1, profiles.demo), {
    ...ports,
    database: (now) => {
      clock = now;
      return ports.database(now);
    },
    sinks: [() => void times.add(clock())],
  });
  // It went while the run did, and has nobody left to ask.
  expect(times.size).toBeGreaterThan(100);
  expect(clock()).toBe(0);
});

test("run: judging does not change what happens", () => {
  const plan = planFromSeed(6, profiles.demo);
  expect(run(plan, { ...ports, judge: false }).hash).toBe(run(plan, ports).hash);
});

test("run: 20 seeds are clean, and nobody looks at a clock, a timer or chance", () => {
  const judged = new Map<string, number>();
  for (let seed = 1; seed <= 20; seed++) {
    const outcome = fenced(() => run(planFromSeed(seed, profiles.small), ports));
    expect({ seed, failures: outcome.failures }).toEqual({ seed, failures: [] });
    for (const [oracle, verdict] of Object.entries(outcome.verdicts)) {
      judged.set(oracle, (judged.get(oracle) ?? 0) + verdict.judged);
    }
  }
  // No empty stage: an oracle that had nothing to judge proves nothing.
  for (const [oracle, count] of judged)
    expect({ oracle, empty: count === 0 }).toEqual({ oracle, empty: false });
}, 60_000);

test("run: noise is still there after the heal, and a plan without it is as it was", () => {
  const plan = planFromSeed(2, {
    ...profiles.small,
    nodes: [3],
    clients: 8,
    behaviours: ["reconnecter"],
    faults: false,
  });
  const { noise: _, ...network } = plan.topology.network;
  const [clean, noisy] = [undefined, { loss: 0.05, latencyMs: 100 }].map((noise) => ({
    ...plan,
    topology: { ...plan.topology, network: { ...network, latencyMs: [1, 2] as const, noise } },
  }));
  expect(quickestLoginAfterHeal(clean as Plan)).toBeLessThan(100);
  // A login takes five round trips, and more.
  expect(quickestLoginAfterHeal(noisy as Plan)).toBeGreaterThan(1_000);
});

test("run: some plans have noise, most have none, and one without sense is refused", () => {
  const drawn = Array.from({ length: 60 }, (_, seed) => planFromSeed(seed + 1, profiles.small));
  const noisy = drawn.filter(({ topology }) => topology.network.noise !== undefined);
  expect(noisy.length).toBeGreaterThan(2);
  expect(noisy.length).toBeLessThan(20);
  for (const plan of drawn) expect(planProblem(plan)).toBeUndefined();
  const [{ topology, ...rest }] = drawn as [Plan];
  const network = { ...topology.network, noise: { loss: 1, latencyMs: 100 } };
  expect(planProblem({ ...rest, topology: { ...topology, network } })).toContain("noise");
});

test("run: in some plans clocks drift, in most they do not, and one that stands still is refused", () => {
  const drawn = Array.from({ length: 60 }, (_, seed) => planFromSeed(seed + 1, profiles.small));
  const drifting = drawn.filter(({ topology }) =>
    topology.nodes.some(({ drift = 0 }) => drift !== 0),
  );
  expect(drifting.length).toBeGreaterThan(5);
  expect(drifting.length).toBeLessThan(30);
  for (const plan of drawn) expect(planProblem(plan)).toBeUndefined();
  const [{ topology, ...rest }] = drawn as [Plan];
  const nodes = topology.nodes.map((node) => ({ ...node, drift: -1_000_000 }));
  expect(planProblem({ ...rest, topology: { ...topology, nodes } })).toContain("drift");
});

function quickestLoginAfterHeal(plan: Plan): number {
  const heal = plan.duration.setUp + plan.duration.safety;
  const began = new Map<string, number>();
  const took: number[] = [];
  const { failures } = run(plan, {
    ...ports,
    sinks: [
      ({ kind, data, at }) => {
        if (kind === "login-started" && at > heal) began.set(data.login, at);
        const from = kind === "login-bound" ? began.get(data.login) : undefined;
        if (from !== undefined) took.push(at - from);
      },
    ],
  });
  expect(failures).toEqual([]);
  return Math.min(...took);
}

test("run: cut anywhere it is clean: what may yet come is not missed", { timeout: 60_000 }, () => {
  const missed = new Set<string>();
  const drawn = [profiles.small, profiles.splits].flatMap((profile) =>
    [1, 2, 3, 4, 5].map((seed) => planFromSeed(seed, profile)),
  );
  for (const [index, plan] of drawn.entries()) {
    const { setUp, safety } = plan.duration;
    const duration = { setUp, safety: Math.round((safety * (index + 1)) / 12), liveness: 0 };
    const heal = setUp + duration.safety;
    const faults = plan.faults
      .filter(({ startAt }) => startAt < heal)
      .map((fault) => ({ ...fault, endAt: Math.min(fault.endAt, heal) }));
    const cut = { ...plan, faults, duration };
    expect(planProblem(cut)).toBeUndefined();
    const impatient = makeOracles(cut);
    const sink = (event: TraceEvent) => {
      for (const oracle of impatient) oracle.see(event);
    };
    const { failures, stats } = run(cut, { ...ports, sinks: [sink] });
    expect({ index, failures }).toEqual({ index, failures: [] });
    expect(stats.simulatedMs).toBe(heal);
    for (const oracle of impatient) {
      if (oracle.judge().failures.length > 0) missed.add(oracle.name);
    }
  }
  expect([...missed]).toEqual(expect.arrayContaining(["conservation", "answers"]));
});

test("run: a server that throws stops the run and is reported with its place", () => {
  const outcome = run(planFromSeed(1, profiles.demo), {
    ...ports,
    compose: (options) => {
      const real = server(options);
      const deliver = real.loop.deliver.bind(real.loop);
      real.loop.deliver = (now, input) => {
        if (input.type === "tls-established") throw new TypeError("planted");
        deliver(now, input);
      };
      return real;
    },
  });
  expect(outcome.failures).toHaveLength(1);
  expect(outcome.failures[0]?.what).toContain("TypeError: planted");
});

test("run: in a long safety phase nodes are looked at, and asked for their health, each five seconds", () => {
  const profile = { ...profiles.small, nodes: [1], clients: 1, behaviours: [], faults: false };
  const times = (safety: number, how: Partial<Plan> = {}): readonly number[] => {
    const drawn = planFromSeed(1, { ...profile, setUp: 4_000, safety, liveness: 15_000 });
    const plan = { ...drawn, ...how };
    const seen = new Set<number>();
    const outcome = run(plan, {
      ...ports,
      sinks: [(event) => event.kind === "health-asked" && seen.add(event.at)],
    });
    expect(outcome.failures).toEqual([]);
    return [...seen];
  };
  const asked = times(300_000);
  expect(asked.slice(0, 3)).toEqual([0, 5_000, 10_000]);
  // From the heal on as in all others.
  expect(asked.filter((at) => at >= 304_000).slice(0, 3)).toEqual([304_000, 305_000, 306_000]);
  expect(times(299_000).slice(0, 3)).toEqual([0, 1_000, 2_000]);
  // Unless the plan says otherwise, as one that was shrunk does.
  expect(times(2_000, { looksEveryMs: 3_000 })).toEqual([
    0, 3_000, 6_000, 9_000, 12_000, 15_000, 18_000, 21_000, 24_000, 27_000, 30_000, 33_000,
  ]);
});

test("run: a client that says nothing sends a sign of life as often as the plan says", () => {
  const signs = (clientSignsMs: number | undefined): number => {
    const quiet = { ...profiles.small, nodes: [1], clients: 1, behaviours: [], faults: false };
    const drawn = planFromSeed(1, { ...quiet, safety: 60_000, everyMs: [200_000, 200_000] });
    const plan = clientSignsMs === undefined ? drawn : { ...drawn, clientSignsMs };
    let count = 0;
    const outcome = run(plan, {
      ...ports,
      sinks: [
        ({ kind, data }) => {
          if (kind === "bytes-received" && data.bytes.length === 1) count += 1;
        },
      ],
    });
    expect(outcome.failures).toEqual([]);
    return count;
  };
  expect([5_000, undefined, 20_000].map(signs)).toEqual([17, 8, 3]);
  // Where signs are rare, those of clients are, too.
  const drawn = [profiles.small, profiles["speed-5"]].map((profile) => planFromSeed(1, profile));
  expect(drawn.map(({ clientSignsMs }) => clientSignsMs)).toEqual([undefined, 20_000]);
});
