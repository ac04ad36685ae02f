/**
 * Plan: what will a run consist of? Plain JSON: topology, clients, faults, limits, durations.
 *
 * Everything downstream reads the plan only; `planFromSeed` (plan-from-seed.ts) is the one place where
 * a seed becomes a plan. So a plan can be written to a file, cut down by hand and run again after the
 * generator has changed. Times are milliseconds of virtual time from the start of the run.
 */
import { planHost } from "./addresses.ts";
import type { Noise } from "./kit/fabric.ts";
import type { Release } from "./releases/releases.ts";

export const planVersion = 2;

export type Range = readonly [low: number, high: number];

export interface Plan {
  readonly version: typeof planVersion;
  /** Root of all random streams of the run: latencies, cuts, contents. */
  readonly seed: number;
  readonly topology: Topology;
  readonly limits: Limits;
  readonly clients: readonly ClientPlan[];
  readonly faults: readonly FaultPlan[];
  /**
   * What the network, the database and the nodes draw depends on the moment, so that what is left out moves nothing
   * else; missing, as in older plans: on all that was drawn before.
   */
  readonly steady?: boolean;
  /** How often nodes are looked at, and asked for their health; missing: each second, in long safety phases each five. */
  readonly looksEveryMs?: number;
  /** A client that has said nothing for so long sends a sign of life; missing: ten seconds. What `Profile.rareSigns` sets. */
  readonly clientSignsMs?: number;
  readonly duration: {
    /** Logins without faults. */
    readonly setUp: number;
    /** Faults on; whatever happens, nothing false may happen. */
    readonly safety: number;
    /** Healed; whatever should work must work again. 0: the run is cut before the heal, and nothing is missed that may yet come. */
    readonly liveness: number;
  };
}

export interface Topology {
  /** 1 to 12, those that join later included. */
  readonly nodes: readonly NodePlan[];
  /** How the nodes are one server; missing: there is one, on its own. */
  readonly cluster?: ClusterPlan;
  /** That it serves beside the one of every plan; missing: none. */
  readonly hosts?: readonly string[];
  readonly network: {
    readonly latencyMs: Range;
    /** Probability that a write is cut into pieces. */
    readonly cutChance: number;
    readonly windowBytes: number;
    /** More than this unsent is congestion; as the real network's, or lower. */
    readonly congestionMarkBytes: number;
    /** From the end of the set-up on, and the heal does not end it; missing: there is none. */
    readonly noise?: Noise | undefined;
  };
  readonly database: { readonly latencyMs: Range };
}

export interface NodePlan {
  readonly name: string;
  /** Where its monotonic clock stands at the start of the run. */
  readonly monotonicOrigin: number;
  /** Where its wall clock stands at the start of the run. */
  readonly wallOrigin: number;
  /** How much too fast both clocks run, in parts per million; missing: they are right. */
  readonly drift?: number;
  /** It is not there until a fault of kind `node-join` starts it. */
  readonly joins: boolean;
  /** Of which release its first process is; missing: of this one. */
  readonly release?: Release;
}

/** Where a node learns of the others: its configuration, the database, a name server, a file. */
export const discoveryKinds = ["static", "sql", "dns", "file"] as const;
export type DiscoveryKind = (typeof discoveryKinds)[number];

export interface ClusterPlan {
  readonly discovery: DiscoveryKind;
  readonly heartbeatInterval: number;
  readonly heartbeatTimeout: number;
  readonly linkGrace: number;
  readonly expireAfter: number;
  /** Bounds of links and tables, in bytes but for the log's; missing: production's. */
  readonly bounds?:
    | {
        readonly window: number;
        readonly queue: number;
        /** Of what is told of tables; missing: as many. */
        readonly tableQueue?: number;
        readonly fragment: number;
        /** Operations that a table remembers for those who come back. */
        readonly logOperations: number;
        readonly chunk: number;
        /** Chunks that are not acknowledged; missing: production's. */
        readonly syncWindow?: number;
        /** How long records of a peer that is gone are kept aside; missing: as long as production does. */
        readonly retention?: number;
        /** By how much what is told of tables may overtake stanzas; missing: by a window. */
        readonly overtaking?: number;
        /** How long after its start or the loss of a link a node looks often who else is there; missing: as in production. */
        readonly quickFor?: number;
        /** How long a request waits for a node that is out of sight; missing: as long as in production. */
        readonly requestPatience?: number;
      }
    | undefined;
}

