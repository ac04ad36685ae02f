/**
 * Plan from seed: which run does this seed stand for?
 *
 * The only place where a seed becomes a plan. Swarm testing: every kind of fault and of client is
 * switched on or off by a coin, so that some runs have all of them and some have hardly any; limits
 * are shrunk at random.
 */
import { singleAttacks } from "./workloads/attacks.ts";
import { faultKinds, planFaults } from "./faults/index.ts";
import { addressOf, planHost, userOf } from "./addresses.ts";
import {
  planVersion,
  type Behaviour,
  type BehaviourKind,
  type ClientPlan,
  type ClusterPlan,
  type DiscoveryKind,
  type FaultKind,
  type Limits,
  type NodePlan,
  type Plan,
  type Topology,
} from "./plan.ts";
import { planHosts } from "./plan-hosts.ts";
import { planManners, planSlowReaders } from "./plan-manners.ts";
import { profiles, type Profile } from "./profiles.ts";
import { congestionMarkBytes } from "./kit/network.ts";
import { choices, type Random } from "./kit/random.ts";

export { profiles, type Profile, type ProfileName } from "./profiles.ts";

const messageTypes = ["chat", "chat", "normal", "headline", "groupchat"] as const;

/** After a heal links and tables have 30 s, clients as much again. */
const clusterLivenessMs = 40_000;

export function planFromSeed(seed: number, profile: Profile = profiles.default): Plan {
  const random = choices(seed, "plan");
  const nodes = planReleases(
    choices(seed, "plan/releases"),
    profile,
    planDrift(
      choices(seed, "plan/drift"),
      profile,
      planNodes(choices(seed, "plan/nodes"), profile),
    ),
  );
  const names = nodes.map(({ name }) => name);
  const clustered = nodes.length > 1;
  const duration = {
    setUp: profile.setUp,
    safety: profile.safety,
    liveness: clustered ? Math.max(profile.liveness, clusterLivenessMs) : profile.liveness,
  };
  const { hosts, slow } = planPeople(seed, profile, names);
  const { clients, windowBytes = 0, ...slowLimits } = slow;
  const cluster = clustered ? planCluster(seed, profile) : undefined;
  const network = {
    latencyMs: random.pick([
      [1, 2],
      [1, 20],
      [10, 60],
      [40, 200],
    ] as const),
    cutChance: random.pick(profile.cutChances ?? [0, 0.1, 0.5, 0.9]),
    windowBytes: Math.max(random.pick([2_048, 16_384, 65_536]), windowBytes),
    congestionMarkBytes: random.pick([1_024, 8_192, congestionMarkBytes]),
    ...(profile.faults ? planNoise(choices(seed, "plan/noise")) : {}),
  };
  const long = planLength(choices(seed, "plan/length"), profile, network, cluster);
  return {
    version: planVersion,
    seed,
    steady: true,
    ...(profile.rareSigns === true ? { clientSignsMs: 20_000 } : {}),
    topology: {
      nodes,
      ...(cluster === undefined ? {} : { cluster: long === undefined ? cluster : roomy(cluster) }),
      ...(hosts === undefined ? {} : { hosts }),
      network,
      database: {
        latencyMs: random.pick([
          [1, 1],
          [1, 5],
          [5, 50],
        ] as const),
      },
    },
    limits: {
      ...planLimits(choices(seed, "plan/limits"), profile),
      ...slowLimits,
      ...(profile.faults && long === undefined ? planRate(choices(seed, "plan/rate")) : {}),
      ...(profile.faults ? planFailedLogins(choices(seed, "plan/failed-logins")) : {}),
      ...(long === undefined ? {} : { maxStanzaSize: 262_144 }),
      ...(profile.faults ? planConflict(choices(seed, "plan/conflict")) : {}),
    },
    clients: long === undefined ? clients : longWinded(clients, long),
    faults: planFaults(seed, {
      ...{ clients, nodes, duration, kinds: faultKindsOf(profile) },
      discovery: cluster?.discovery,
    }),
    duration,
  };
}

function planPeople(seed: number, profile: Profile, names: readonly string[]) {
  const drawn = planClients(choices(seed, "plan/clients"), profile, names);
  const manners = planManners(seed, profile, drawn);
  const { hosts, clients } = planHosts(choices(seed, "plan/served-hosts"), profile, manners);
  const slow = planSlowReaders(choices(seed, "plan/slow-readers"), profile, clients);
  return { hosts, slow };
}

function faultKindsOf({ faults }: Profile): readonly FaultKind[] {
  if (faults === false) return [];
  return faults === true ? faultKinds : faults;
}

