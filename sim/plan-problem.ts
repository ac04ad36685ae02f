/**
 * Plan problem: what is wrong with a plan that was edited, by hand or by the shrinker?
 *
 * A plan is run as it stands, so a misspelt kind of fault, a time that is a text or a node that does not
 * exist must be refused here with its place: later it would be a crash, a run without end, or worse, a run
 * in which the edit did nothing. Nor may it break what oracles rely on in every plan: then sound code would fail.
 */
import { accountAt, hostOf, nameOf, planHost, unknownHost } from "./addresses.ts";
import { faultKinds, goneForGood, misfit } from "./faults/index.ts";
import { lossMax } from "./kit/fabric.ts";
import { hostsOf } from "./kit/paths.ts";
import {
  discoveryKinds,
  doors,
  mechanisms,
  nodesMax,
  planVersion,
  servedHosts,
  stamps,
  type Behaviour,
  type BehaviourKind,
  type Chat,
  type ClientPlan,
  type ClusterPlan,
  type FaultPlan,
  type Limits,
  type NodePlan,
  type Plan,
  type Topology,
} from "./plan.ts";
import { releasesThatMeet } from "./releases/releases.ts";
import { attackNames } from "./workloads/attacks.ts";

/** What is wrong with the value that stands at `where`; undefined: nothing. */
type Check = (value: unknown, where: string) => string | undefined;

/** A check of every field that there is, so that a new one cannot be forgotten here. */
type Fields<T> = { readonly [K in keyof Required<T>]: Check };

/** Says what is wrong first; undefined: the plan can be run. */
export function planProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "a plan is a JSON object";
  const { version } = value as Partial<Plan>;
  if ((version as unknown) !== planVersion) {
    const hint =
      (version as unknown) === 1 ? ": make it anew from its seed, or add what version 2 has" : "";
    return `this code runs plans of version ${planVersion}, not ${String(version)}${hint}`;
  }
  return wholePlan(value, "") ?? strangerIn(value as Plan);
}

/** Do the parts of a plan speak of each other's names? */
function strangerIn({ topology, limits, clients, faults, duration }: Plan): string | undefined {
  if (topology.nodes.length > 1 && topology.cluster === undefined) {
    return "`topology.cluster` is missing: several nodes are a cluster";
  }
  const { heartbeatInterval = 0, heartbeatTimeout = 0 } = topology.cluster ?? {};
  if (heartbeatTimeout < 2 * heartbeatInterval) {
    return "`topology.cluster.heartbeatTimeout` must be twice the interval or more";
  }
  const nodes = topology.nodes.map(({ name }) => name);
  const hosts = servedHosts({ topology });
  const odd = (topology.hosts ?? []).find(
    (host, index) => hosts.indexOf(host) !== index + 1 || host === unknownHost,
  );
  if (odd !== undefined) {
    return `\`topology.hosts\`: "${odd}" is there twice, or is one that nobody serves`;
  }
  const names = [...nodes, ...clients.map(({ name }) => name)];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return `two nodes or clients are called "${twice}"`;
  for (const [index, client] of clients.entries()) {
    const lost = client.nodes.find((name) => !nodes.includes(name));
    if (lost !== undefined) return `\`clients[${index}].nodes\`: there is no node "${lost}"`;
    if (!hosts.includes(hostOf(client.user))) {
      return `\`clients[${index}].user\`: there is no host "${hostOf(client.user)}"`;
    }
    if (client.user !== accountAt(nameOf(client.user), hostOf(client.user))) {
      return `\`clients[${index}].user\`: at ${planHost} an account is called by its name alone`;
    }
  }
  if (topology.nodes.every(({ joins }) => joins)) {
    return "`topology.nodes`: all of them join later, so nobody is there from the start";
  }
  return (
    homelessIn(topology, clients, goneForGood(faults)) ??
    contestedIn(clients) ??
    longWindedIn(clients, limits) ??
    strangerAmongFaults({ topology, clients, faults, duration })
  );
}

