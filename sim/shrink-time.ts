/** Shrink time: a plan that is over earlier, with shorter faults, in a simpler world. */
import type { ClusterPlan, FaultPlan, Limits, Plan, Topology } from "./plan.ts";
import { congestionMarkBytes } from "./kit/network.ts";
import { hurriedClients, withoutMisfits } from "./shrink-parts.ts";

/** Logins are given their time; in a run that is cut nobody is missed who has not had it. */
const setUpMinMs = { whole: 2_000, cut: 500 } as const;
const safetyMinMs = 500;
/**
 * Oracles grant links and tables 30 s after the heal, of which the quiet after this phase is 15, and clients less; where nothing
 * befell anybody nothing has to mend.
 */
const livenessMinMs = { clustered: 20_000, alone: 15_000, calm: 5_000 } as const;

/** The phase of faults ends with the moment at which it went wrong, or a little later; so all runs after it are short. */
export function untilItFails(plan: Plan, failedAt: number | undefined): readonly Plan[] {
  if (failedAt === undefined) return [];
  const { setUp, safety, liveness } = plan.duration;
  return [100, 2_000].flatMap((slackMs): Plan[] => {
    const shorter = Math.max(safetyMinMs, rounded(failedAt + slackMs - setUp));
    if (shorter >= safety) return [];
    const sooner = withSafety(plan, shorter);
    return [withLiveness(sooner, Math.min(liveness, livenessMin(sooner))), sooner];
  });
}

/**
 * The run is cut, and nothing heals: what is false is false by then. Only what never comes is missed after a liveness
 * phase alone. From the boldest to all that there was. In less time clients do as much if they do it sooner.
 */
export function cutShort(plan: Plan, lengths = [1, 2, 3, 4, 6, 8]): readonly Plan[] {
  const { safety, liveness } = plan.duration;
  if (liveness === 0) return [];
  return lengths.flatMap((eighths): Plan[] => {
    const length = rounded(((safety + liveness) * eighths) / 8);
    if (length < safetyMinMs) return [];
    const cut = withLiveness(withSafety(plan, length), 0);
    const hurried = hurriedClients(cut);
    return hurried === cut ? [cut] : [cut, hurried];
  });
}

/** From the boldest step to the smallest. */
export function earlier(plan: Plan): readonly Plan[] {
  const { setUp, safety, liveness } = plan.duration;
  const candidates: Plan[] = [];
  for (const eighths of [1, 2, 4, 6, 7]) {
    const shorter = Math.max(safetyMinMs, rounded((safety * eighths) / 8));
    if (shorter >= safety) continue;
    const crowded = faultsFromStart(plan);
    if (crowded !== plan) candidates.push(withSafety(crowded, shorter));
    candidates.push(withSafety(plan, shorter));
  }
  const least = livenessMin(plan);
  const between = [1, 2, 4, 6].map((eighths) => rounded((liveness * eighths) / 8));
  for (const shorter of [least, ...between.filter((each) => each > least)]) {
    if (shorter < liveness) candidates.push(withLiveness(plan, shorter));
  }
  const half = Math.max(setUpMinMs[liveness > 0 ? "whole" : "cut"], rounded(setUp / 2));
  if (half < setUp) candidates.push(withSetUp(plan, half));
  const moved = faultsFromStart(plan);
  if (moved !== plan) candidates.push(moved);
  return candidates;
}

function livenessMin({ topology: { cluster, network, nodes }, faults }: Plan): number {
  const joined = nodes.some(({ joins }) => joins);
  if (faults.length === 0 && network.noise === undefined && !joined) return livenessMinMs.calm;
  return cluster === undefined ? livenessMinMs.alone : livenessMinMs.clustered;
}

export function shorterFaults(plan: Plan): readonly Plan[] {
  return plan.faults.flatMap((fault, index): Plan[] => {
    const length = fault.endAt - fault.startAt;
    if (length < 200) return [];
    const endAt = fault.startAt + rounded(length / 2);
    return [{ ...plan, faults: plan.faults.with(index, { ...fault, endAt }) }];
  });
}

/** What lasts, lasts from the set-up to the heal, so that it is met whenever its moment comes. */
export function longFaults(plan: Plan): Plan {
  const startAt = plan.duration.setUp;
  const endAt = startAt + plan.duration.safety;
  const faults = plan.faults.map((fault) =>
    fault.endAt > fault.startAt ? { ...fault, startAt, endAt } : fault,
  );
  return { ...plan, faults };
}

/** Alone, its length kept: to the end of the set-up, or half of the way. */
export function movedFaults(plan: Plan): readonly Plan[] {
  return plan.faults.flatMap((fault, index): Plan[] => {
    const way = fault.startAt - plan.duration.setUp;
    return [way, rounded(way / 2)]
      .filter((less) => less >= 100)
      .map((less) => ({ ...plan, faults: plan.faults.with(index, sooner(fault, less)) }));
  });
}

const plainNetwork: Topology["network"] = {
  latencyMs: [1, 2],
  cutChance: 0,
  windowBytes: 65_536,
  congestionMarkBytes,
  noise: undefined,
};