/** Bounds of the server, mostly far below production's so that they are met. */
export interface Limits {
  readonly maxStanzaSize: number;
  readonly negotiationTimeout: number;
  readonly keepAliveInterval: number;
  readonly maxSendQueue: number;
  readonly sendTimeout: number;
  readonly maxSessionsPerUser: number;
  /** What a login to a name that is taken does; missing: it takes the name over. */
  readonly conflict?: "refuse_new" | "make_new_resource" | undefined;
  readonly maxAuthAttempts: number;
  readonly queryTimeout: number;
  /** Bytes a second that a node reads from one client; missing: as many as come. */
  readonly maxRate?: number | undefined;
  /** Of one address, and the milliseconds in which so many are forgotten; missing: as in production. */
  readonly failedLogins?: { readonly max: number; readonly period: number } | undefined;
}

/** RFC 6120 §8.1.2.1: its server checks that and stamps its own. */
export const stamps = ["bare", "full"] as const;
export type Stamp = (typeof stamps)[number];

/** Each is a listener of its own, but that some do without the TLS that one offers. */
export const doors = ["direct-tls", "optional-tls", "in-the-clear", "websocket"] as const;
export type Door = (typeof doors)[number];

/** Where it is listened: STARTTLS is required, offered, or not needed. */
export const listeners = {
  c2s: "starttls_required",
  "c2s-optional": "starttls",
  "c2s-tls": "tls",
} as const;
export type ListenerName = keyof typeof listeners | "wss";

export function listenerOf(door: Door | undefined): ListenerName {
  if (door === undefined) return "c2s";
  if (door === "websocket") return "wss";
  return door === "direct-tls" ? "c2s-tls" : "c2s-optional";
}

export const mechanisms = [
  "SCRAM-SHA-1",
  "SCRAM-SHA-256",
  "SCRAM-SHA-512",
  "PLAIN",
  "SCRAM-SHA-1-PLUS",
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-512-PLUS",
] as const;
export type Mechanism = (typeof mechanisms)[number];

/** The same, bound to the channel that it goes by (RFC 5802 §6), where a mechanism can be. */
export function boundToItsChannel(mechanism: Mechanism): Mechanism {
  return mechanisms.find((each) => each === `${mechanism}-PLUS`) ?? mechanism;
}

/** What the same client uses where there is no TLS: a password is not shown, nor is there a channel. */
export function unbound(mechanism: Mechanism): Mechanism {
  if (mechanism === "PLAIN") return "SCRAM-SHA-256";
  return mechanisms.find((each) => `${each}-PLUS` === mechanism) ?? mechanism;
}

export function bindsItsChannel({ mechanism }: Pick<ClientPlan, "mechanism">): boolean {
  return mechanism.endsWith("-PLUS");
}

export interface ClientPlan {
  /** Unique; faults aim at it, and traces show its logins as `name#1`, `name#2` … */
  readonly name: string;
  /** Where it may log in. The first is its home; it tries the next when a login comes to nothing. */
  readonly nodes: readonly string[];
  /** Picks any of its nodes for each login. */
  readonly roams: boolean;
  /** Its account (`addresses.ts`): a name, or `name@host`. */
  readonly user: string;
  /** Empty: the server shall choose. */
  readonly resource: string;
  readonly mechanism: Mechanism;
  /** How it comes in. Missing: where STARTTLS is required. */
  readonly door?: Door;
  readonly startAt: number;
  /** Sends what follows its success along with what it authenticates by. Missing: waits for each answer. */
  readonly pipelines?: boolean;
  /** Which of its addresses it stamps on what it sends, itself. Missing: none. */
  readonly stamp?: Stamp;
  /** Writes addresses and names otherwise than they are once prepared, each time anew. Missing: as they are. */
  readonly respells?: boolean;
  /** So much it asks at most, reading nothing, when it closes its stream; then it reads to the end. Missing: it only closes it. */
  readonly partsAsking?: number;
  readonly behaviour: Behaviour;
}

/** What a client says, and to whom. */
export interface Chat {
  readonly everyMs: Range;
  readonly peers: readonly string[];
  /** Of its messages; one of these, drawn for each. Missing: chat. */
  readonly types?: readonly MessageType[];
  /** How often it changes its priority instead of speaking. Missing: never, but for now and then. */
  readonly moods?: number;
  /** How often it becomes unavailable instead of speaking, until its next presence. Missing: never. */
  readonly absences?: number;
  /**
   * How often it asks a peer something instead of speaking; and it tells somebody of each new priority.
   * Missing: neither, but for now and then.
   */
  readonly asks?: number;
  /** How often it tells a peer of its presence instead of speaking (RFC 6121 §4.6). Missing: never. */
  readonly greets?: number;
  /** How many of the messages that it is given it answers by an error. Missing: none. */
  readonly declines?: number;
  /** How long it takes to answer what it is asked. Missing: no time. */
  readonly answersMs?: Range;
  /** Bytes of a message that it sends instead now and then. Missing: it is never so long-winded. */
  readonly longBytes?: number;
}

/** Not `error`: those only answer (RFC 6121 §5.2.2). */
export type MessageType = "chat" | "normal" | "headline" | "groupchat";

