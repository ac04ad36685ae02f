/**
 * Plan arbitraries: small clusters, a few clients that come and go, and any trouble between and on nodes.
 *
 * Shrinking takes faults away, then clients, then time and nodes: what is left is a plan that can be
 * written to a file and run by `npm run sim -- run --plan FILE`.
 */
import fc from "fast-check";
import {
  planVersion,
  type Behaviour,
  type ClientPlan,
  type FaultPlan,
  type NodePlan,
  type Plan,
} from "../../sim/plan.ts";

const setUp = 3_000;
const safety = 20_000;
const liveness = 40_000;

export interface PlanConstraints {
  readonly nodesMax: number;
  readonly clientsMax: number;
  readonly faultsMax: number;
}

export function clusterPlan(constraints: PlanConstraints): fc.Arbitrary<Plan> {
  return fc
    .integer({ min: 2, max: constraints.nodesMax })
    .chain((count) => {
      const names = Array.from({ length: count }, (_, index) => `n${index + 1}`);
      return fc.record({
        seed: fc.nat(0xff_ffff),
        nodes: fc.tuple(...names.map(node)),
        clients: fc.array(client(names), { minLength: 1, maxLength: constraints.clientsMax }),
        faults: fc.array(fault(names), { maxLength: constraints.faultsMax }),
        latencyMs: fc.constantFrom([1, 2], [1, 20], [40, 200]),
        cutChance: fc.constantFrom(0, 0.5, 0.9),
      });
    })
    .map(planOf);
}

interface Parts {
  readonly seed: number;
  readonly nodes: readonly NodePlan[];
  readonly clients: readonly ((index: number) => ClientPlan)[];
  readonly faults: readonly FaultPlan[];
  readonly latencyMs: readonly number[];
  readonly cutChance: number;
}

function planOf({ seed, nodes, clients, faults, latencyMs, cutChance }: Parts): Plan {
  return {
    version: planVersion,
    seed,
    topology: {
      nodes,
      cluster: {
        discovery: "static",
        heartbeatInterval: 1_000,
        heartbeatTimeout: 5_000,
        linkGrace: 5_000,
        expireAfter: 3_600_000,
      },
      network: {
        latencyMs: [latencyMs[0] ?? 1, latencyMs[1] ?? 1],
        cutChance,
        windowBytes: 65_536,
        congestionMarkBytes: 65_536,
      },
      database: { latencyMs: [1, 5] },
    },
    limits: {
      maxStanzaSize: 65_536,
      negotiationTimeout: 10_000,
      keepAliveInterval: 5_000,
      maxSendQueue: 65_536,
      sendTimeout: 5_000,
      maxSessionsPerUser: 10,
      maxAuthAttempts: 5,
      queryTimeout: 2_000,
    },
    clients: contested(clients.map((make, index) => make(index))),
    faults: faults.toSorted((a, b) => a.startAt - b.startAt),
    duration: { setUp, safety, liveness },
  };
}

/** Who wants one full JID with another is a rival: there is no telling which of them has it. */
function contested(clients: readonly ClientPlan[]): readonly ClientPlan[] {
  return clients.map((client) => {
    const { user, resource, behaviour } = client;
    const rivals = clients.filter((each) => each.user === user && each.resource === resource);
    if (rivals.length < 2 || behaviour.kind !== "reconnecter") return client;
    const { everyMs, peers } = behaviour;
    return { ...client, behaviour: { kind: "rival", everyMs, peers } };
  });
}

function node(name: string): fc.Arbitrary<NodePlan> {
  const offset = fc.constantFrom(0, 3_000, -600_000, 86_400_000);
  const release = fc.constantFrom(...([1, 1, 2] as const));
  return fc.record({ offset, release }).map((drawn) => ({
    name,
    monotonicOrigin: 1_000_000,
    wallOrigin: 1_767_225_600_000 + drawn.offset,
    joins: false,
    release: drawn.release,
  }));
}

function client(names: readonly string[]): fc.Arbitrary<(index: number) => ClientPlan> {
  return fc
    .record({
      home: fc.nat(names.length - 1),
      roams: fc.boolean(),
      // Few users, so that some share one, and two clients want one full JID.
      user: fc.constantFrom("alice", "bob", "carol"),
      resource: fc.constantFrom("phone", "desk"),
      livesMs: fc.constantFrom([500, 3_000], [3_000, 15_000]),
      startAt: fc.nat(2_000),
    })
    .map(({ home, roams, user, resource, livesMs, startAt }) => (index: number): ClientPlan => {
      const behaviour: Behaviour = {
        kind: "reconnecter",
        everyMs: [500, 2_000],
        peers: ["alice@meerkat.test/phone", "bob@meerkat.test", "carol@meerkat.test/desk"],
        livesMs: [livesMs[0] ?? 500, livesMs[1] ?? 3_000],
      };
      return {
        name: `client-${index + 1}`,
        nodes: [...names.slice(home), ...names.slice(0, home)],
        roams,
        user,
        resource,
        mechanism: "PLAIN",
        startAt,
        behaviour,
      };
    });
}

function fault(names: readonly string[]): fc.Arbitrary<FaultPlan> {
  const one = fc.constantFrom(...names);
  const two = fc
    .tuple(fc.nat(names.length - 1), fc.integer({ min: 1, max: names.length - 1 }))
    .map(([at, by]) => [names[at] ?? "", names[(at + by) % names.length] ?? ""] as const);
  const groups = fc
    .array(fc.nat(2), { minLength: names.length, maxLength: names.length })
    .map((colours) =>
      [0, 1, 2]
        .map((colour) => names.filter((_, index) => colours[index] === colour).join(","))
        .filter((group) => group !== "")
        .join("|"),
    )
    .filter((target) => target.includes("|"));
  const period = fc.record({
    startAt: fc.integer({ min: setUp, max: setUp + safety }),
    lasts: fc.integer({ min: 1, max: 15_000 }),
  });
  const kinds = fc.oneof(
    groups.map((target) => ({ kind: "split" as const, target, amount: 0 })),
    two.map(([a, b]) => ({ kind: "one-way-cut" as const, target: `${a}>${b}`, amount: 0 })),
    fc
      .tuple(two, fc.nat(1))
      .map(([[a, b], amount]) => ({ kind: "link-reset" as const, target: `${a}~${b}`, amount })),
    two.map(([a, b]) => ({ kind: "link-half-open" as const, target: `${a}~${b}`, amount: 0 })),
    two.map(([a, b]) => ({ kind: "flapping" as const, target: `${a}~${b}`, amount: 1_500 })),
    fc
      .tuple(one, fc.nat(1))
      .map(([target, amount]) => ({ kind: "node-crash" as const, target, amount })),
    fc
      .tuple(one, fc.constantFrom(2, -2, 1, -1))
      .map(([target, amount]) => ({ kind: "rolling-upgrade" as const, target, amount })),
    one.map((target) => ({ kind: "node-pause" as const, target, amount: 0 })),
    one.map((target) => ({ kind: "node-stop" as const, target, amount: 0 })),
    fc.tuple(one, fc.constantFrom(-86_400_000, 3_600_000)).map(([target, amount]) => ({
      kind: "clock-jump" as const,
      target,
      amount,
    })),
  );
  return fc.tuple(kinds, period).map(([row, { startAt, lasts }]) => {
    // A stop that takes no time would be a leave.
    const endAt = Math.max(startAt + 1, Math.min(startAt + lasts, setUp + safety + 1));
    return { ...row, startAt, endAt };
  });
}