/** Far enough that they are not met. */
const wideLimits: Limits = {
  maxStanzaSize: 65_536,
  negotiationTimeout: 30_000,
  keepAliveInterval: 20_000,
  maxSendQueue: 1_048_576,
  sendTimeout: 15_000,
  maxSessionsPerUser: 10,
  conflict: undefined,
  maxAuthAttempts: 5,
  queryTimeout: 5_000,
  maxRate: undefined,
  failedLogins: undefined,
};

/** Production's bounds, no list to be read over and over, and as few heartbeats as a server allows. */
const plainCluster: ClusterPlan = {
  discovery: "static",
  bounds: undefined,
  heartbeatInterval: 2_500,
  heartbeatTimeout: 5_000,
  linkGrace: 5_000,
  expireAfter: 3_600_000,
};

/** Who looks every second makes more events than the rest of a small run; what is wrong is mostly wrong for longer. */
const seldomLooksMs = 5_000;

/** Everything at once, then one thing after the other. */
export function simplerWorld(plan: Plan): readonly Plan[] {
  const { topology } = plan;
  const { nodes, network, cluster } = topology;
  const [head] = nodes;
  const wallOrigin = head?.wallOrigin ?? 0;
  const rightNodes = nodes.map((node) => ("drift" in node ? { ...node, drift: 0 } : node));
  const oneRelease = nodes.map((node) =>
    "release" in node ? { ...node, release: 1 as const } : node,
  );
  const plainNodes = rightNodes.map((node) => ({ ...node, wallOrigin, joins: false }));
  const seldomLooks: Plan = { ...plan, looksEveryMs: seldomLooksMs };
  const candidates: Plan[] = [
    ...((plan.looksEveryMs ?? 0) < seldomLooksMs ? [seldomLooks] : []),
    ...eachPlain(network, plainNetwork, (changed) => inTopology(plan, { network: changed })),
    ...eachPlain(topology.database, { latencyMs: [1, 1] }, (database) =>
      inTopology(plan, { database }),
    ),
    ...eachPlain(plan.limits, wideLimits, (limits) => ({ ...plan, limits })),
    ...[plainNodes, rightNodes, oneRelease].flatMap((plain) =>
      eachPlain({ nodes }, { nodes: plain }, (changed) => inTopology(plan, changed)),
    ),
  ];
  if (cluster !== undefined) {
    const inCluster = (changed: ClusterPlan): Plan => inTopology(plan, { cluster: changed });
    candidates.push(...eachPlain(cluster, plainCluster, inCluster));
    const heartbeatInterval = cluster.heartbeatTimeout >> 1;
    if (heartbeatInterval > cluster.heartbeatInterval) {
      candidates.push(inCluster({ ...cluster, heartbeatInterval }));
    }
  }
  return candidates;
}

/** With all plain values, and with each alone; none for what is plain already. */
function eachPlain<T extends object>(
  value: T,
  plain: Partial<T>,
  plan: (value: T) => Plan,
): readonly Plan[] {
  const names = (Object.keys(plain) as (keyof T)[]).filter(
    (name) => JSON.stringify(value[name]) !== JSON.stringify(plain[name]),
  );
  const each = names.map((name) => plan({ ...value, [name]: plain[name] }));
  return names.length > 1 ? [plan({ ...value, ...plain }), ...each] : each;
}

function inTopology(plan: Plan, changed: Partial<Topology>): Plan {
  return withoutMisfits({ ...plan, topology: { ...plan.topology, ...changed } });
}

function withLiveness(plan: Plan, liveness: number): Plan {
  return { ...plan, duration: { ...plan.duration, liveness } };
}

/** Faults that would begin after the heal are dropped, others end with it. */
function withSafety(plan: Plan, safety: number): Plan {
  const heal = plan.duration.setUp + safety;
  const faults = plan.faults
    .filter(({ startAt }) => startAt < heal)
    .map((fault): FaultPlan => ({ ...fault, endAt: Math.min(fault.endAt, heal) }));
  return { ...plan, faults, duration: { ...plan.duration, safety } };
}

function withSetUp(plan: Plan, setUp: number): Plan {
  const less = plan.duration.setUp - setUp;
  const clients = plan.clients.map((client) => {
    const startAt = Math.min(client.startAt, setUp >> 1);
    return { ...client, startAt };
  });
  const shifted = shift(plan.faults, less);
  return { ...plan, clients, faults: shifted, duration: { ...plan.duration, setUp } };
}

/** All together, as far as they can go. */
function faultsFromStart(plan: Plan): Plan {
  const firstAt = Math.min(...plan.faults.map(({ startAt }) => startAt));
  const less = firstAt - plan.duration.setUp;
  if (plan.faults.length === 0 || less <= 0) return plan;
  return { ...plan, faults: shift(plan.faults, less) };
}

function shift(faults: readonly FaultPlan[], less: number): FaultPlan[] {
  return faults.map((fault) => sooner(fault, less));
}

function sooner(fault: FaultPlan, less: number): FaultPlan {
  const startAt = Math.max(0, fault.startAt - less);
  return { ...fault, startAt, endAt: Math.max(0, fault.endAt - less) };
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds / 100) * 100;
}