/** The first is there from the start; of several some may join later. Clocks differ. */
function planNodes(random: Random, profile: Profile): NodePlan[] {
  const count = random.pick(profile.nodes);
  const wall = 1_767_225_600_000 + random.int(1_000_000_000);
  const late = profile.faults && count > 2 && random.chance(0.3);
  return Array.from({ length: count }, (_, index) => ({
    name: `n${index + 1}`,
    monotonicOrigin: random.int(1_000_000_000),
    wallOrigin: wall + random.pick([0, 0, 40, -40, 3_000, -3_000, 600_000, -86_400_000]),
    joins: late && index > 1 && random.chance(0.4),
  }));
}

/** In some runs no clock is quite right: as crystals are, or as badly as a broken one. */
function planDrift(
  random: Random,
  profile: Profile,
  nodes: readonly NodePlan[],
): readonly NodePlan[] {
  if (!profile.faults || !random.chance(0.3)) return nodes;
  const drifts = random.pick([
    [0, 20, -20, 150, -150],
    [0, 10_000, -10_000],
  ] as const);
  return nodes.map((node) => ({ ...node, drift: random.pick(drifts) }));
}

/** In some runs two releases run side by side from the start. */
function planReleases(
  random: Random,
  profile: Profile,
  nodes: readonly NodePlan[],
): readonly NodePlan[] {
  if (!profile.faults || nodes.length < 2 || !random.chance(0.25)) return nodes;
  return nodes.map((node) => (random.chance(0.5) ? { ...node, release: 2 } : node));
}

/** Some runs never have a clean network again: they must converge in spite of it. */
function planNoise(random: Random): Pick<Topology["network"], "noise"> {
  return random.chance(0.15) ? { noise: { loss: 0.05, latencyMs: 100 } } : {};
}

const discoveries: readonly DiscoveryKind[] = [
  "sql",
  "sql",
  "sql",
  "sql",
  "static",
  "static",
  "dns",
  "file",
];

function planCluster(seed: number, profile: Profile): ClusterPlan {
  const random = choices(seed, "plan/cluster");
  const slow = [1_000, 5_000, 5_000] as const;
  const fast = [500, 2_000, 2_000] as const;
  const drawnLife = random.pick([slow, fast, fast]);
  const [heartbeatInterval, heartbeatTimeout, linkGrace] =
    profile.rareSigns === true ? slow : drawnLife;
  const discovery = random.pick(profile.discoveries ?? discoveries);
  // Less than a node may be cut off from the database.
  const drawn = random.pick([10_000, 3_600_000]);
  const rarely = profile.faults ? planLooks(choices(seed, "plan/looks")) : undefined;
  const window = random.pick([8_192, 16_384, 65_536, 1_048_576]);
  return {
    discovery,
    heartbeatInterval,
    heartbeatTimeout,
    linkGrace,
    expireAfter: rarely?.expireAfter ?? drawn,
    bounds: {
      window,
      // The smallest are met where a link is slow or broken and somebody floods; the largest are empty by the end.
      queue: Math.min(random.pick([32_768, 32_768, 65_536, 67_108_864]), 32 * window),
      fragment: random.pick([512, 4_096, 65_536]),
      logOperations: random.pick([0, 4, 32, 16_384]),
      chunk: random.pick([200, 1_024, 65_536]),
      syncWindow: random.pick([600, 262_144]),
      retention: random.pick([3_000, 15_000, 600_000]),
      requestPatience: random.pick([2_000, 30_000, 30_000]),
      overtaking: random.pick([256, window]),
      ...planTableQueue(choices(seed, "plan/table-queue"), profile.clients),
      ...(rarely === undefined ? {} : { quickFor: rarely.quickFor }),
    },
  };
}

/** In some runs nodes look seldom who else is there, as they do once a cluster has stood for minutes. */
function planLooks(random: Random): { quickFor: number; expireAfter: number } | undefined {
  const quickFor = random.pick([2_000, 10_000]);
  const expireAfter = random.pick([10_000, 120_000, 120_000, 3_600_000]);
  return random.chance(0.4) ? { quickFor, expireAfter } : undefined;
}

/**
 * In some runs a login or a few are more than may wait: who is not told of them gets a snapshot later. Among many
 * clients it is as many times more, or each write would be a snapshot.
 */
function planTableQueue(
  random: Random,
  clients: number,
): Partial<NonNullable<ClusterPlan["bounds"]>> {
  if (!random.chance(0.4)) return {};
  const crowds = Math.ceil(clients / 30);
  return {
    tableQueue: crowds * random.pick([64, 256, 1_024]),
    logOperations: crowds * random.pick([0, 2]),
  };
}