function strangerAmongFaults({
  topology: { nodes, cluster },
  clients,
  faults,
  duration,
}: Pick<Plan, "topology" | "clients" | "faults" | "duration">): string | undefined {
  const known = new Set([...nodes, ...clients].map(({ name }) => name)).add("database").add("all");
  const heal = duration.setUp + duration.safety;
  for (const [index, fault] of faults.entries()) {
    const { target, startAt, endAt } = fault;
    const lost = hostsOf(target).find((name) => !known.has(name));
    if (lost !== undefined) {
      return `\`faults[${index}].target\`: there is no node or client "${lost}"`;
    }
    const unfit = misfit(fault, { nodes, clients, discovery: cluster?.discovery });
    if (unfit !== undefined) return `\`faults[${index}]\`: ${unfit}`;
    if (endAt < startAt) return `\`faults[${index}]\` ends before it starts`;
    if (startAt > heal) {
      return `\`faults[${index}]\` starts after the heal: that is at ${heal} ms, setUp + safety`;
    }
  }
  return undefined;
}

/** Somebody must be there at the end, for every client. */
function homelessIn(
  { nodes }: Topology,
  clients: readonly ClientPlan[],
  gone: ReadonlySet<string>,
): string | undefined {
  if (nodes.every(({ name }) => gone.has(name))) return "`faults`: all nodes go for good";
  const index = clients.findIndex((client) => client.nodes.every((name) => gone.has(name)));
  return index < 0 ? undefined : `\`clients[${index}].nodes\`: by \`faults\` they all go for good`;
}

/** Who is thrown out comes back; only of rivals do the oracles know that this never ends. */
function contestedIn(clients: readonly ClientPlan[]): string | undefined {
  const owners = new Map<string, ClientPlan>();
  for (const client of clients) {
    if (client.resource === "" || client.behaviour.kind === "registrar") continue;
    const jid = `${client.user}/${client.resource}`;
    const owner = owners.get(jid);
    owners.set(jid, client);
    if (owner === undefined) continue;
    const peaceful = [owner, client].find(({ behaviour }) => behaviour.kind !== "rival");
    if (peaceful === undefined) continue;
    return `"${owner.name}" and "${client.name}" are both ${jid}: for that both must be rivals`;
  }
  return undefined;
}

/** Of a message, around its body. */
const envelopeBytes = 1_000;

/** Who keeps to the protocol says nothing that its node may not take. */
function longWindedIn(
  clients: readonly ClientPlan[],
  { maxStanzaSize }: Limits,
): string | undefined {
  const mostBytes = maxStanzaSize - envelopeBytes;
  const index = clients.findIndex(({ behaviour }) => {
    if (behaviour.kind === "flooder") return behaviour.bytes > mostBytes;
    return "longBytes" in behaviour && (behaviour.longBytes ?? 0) > mostBytes;
  });
  if (index < 0) return undefined;
  return `\`clients[${index}].behaviour\`: \`limits.maxStanzaSize\` is for messages of ${mostBytes} bytes`;
}

// --- values

const text: Check = (value, where) =>
  typeof value === "string" ? undefined : wrong(where, "a text", value);

const flag: Check = (value, where) =>
  typeof value === "boolean" ? undefined : wrong(where, "true or false", value);

const anything: Check = () => undefined;

function number(min: number, max: number, what: string): Check {
  return (value, where) =>
    typeof value === "number" && value >= min && value <= max
      ? undefined
      : wrong(where, what, value);
}

const chance = number(0, 1, "a number from 0 to 1");

function integer(min: number, what = `an integer, ${min} or more`): Check {
  return (value, where) =>
    Number.isSafeInteger(value) && (value as number) >= min ? undefined : wrong(where, what, value);
}

const count = integer(0);
const some = integer(1);