export type Behaviour =
  /** Sends something to one of its peers every so often; comes back when it is thrown out. */
  | ({ readonly kind: "chatter" } & Chat)
  /** A chatter whose host dies without a word now and then. */
  | (Chat & {
      readonly kind: "vanisher";
      readonly livesMs: Range;
      /** Silently (no RST), or does its kernel reset the connection? */
      readonly silent: boolean;
    })
  /** Logs out in order and in again, over and over. */
  | (Chat & { readonly kind: "reconnecter"; readonly livesMs: Range })
  /** Shares its full JID with another client; each login throws the other out. */
  | (Chat & { readonly kind: "rival" })
  /** Stops reading for a while, though others go on sending to it. */
  | { readonly kind: "non-reader"; readonly readsMs: Range; readonly pausesMs: Range }
  /** Floods the peers with larger messages. */
  | {
      readonly kind: "flooder";
      readonly everyMs: Range;
      readonly burst: number;
      readonly bytes: number;
      readonly peers: readonly string[];
    }
  /** Tries passwords that are wrong, or accounts that do not exist. */
  /** `insists`: on each stream, until the server has had enough. Missing: one guess a stream. `downgrades`: says now and then that no channel can be bound. */
  | {
      readonly kind: "impostor";
      readonly everyMs: Range;
      readonly insists?: boolean;
      readonly downgrades?: boolean;
    }
  /** Registers accounts in-band and logs in with them. */
  /** `removesAgain`: also those that are gone, by an operator or by a request that seemed to fail. Missing: asks once. */
  | { readonly kind: "registrar"; readonly everyMs: Range; readonly removesAgain?: boolean }
  /** Sends what no client may send, and looks at the answer. */
  | { readonly kind: "hostile"; readonly everyMs: Range; readonly attacks: readonly string[] };

export type BehaviourKind = Behaviour["kind"];

export type FaultKind =
  ClientFaultKind | DatabaseFaultKind | LinkFaultKind | NodeFaultKind | LookupFaultKind;

export const clientFaultKinds = [
  "reset",
  "reconnect-storm",
  "half-open",
  "latency",
  "bandwidth",
  "vanish",
  "stop-reading",
] as const;
export type ClientFaultKind = (typeof clientFaultKinds)[number];

export const databaseFaultKinds = [
  "database-down",
  "database-slow",
  "database-lost-before-commit",
  "database-lost-after-commit",
  "database-rejects",
  "database-exhausted",
  "database-cut",
] as const;
export type DatabaseFaultKind = (typeof databaseFaultKinds)[number];

/** Between nodes. */
export type LinkFaultKind =
  | "split"
  | "one-way-cut"
  | "bridge"
  | "ring"
  | "flapping"
  | "link-reset"
  | "link-half-open"
  | "link-latency"
  | "link-bandwidth";

export type NodeFaultKind =
  | "clock-jump"
  | "node-crash"
  | "node-restart"
  | "node-pause"
  | "node-slow"
  | "node-stop"
  | "node-join"
  | "rolling-upgrade"
  | "all-nodes-restart";

/** To names and files that list the nodes. */
export const lookupFaultKinds = [
  "dns-down",
  "dns-slow",
  "dns-stale",
  "dns-lacking",
  "file-gone",
  "file-half-written",
  "file-lacking",
] as const;
export type LookupFaultKind = (typeof lookupFaultKinds)[number];

export interface FaultPlan {
  readonly kind: FaultKind;
  /**
   * A client, a node, "database" or "all"; a path from one host to another `n1>n2`; a pair of them
   * `n1~n2`; groups of nodes `n1,n2|n3`; a ring of nodes `n1,n2,n3`.
   */
  readonly target: string;
  readonly startAt: number;
  /** Equal to `startAt` for what takes no time. */
  readonly endAt: number;
  /**
   * Extra latency, the clock's jump or a period, in milliseconds; bytes a second; a release; a variant;
   * else 0.
   */
  readonly amount: number;
}

/** Does this client keep to the protocol, so that no stream error may blame it? */
export function wellBehaved(client: ClientPlan): boolean {
  return client.behaviour.kind !== "hostile" && client.behaviour.kind !== "impostor";
}

/** What the cluster serves. */
export function servedHosts({ topology }: Pick<Plan, "topology">): readonly string[] {
  return [planHost, ...(topology.hosts ?? [])];
}

/** Accounts that exist before the run starts. */
export function accountsOf(plan: Plan): readonly string[] {
  const users = new Set<string>();
  for (const client of plan.clients) {
    if (client.behaviour.kind !== "registrar") users.add(client.user);
  }
  return [...users];
}

export function passwordOf(user: string): string {
  return `password of ${user}`;
}

export const nodesMax = 12;
