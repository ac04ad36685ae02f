/** Profiles: which kinds of run there are, and how large they are. `plan-from-seed.ts` draws the rest. */
import type { BehaviourKind, DiscoveryKind, FaultKind, Range } from "./plan.ts";

export interface Profile {
  readonly name: string;
  readonly clients: number;
  /** How many nodes; one of these, drawn. */
  readonly nodes: readonly number[];
  readonly setUp: number;
  readonly safety: number;
  readonly liveness: number;
  /** Kinds of client beside chatters. */
  readonly behaviours: readonly BehaviourKind[];
  /** All kinds, none, or these. */
  readonly faults: boolean | readonly FaultKind[];
  /** How nodes find each other; one of these, drawn. Missing: mostly by the database. */
  readonly discoveries?: readonly DiscoveryKind[];
  /** How often chatters speak; drawn for each, if missing. */
  readonly everyMs?: Range;
  /** How often chatters ask each other something; one of these, drawn. Missing: hardly ever. */
  readonly asks?: readonly number[];
  /** So many times more seldom do other kinds than chatters act (flood, leave, attack, register); missing: 1. */
  readonly slower?: number;
  /** Heartbeats and keep-alives as seldom as plans have them, clients' signs of life twice as seldom; missing: drawn. */
  readonly rareSigns?: boolean;
  /** How likely a write is cut into pieces; one of these, drawn. Missing: from never to nearly always. */
  readonly cutChances?: readonly number[];
  /** How many clients may share an account; missing: all that share one, share the same. */
  readonly familyMax?: number;
}

/**
 * Of a plan with many times as many writes: still as many of them are cut as in a small one, and each piece
 * is an input like a whole.
 */
const cutChancesOfMany = [0, 0.02, 0.05, 0.1] as const;

/** Of sessions of one user: who never gets in logs in for ever, and that alone would be measured. */
const leastLimit = 3;

/** What makes one stanza every ten seconds: a chatter says 1.35 at a time. */
const oneInTenSeconds: Range = [11_000, 16_000];

/** Twice: those without whom queues do not fill and names are not contested. */
const odd: readonly BehaviourKind[] = [
  "vanisher",
  "reconnecter",
  "rival",
  "rival",
  "non-reader",
  "flooder",
  "flooder",
  "impostor",
  "registrar",
  "hostile",
];

export const profiles = {
  /** What the demonstration shows: ten seconds with a little of everything. */
  demo: {
    name: "demo",
    clients: 12,
    nodes: [3],
    setUp: 2_000,
    safety: 6_000,
    liveness: 8_000,
    behaviours: odd,
    faults: true,
  },
  default: {
    name: "default",
    asks: [0, 0.2, 0.5],
    clients: 30,
    nodes: [1, 1, 2, 3, 3, 3, 4, 5, 7, 12],
    setUp: 10_000,
    safety: 60_000,
    liveness: 60_000,
    behaviours: odd,
    faults: true,
  },
  /** One node alone, and thirty clients. */
  one: {
    name: "one",
    clients: 30,
    nodes: [1],
    setUp: 10_000,
    safety: 60_000,
    liveness: 60_000,
    behaviours: odd,
    faults: true,
  },
  /** For many seeds in little time: the zoo, and the tests of every commit. */
  small: {
    name: "small",
    asks: [0, 0.2, 0.5],
    clients: 14,
    nodes: [1, 1, 2, 3],
    setUp: 4_000,
    safety: 15_000,
    liveness: 15_000,
    behaviours: odd,
    faults: true,
  },
  /** Many seeds of clusters only. */
  cluster: {
    name: "cluster",
    asks: [0, 0.2, 0.5],
    clients: 14,
    nodes: [2, 3, 3, 4, 5],
    setUp: 5_000,
    safety: 40_000,
    liveness: 40_000,
    behaviours: odd,
    faults: true,
  },
  /** Clusters that find each other by what names and files say of them. */
  lists: {
    name: "lists",
    asks: [0, 0.2, 0.5],
    clients: 8,
    nodes: [2, 3, 4],
    setUp: 5_000,
    safety: 40_000,
    liveness: 40_000,
    behaviours: odd,
    discoveries: ["dns", "file"],
    // Few of them touch a node or a link: what these lists do to either would not be told apart. Those who part while
    // lists lack them come of the lists' own faults.
    faults: [
      ...(["dns-down", "dns-slow", "dns-stale", "dns-lacking"] as const),
      ...(["file-gone", "file-half-written", "file-lacking"] as const),
      ...(["node-join", "node-restart", "node-slow", "database-down", "vanish"] as const),
    ],
  },
  /** Clusters that part and meet again, with names that are wanted on all sides. */
  splits: {
    name: "splits",
    asks: [0.3, 0.6],
    clients: 14,
    nodes: [3, 3, 4],
    setUp: 5_000,
    safety: 40_000,
    liveness: 40_000,
    behaviours: ["rival", "rival", "rival", "rival", "flooder", "non-reader", "reconnecter"],
    everyMs: [100, 1_500],
    faults: [
      ...(["split", "one-way-cut", "bridge", "ring", "flapping"] as const),
      ...([
        "link-reset",
        "link-half-open",
        "link-latency",
        "link-bandwidth",
        "node-restart",
        "node-pause",
      ] as const),
      ...(["vanish", "reset"] as const),
    ],
  },
  /** For measuring speed: well-behaved clients only, one stanza per client every ten seconds. */
  speed: {
    name: "speed",
    clients: 100,
    nodes: [1],
    setUp: 10_000,
    safety: 100_000,
    liveness: 10_000,
    behaviours: [],
    faults: false,
  },
  /** 3 nodes, 30 clients, 10 simulated minutes, with all faults. */
  "speed-3": {
    name: "speed-3",
    clients: 30,
    nodes: [3],
    setUp: 10_000,
    safety: 515_000,
    liveness: 60_000,
    behaviours: odd,
    cutChances: cutChancesOfMany,
    everyMs: oneInTenSeconds,
    rareSigns: true,
    // As much as in `default`, in ten times its time.
    slower: 10,
    familyMax: leastLimit,
    faults: true,
  },
  /** 5 nodes, 1000 clients, one stanza per client every ten seconds, with all faults. */
  "speed-5": {
    name: "speed-5",
    clients: 1_000,
    nodes: [5],
    setUp: 10_000,
    safety: 515_000,
    liveness: 60_000,
    behaviours: [],
    cutChances: cutChancesOfMany,
    everyMs: oneInTenSeconds,
    rareSigns: true,
    familyMax: leastLimit,
    faults: true,
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof profiles;