function every(min: number, max: number): Check {
  const atMost = number(min, max, `at most ${max} ms`);
  return (value, where) => integer(min)(value, where) ?? atMost(value, where);
}

/** More often costs more than the run, more seldom sees nothing. */
const looks = every(100, 10_000);
/** Who finds out later that its server is dead does not come back in time. */
const clientSigns = every(1_000, 20_000);

/** Of milliseconds. */
function lasting(least: number): Check {
  return integer(least, `an integer of milliseconds, ${least} or more`);
}

const time = lasting(0);
const amount = integer(-Number.MAX_SAFE_INTEGER, "an integer");

function oneOf(choices: readonly (string | number)[]): Check {
  return (value, where) =>
    (choices as readonly unknown[]).includes(value)
      ? undefined
      : wrong(where, `one of ${choices.join(", ")}`, value);
}

/** As far as integers are drawn (kit/random.ts). */
const rangeMax = 2 ** 31 - 1;

/** `[low, high]`; of what follows itself over and over at least 1, or time would stand still. */
function range(least: number): Check {
  return (value, where) => {
    const ends = Array.isArray(value) && value.length === 2 ? (value as number[]) : [];
    const [low = NaN, high = NaN] = ends;
    const whole = ends.every(Number.isSafeInteger);
    if (whole && least <= low && low <= high && high <= rangeMax) return undefined;
    return wrong(where, `[low, high] in whole milliseconds, ${least} or more`, value);
  };
}

function list(item: Check, least = 0): Check {
  return (value, where) => {
    if (!Array.isArray(value) || value.length < least) {
      return wrong(where, least === 0 ? "a list" : `a list of at least ${least}`, value);
    }
    return firstOf(value.map((each, index) => () => item(each, `${where}[${index}]`)));
  };
}

/** May be missing. */
function optional(check: Check): Check {
  return (value, where) => (value === undefined ? undefined : check(value, where));
}

/** Fields that are not named here are refused: they are misspelt, or of other code. */
function record<T>(fields: Fields<T>): Check {
  return (value, where) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return wrong(where, "an object", value);
    }
    const unknown = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
    if (unknown !== undefined) return `\`${join(where, unknown)}\` is nothing that a plan has`;
    return firstOf(
      Object.entries<Check>(fields).map(
        ([name, check]) =>
          () =>
            check((value as Readonly<Record<string, unknown>>)[name], join(where, name)),
      ),
    );
  };
}