/** Most stay at home and go elsewhere only when that fails; rivals mostly meet on different nodes. */
function planHome(
  random: Random,
  nodes: readonly string[],
  kind: BehaviourKind,
): Pick<ClientPlan, "nodes" | "roams"> {
  const roaming = kind === "rival" ? 0.8 : 0.2;
  return { nodes: random.shuffle(nodes), roams: nodes.length > 1 && random.chance(roaming) };
}

function planLimits(random: Random, profile: Profile): Limits {
  const drawn = {
    maxStanzaSize: random.pick([4_096, 16_384, 65_536]),
    negotiationTimeout: random.pick([10_000, 30_000]),
    keepAliveInterval: random.pick([5_000, 20_000]),
    maxSendQueue: random.pick([4_096, 65_536, 1_048_576]),
    sendTimeout: random.pick([5_000, 15_000]),
    maxSessionsPerUser: random.pick([3, 10]),
    maxAuthAttempts: random.pick([2, 5]),
    queryTimeout: random.pick([500, 2_000, 5_000]),
  };
  return profile.rareSigns === true ? { ...drawn, keepAliveInterval: 20_000 } : drawn;
}

/** In some runs floods come faster than nodes read them; never so fast that one is not read by the end. */
function planRate(random: Random): Pick<Limits, "maxRate"> {
  return random.chance(0.3) ? { maxRate: random.pick([30_000, 100_000]) } : {};
}

/** In some runs who guesses passwords is soon put off, and forgiven between two attempts. */
function planFailedLogins(random: Random): Pick<Limits, "failedLogins"> {
  if (!random.chance(0.5)) return {};
  return { failedLogins: { max: random.pick([2, 4]), period: random.pick([1_500, 4_000]) } };
}

/** In some runs whoever has a name keeps it. */
function planConflict(random: Random): Pick<Limits, "conflict"> {
  if (!random.chance(0.35)) return {};
  return { conflict: random.pick(["refuse_new", "make_new_resource"] as const) };
}

function planClients(random: Random, profile: Profile, nodes: readonly string[]): ClientPlan[] {
  const enabled = profile.behaviours.filter(() => random.chance(0.6));
  const kinds: BehaviourKind[] = [];
  for (let count = 0; count < profile.clients; count++) {
    kinds.push(enabled.length > 0 && random.chance(0.4) ? random.pick(enabled) : "chatter");
  }
  // A flood fills a queue only where somebody does not read.
  const idle = kinds.indexOf("chatter");
  if (kinds.includes("flooder") && !kinds.includes("non-reader") && idle >= 0) {
    kinds[idle] = "non-reader";
  }
  matchRivals(random, kinds, profile.behaviours.includes("rival") && nodes.length > 1);
  const names = kinds.map((kind, index) => `${kind}-${index + 1}`);
  const family = { chance: random.pick([0.1, 0.2, 0.6]), max: profile.familyMax };
  const seats = names.map((name, index) => seatOf(name, kinds, index, random, family));
  // Nobody writes to a hermit, so that only the server's own keep-alive finds out that it is gone.
  const hermits = kinds.map((kind) => kind === "vanisher" && random.chance(0.4));
  const addresses = seats.map(({ user, resource }, index) =>
    hermits[index] === true ? "" : addressOf(user, resource),
  );
  return kinds.map((kind, index) => {
    const { user, resource } = seats[index] ?? { user: "", resource: "" };
    const hermit = hermits[index] === true;
    const peers = peersOf(addresses, index, random);
    const behaviour = planBehaviour(kind, random, peers, profile);
    return {
      name: names[index] ?? "",
      ...planHome(random, nodes, kind),
      user,
      resource: hermit ? "" : resource,
      mechanism: random.pick(["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"] as const),
      startAt: random.int(Math.max(1, profile.setUp >> 1)),
      behaviour:
        hermit && behaviour.kind === "vanisher" ? { ...behaviour, silent: true } : behaviour,
    };
  });
}

/** In some runs a stanza may be as long as in production, where all that is on its way carries so much in time. */
function planLength(
  random: Random,
  { faults, everyMs }: Profile,
  { latencyMs, windowBytes }: Topology["network"],
  cluster: ClusterPlan | undefined,
): number | undefined {
  const long = random.chance(0.5) ? random.between(100_000, 220_000) : undefined;
  const window = cluster?.bounds?.window ?? Infinity;
  const carries = latencyMs[1] <= 60 && windowBytes > 2_048 && window > 16_384;
  return faults === false || everyMs !== undefined || !carries ? undefined : long;
}

