/** Shrink parts: a plan with fewer faults, clients or nodes, or with simpler clients, and still sound. */
import { misfit } from "./faults/index.ts";
import { hostsOf, pairOf, pathOf } from "./kit/paths.ts";
import { atOneHost } from "./plan-hosts.ts";
import { addressOf, userOf } from "./addresses.ts";
import type { Behaviour, ClientPlan, FaultPlan, Plan, Range } from "./plan.ts";

export function keepFaults(plan: Plan, indices: readonly number[]): Plan {
  return { ...plan, faults: picked(plan.faults, indices) };
}

/** Faults that aim at a client go with it. */
export function keepClients(plan: Plan, indices: readonly number[]): Plan {
  const clients = picked(plan.clients, indices);
  const gone = new Set(plan.clients.map(({ name }) => name));
  for (const { name } of clients) gone.delete(name);
  const faults = plan.faults.filter(({ target }) =>
    hostsOf(target).every((host) => !gone.has(host)),
  );
  return { ...plan, clients, faults };
}

/** Its clients go elsewhere, and faults that make no sense without it are dropped. */
export function withoutNode(plan: Plan, name: string): Plan {
  const { cluster, ...topology } = plan.topology;
  const nodes = topology.nodes.filter((node) => node.name !== name);
  // Somebody must be there from the start.
  if (nodes.every((node) => node.joins)) nodes.splice(0, 1, { ...first(nodes), joins: false });
  const names = nodes.map((node) => node.name);
  const clients = plan.clients.map((client): ClientPlan => {
    const kept = client.nodes.filter((node) => node !== name);
    return { ...client, nodes: kept.length === 0 ? names : kept };
  });
  const faults = plan.faults.flatMap((fault): FaultPlan[] => {
    const target = targetWithout(fault.target, name);
    return target === undefined ? [] : [{ ...fault, target }];
  });
  const several = names.length > 1 && cluster !== undefined;
  return withoutMisfits({
    ...plan,
    topology: { ...topology, nodes, ...(several ? { cluster } : {}) },
    clients,
    faults,
  });
}

/** Faults that there is nothing for any more are dropped. */
export function withoutMisfits(plan: Plan): Plan {
  const { topology, clients } = plan;
  const discovery = topology.cluster?.discovery;
  const setting = { nodes: topology.nodes, clients, discovery };
  const faults = plan.faults.filter((fault) => misfit(fault, setting) === undefined);
  return { ...plan, faults };
}

/** One step each: all of them at once, then one after the other. */
export function simplerClients(plan: Plan): readonly Plan[] {
  const users = new Set(plan.clients.map(({ user }) => user));
  const steps = [
    asChatter,
    silently,
    seldom,
    halfAsOften,
    inOneWay,
    briefly,
    inSmallBursts,
    atOneNode,
    plainly,
    patiently,
    withoutStamp,
    throughTheUsualDoor,
    asPrepared,
    withoutQuestions,
    removingOnce,
    withoutDowngrades,
    atOnce,
    saysLessTo(users),
    withPeers(firstHalf),
    withPeers(secondHalf),
    withAttacks(firstHalf),
    withAttacks(secondHalf),
  ];
  const candidates: Plan[] = [...withOneHost(plan), ...asPhones(plan)];
  for (const step of steps) {
    const all = plan.clients.map(step);
    const changed = all.filter((client, index) => client !== plan.clients[index]).length;
    if (changed > 1) candidates.push({ ...plan, clients: all });
    all.forEach((client, index) => {
      if (client === plan.clients[index]) return;
      candidates.push({ ...plan, clients: plan.clients.with(index, client) });
    });
  }
  return candidates;
}

/** Where that makes two of one name, `planProblem` says so. */
function withOneHost(plan: Plan): readonly Plan[] {
  const { hosts, ...topology } = plan.topology;
  return hosts === undefined ? [] : [{ ...plan, topology, clients: atOneHost(plan.clients) }];
}