function firstOf(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check();
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function join(where: string, name: string): string {
  return where === "" ? name : `${where}.${name}`;
}

function wrong(where: string, what: string, value: unknown): string {
  if (value === undefined) return `\`${where}\` is missing: it is ${what}`;
  const shown = JSON.stringify(value);
  const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
  return `\`${where}\` must be ${what}, not ${short}`;
}

// --- the parts of a plan

const duration = record<Plan["duration"]>({ setUp: time, safety: time, liveness: time });

const node = record<NodePlan>({
  name: text,
  monotonicOrigin: time,
  wallOrigin: time,
  drift: optional(integer(-999_999, "an integer of parts per million, above -1000000")),
  joins: flag,
  release: optional(oneOf(releasesThatMeet)),
});

/** With less than these, here and in `limits`, sound code does not get by, or not in time. */
const cluster = record<ClusterPlan>({
  discovery: oneOf(discoveryKinds),
  heartbeatInterval: lasting(100),
  heartbeatTimeout: lasting(300),
  linkGrace: time,
  expireAfter: lasting(10_000),
  bounds: optional(
    record<NonNullable<ClusterPlan["bounds"]>>({
      window: integer(512),
      queue: integer(4_096),
      tableQueue: optional(some),
      fragment: integer(16),
      logOperations: count,
      chunk: some,
      syncWindow: optional(some),
      retention: optional(time),
      requestPatience: optional(lasting(1)),
      quickFor: optional(time),
      overtaking: optional(count),
    }),
  ),
});

const network = record<Topology["network"]>({
  latencyMs: range(0),
  cutChance: chance,
  windowBytes: integer(256),
  congestionMarkBytes: count,
  noise: optional(
    record<NonNullable<Topology["network"]["noise"]>>({
      loss: number(0, lossMax, `a number from 0 to ${lossMax}`),
      latencyMs: time,
    }),
  ),
});

const nodes: Check = (value, where) =>
  Array.isArray(value) && value.length > nodesMax
    ? `\`${where}\` must name 1 to ${nodesMax} nodes`
    : list(node, 1)(value, where);

const topology = record<Topology>({
  nodes,
  cluster: optional(cluster),
  hosts: optional(list(text)),
  network,
  database: record<Topology["database"]>({ latencyMs: range(0) }),
});

const limits = record<Limits>({
  maxStanzaSize: integer(4_096),
  negotiationTimeout: lasting(5_000),
  keepAliveInterval: lasting(1_000),
  maxSendQueue: some,
  sendTimeout: lasting(1_000),
  maxSessionsPerUser: some,
  conflict: optional(oneOf(["refuse_new", "make_new_resource"])),
  maxAuthAttempts: integer(2),
  queryTimeout: lasting(200),
  maxRate: optional(integer(10_000)),
  failedLogins: optional(
    record<NonNullable<Limits["failedLogins"]>>({ max: some, period: lasting(1_000) }),
  ),
});

const chat: Fields<Chat> = {
  everyMs: range(1),
  peers: list(text),
  types: optional(list(oneOf(["chat", "normal", "headline", "groupchat"]), 1)),
  moods: optional(chance),
  absences: optional(chance),
  asks: optional(chance),
  greets: optional(chance),
  declines: optional(chance),
  answersMs: optional(range(0)),
  longBytes: optional(count),
};

type FieldsOf<K extends BehaviourKind> = Fields<Omit<Extract<Behaviour, { kind: K }>, "kind">>;

const behaviours: { readonly [K in BehaviourKind]: FieldsOf<K> } = {
  chatter: chat,
  vanisher: { ...chat, livesMs: range(1), silent: flag },
  reconnecter: { ...chat, livesMs: range(1) },
  rival: chat,
  "non-reader": { readsMs: range(1), pausesMs: range(1) },
  flooder: { everyMs: range(1), burst: some, bytes: count, peers: list(text, 1) },
  impostor: { everyMs: range(1), insists: optional(flag), downgrades: optional(flag) },
  registrar: { everyMs: range(1), removesAgain: optional(flag) },
  hostile: { everyMs: range(1), attacks: list(oneOf(attackNames), 1) },
};

const behaviour: Check = (value, where) => {
  const kind = (value as Partial<Behaviour> | null | undefined)?.kind;
  const known = oneOf(Object.keys(behaviours))(kind, `${where}.kind`);
  if (known !== undefined || kind === undefined) return known;
  return record<Behaviour>({ kind: text, ...behaviours[kind] })(value, where);
};

const client = record<ClientPlan>({
  name: text,
  nodes: list(text, 1),
  roams: flag,
  user: text,
  resource: text,
  mechanism: oneOf(mechanisms),
  startAt: time,
  pipelines: optional(flag),
  door: optional(oneOf(doors)),
  stamp: optional(oneOf(stamps)),
  respells: optional(flag),
  partsAsking: optional(count),
  behaviour,
});

const fault = record<FaultPlan>({
  kind: oneOf(faultKinds),
  target: text,
  startAt: time,
  endAt: time,
  amount,
});

const wholePlan = record<Plan & { readonly about?: unknown }>({
  version: anything,
  about: optional(anything),
  seed: integer(-Number.MAX_SAFE_INTEGER, "an integer"),
  topology,
  limits,
  clients: list(client),
  faults: list(fault),
  looksEveryMs: optional(looks),
  clientSignsMs: optional(clientSigns),
  steady: optional(flag),
  duration,
});