/** A queue must take the longest stanza that its node lets in. */
function roomy(cluster: ClusterPlan): ClusterPlan {
  const { bounds } = cluster;
  if (bounds === undefined) return cluster;
  return { ...cluster, bounds: { ...bounds, queue: Math.max(bounds.queue, 1_048_576) } };
}

/** Some of those who chat, but not all the time: what they say must be read by the end. */
function longWinded(clients: readonly ClientPlan[], longBytes: number): readonly ClientPlan[] {
  return clients.map((client, index) => {
    const { behaviour } = client;
    const seldom = behaviour.kind === "chatter" && behaviour.everyMs[0] >= 1_000;
    return index % 3 === 0 && seldom
      ? { ...client, behaviour: { ...behaviour, longBytes } }
      : client;
  });
}

/** A name is contested only by two; where nodes may part, most runs should see it on both sides. */
function matchRivals(random: Random, kinds: BehaviourKind[], wanted: boolean): void {
  const rivals = kinds.filter((kind) => kind === "rival").length;
  let missing = rivals === 1 ? 1 : rivals === 0 && wanted && random.chance(0.6) ? 2 : 0;
  for (const [index, kind] of kinds.entries()) {
    if (kind !== "chatter" || missing === 0) continue;
    kinds[index] = "rival";
    missing -= 1;
  }
}

/** Most clients have an account of their own; some share one; rivals want one full JID, or one of two. */
function seatOf(
  name: string,
  kinds: readonly BehaviourKind[],
  index: number,
  random: Random,
  family: { readonly chance: number; readonly max: number | undefined },
): { user: string; resource: string } {
  const kind = kinds[index];
  if (kind === "rival") {
    const rivals = kinds.filter((each) => each === "rival").length;
    return { user: `rival-${random.int(rivals > 3 ? 2 : 1)}`, resource: "one" };
  }
  if (kind === "chatter" && random.chance(family.chance)) {
    const number = family.max === undefined ? "" : `-${Math.floor(index / family.max)}`;
    return { user: `family${number}`, resource: name };
  }
  return { user: name, resource: random.pick(["phone", "büro", "a/b", ""]) };
}

/** A few full JIDs, one or two bare ones and one of nobody. */
function peersOf(addresses: readonly string[], self: number, random: Random): string[] {
  const others = addresses.filter((address, index) => index !== self && address !== "");
  const peers = random.shuffle(others).slice(0, 4);
  for (const peer of peers.slice(0, random.between(1, 2))) {
    peers.push(addressOf(userOf(peer)));
  }
  if (random.chance(0.3)) peers.push(`nobody@${planHost}`);
  if (random.chance(0.2)) peers.push(`nobody@${planHost}/nowhere`);
  return peers;
}

function planBehaviour(
  kind: BehaviourKind,
  random: Random,
  peers: readonly string[],
  { everyMs: rhythm, slower = 1 }: Profile,
): Behaviour {
  const slowly = ([least, most]: readonly [number, number]) =>
    [slower * least, slower * most] as const;
  const everyMs =
    rhythm ??
    random.pick([
      [200, 2_000],
      [1_000, 5_000],
      [8_000, 12_000],
    ] as const);
  const chat = {
    everyMs,
    peers,
    types: random.pick([["chat"], ["chat", "normal"], messageTypes] as const),
    moods: random.pick([0, 0.1, 0.3]),
    absences: random.pick([0, 0, 0.05]),
  };
  const livesMs = slowly(
    random.pick([
      [1_000, 5_000],
      [5_000, 20_000],
    ] as const),
  );
  switch (kind) {
    case "chatter":
      return { kind, ...chat };
    case "rival":
      return { kind, ...chat };
    case "vanisher":
      return { kind, ...chat, livesMs, silent: random.chance(0.5) };
    case "reconnecter":
      return { kind, ...chat, livesMs };
    case "non-reader":
      return {
        kind,
        readsMs: [1_000, 10_000],
        pausesMs: random.pick([
          [500, 2_000],
          [10_000, 40_000],
        ] as const),
      };
    case "flooder":
      return {
        kind,
        everyMs: slowly([500, 2_000]),
        burst: random.between(2, 20),
        bytes: random.pick([100, 1_000, 3_000]),
        peers,
      };
    case "impostor":
      return { kind, everyMs: slowly([1_000, 5_000]), insists: true };
    case "registrar":
      return { kind, everyMs: slowly([2_000, 8_000]) };
    case "hostile":
      return {
        kind,
        everyMs: slowly([500, 3_000]),
        attacks: random.shuffle(singleAttacks).slice(0, 12),
      };
  }
}