/** A rival only once it has lost its rival: `planProblem` says so. */
function asChatter(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (behaviour.kind === "chatter") return client;
  const everyMs = "everyMs" in behaviour ? behaviour.everyMs : ([1_000, 5_000] as const);
  const peers = "peers" in behaviour ? behaviour.peers : [];
  return { ...client, behaviour: { kind: "chatter", everyMs, peers } };
}

/** Longer than any run: its first deed is its last. */
const neverMs: Range = [3_600_000, 3_600_000];

function silently(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (!("everyMs" in behaviour) || behaviour.everyMs[0] >= neverMs[0]) return client;
  const changed: Behaviour = { ...behaviour, everyMs: neverMs };
  return { ...client, behaviour: changed };
}

const seldomMs: Range = [8_000, 12_000];

function seldom(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (!("everyMs" in behaviour) || behaviour.everyMs[0] >= seldomMs[0]) return client;
  const changed: Behaviour = { ...behaviour, everyMs: seldomMs };
  return { ...client, behaviour: changed };
}

const hurriedMs: Range = [100, 500];

/** Whoever does anything at all does it soon, and again. */
export function hurriedClients(plan: Plan): Plan {
  const clients = plan.clients.map((client) => {
    const { behaviour } = client;
    if (!("everyMs" in behaviour)) return client;
    const [low, high] = behaviour.everyMs;
    if (low >= neverMs[0] || high <= hurriedMs[1]) return client;
    const changed: Behaviour = { ...behaviour, everyMs: hurriedMs };
    return { ...client, behaviour: changed };
  });
  return clients.every((client, index) => client === plan.clients[index])
    ? plan
    : { ...plan, clients };
}

function halfAsOften(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (!("everyMs" in behaviour) || behaviour.everyMs[0] >= seldomMs[0]) return client;
  const [low, high] = behaviour.everyMs;
  const changed: Behaviour = { ...behaviour, everyMs: [2 * low, 2 * high] };
  return { ...client, behaviour: changed };
}

/** Always the same type of message, and available all the time. */
function inOneWay(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (!("moods" in behaviour || "absences" in behaviour || "types" in behaviour)) return client;
  const { moods: _moods, absences: _absences, types: _types, ...changed } = behaviour;
  return { ...client, behaviour: changed };
}

/** Nothing but short messages and questions, and it takes what it is given. */
function briefly(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (!("greets" in behaviour || "declines" in behaviour || "longBytes" in behaviour))
    return client;
  const { greets: _greets, declines: _declines, longBytes: _longBytes, ...changed } = behaviour;
  return { ...client, behaviour: changed };
}

function inSmallBursts(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (behaviour.kind !== "flooder" || behaviour.burst < 2) return client;
  return { ...client, behaviour: { ...behaviour, burst: behaviour.burst >> 1 } };
}

function atOneNode(client: ClientPlan): ClientPlan {
  const { nodes, roams } = client;
  if (nodes.length < 2 && !roams) return client;
  return { ...client, nodes: nodes.slice(0, 1), roams: false };
}

/** All at once, then each: whoever has its account for itself. Those who write to it do so still. */
function asPhones(plan: Plan): readonly Plan[] {
  const others = plan.clients.filter(
    ({ user, resource }) =>
      resource !== "phone" && plan.clients.filter((each) => each.user === user).length === 1,
  );
  const choices = others.length > 1 ? [others, ...others.map((each) => [each])] : [others];
  return others.length === 0 ? [] : choices.map((chosen) => withPhones(plan, chosen));
}

function withPhones(plan: Plan, chosen: readonly ClientPlan[]): Plan {
  const renamed = new Map(
    chosen.map(({ user, resource }) => [addressOf(user, resource), addressOf(user, "phone")]),
  );
  const clients = plan.clients.map((client): ClientPlan => {
    const { behaviour } = client;
    const named = chosen.includes(client) ? { ...client, resource: "phone" } : client;
    if (!("peers" in behaviour)) return named;
    const peers = behaviour.peers.map((peer) => renamed.get(peer) ?? peer);
    const changed: Behaviour = { ...behaviour, peers };
    return { ...named, behaviour: changed };
  });
  return { ...plan, clients };
}

function plainly(client: ClientPlan): ClientPlan {
  return client.mechanism === "PLAIN" ? client : { ...client, mechanism: "PLAIN" };
}

function patiently(client: ClientPlan): ClientPlan {
  const { pipelines, ...waiting } = client;
  return pipelines === undefined ? client : waiting;
}

function withoutStamp(client: ClientPlan): ClientPlan {
  const { stamp, ...others } = client;
  return stamp === undefined ? client : others;
}

function throughTheUsualDoor(client: ClientPlan): ClientPlan {
  const { door, ...others } = client;
  return door === undefined ? client : others;
}

function asPrepared(client: ClientPlan): ClientPlan {
  const { respells, ...others } = client;
  return respells === undefined ? client : others;
}

function withoutQuestions(client: ClientPlan): ClientPlan {
  const { partsAsking, ...others } = client;
  return partsAsking === undefined ? client : others;
}

function removingOnce(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (behaviour.kind !== "registrar" || behaviour.removesAgain === undefined) return client;
  const { removesAgain: _, ...others } = behaviour;
  return { ...client, behaviour: others };
}

function withoutDowngrades(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (behaviour.kind !== "impostor" || behaviour.downgrades === undefined) return client;
  const { downgrades: _, ...others } = behaviour;
  return { ...client, behaviour: others };
}

function atOnce(client: ClientPlan): ClientPlan {
  return client.startAt === 0 ? client : { ...client, startAt: 0 };
}

type Choice = (list: readonly string[]) => readonly string[];

/** Not to those who are no longer there. */
function saysLessTo(users: ReadonlySet<string>): (client: ClientPlan) => ClientPlan {
  return withPeers((peers) => peers.filter((peer) => users.has(userOf(peer))));
}

function firstHalf(list: readonly string[]): readonly string[] {
  return list.slice(0, list.length >> 1);
}

function secondHalf(list: readonly string[]): readonly string[] {
  return list.slice(list.length >> 1);
}

/** A flooder has somebody to flood. */
function withPeers(choice: Choice): (client: ClientPlan) => ClientPlan {
  return (client) => {
    const { behaviour } = client;
    if (!("peers" in behaviour)) return client;
    const peers = choice(behaviour.peers);
    const tooFew = behaviour.kind === "flooder" && peers.length === 0;
    if (tooFew || peers.length === behaviour.peers.length) return client;
    const changed: Behaviour = { ...behaviour, peers };
    return { ...client, behaviour: changed };
  };
}

/** At least one attack is left: an enemy without any is none. */
function withAttacks(choice: Choice): (client: ClientPlan) => ClientPlan {
  return (client) => {
    const { behaviour } = client;
    if (behaviour.kind !== "hostile" || behaviour.attacks.length < 2) return client;
    return { ...client, behaviour: { ...behaviour, attacks: choice(behaviour.attacks) } };
  };
}

/** Undefined where nothing is left to aim at. See kit/paths.ts for what targets look like. */
function targetWithout(target: string, name: string): string | undefined {
  if (target === name) return undefined;
  if (target.includes(">")) return pathOf(target).includes(name) ? undefined : target;
  if (target.includes("~")) return pairOf(target).includes(name) ? undefined : target;
  if (!target.includes("|") && !target.includes(",")) return target;
  const groups = target
    .split("|")
    .map((group) => group.split(",").filter((node) => node !== name))
    .filter((group) => group.length > 0);
  const tooFew = target.includes("|") ? groups.length < 2 : groups.flat().length < 2;
  if (tooFew) return undefined;
  return groups.map((group) => group.join(",")).join("|");
}

function picked<T>(items: readonly T[], indices: readonly number[]): T[] {
  return indices.flatMap((index) => items.slice(index, index + 1));
}

function first<T>(items: readonly T[]): T {
  return items[0] as T;
}
