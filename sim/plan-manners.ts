/**
 * Plan manners: how do the clients of a plan go about what they do, in some runs?
 *
 * What came to plans one after the other, each drawn from a stream of its own, so that it moves nothing else.
 */
import type { Profile } from "./profiles.ts";
import { choices, type Random } from "./kit/random.ts";
import { boundToItsChannel, doors, stamps, wellBehaved, type ClientPlan } from "./plan.ts";
import { attacksOverWebSocket, repeatedAttacks } from "./workloads/attacks.ts";

export function planManners(
  seed: number,
  profile: Profile,
  drawn: readonly ClientPlan[],
): readonly ClientPlan[] {
  const among = (
    purpose: string,
    shares: Shares,
    clients: readonly ClientPlan[],
    change: (client: ClientPlan, random: Random) => ClientPlan,
  ): readonly ClientPlan[] => {
    const random = choices(seed, `plan/${purpose}`);
    if (profile.faults === false || !random.chance(shares.runs)) return clients;
    return clients.map((client) =>
      random.chance(shares.clients) ? change(client, random) : client,
    );
  };
  let clients = planQuestions(choices(seed, "plan/questions"), profile, drawn);
  clients = among("pipelining", { runs: 0.5, clients: 0.4 }, clients, pipelining);
  clients = planRepeatedAttacks(choices(seed, "plan/repeated-attacks"), clients);
  clients = among("channel-binding", { runs: 0.5, clients: 0.5 }, clients, bindingItsChannel);
  clients = among("stamps", { runs: 0.4, clients: 0.4 }, clients, (client, random) => ({
    ...client,
    stamp: random.pick(stamps),
  }));
  clients = among("spelling", { runs: 0.4, clients: 0.5 }, clients, (client) => ({
    ...client,
    respells: true,
  }));
  clients = among("listeners-used", { runs: 0.4, clients: 0.5 }, clients, throughAnotherDoor);
  clients = among("parting", { runs: 0.5, clients: 0.8 }, clients, partingAsking);
  clients = among("removals", { runs: 0.5, clients: 1 }, clients, removingAgain);
  clients = among("channel-downgrades", { runs: 0.5, clients: 1 }, clients, downgrading);
  return planNotices(choices(seed, "plan/notices"), profile, clients);
}

/** A limit of what waits that several pieces fit in, and a line that holds one. */
const amongPieces = { maxSendQueue: 250_000, windowBytes: 65_536 };

/**
 * In some runs who seems not to read does, a window at a time and about as fast as it is flooded: what waits for it
 * never comes to an end, and is seldom more than the limit.
 */
export function planSlowReaders(
  random: Random,
  { faults, slower }: Profile,
  clients: readonly ClientPlan[],
): { readonly clients: readonly ClientPlan[] } & Partial<typeof amongPieces> {
  const all = clients.map(({ behaviour }) => behaviour.kind);
  const readers = all.filter((kind) => kind === "non-reader").length;
  const flooders = all.filter((kind) => kind === "flooder").length;
  // Who is flooded as seldom as in a long run has nothing waiting.
  if (faults === false || slower !== undefined) return { clients };
  if (!random.chance(0.35) || readers * flooders === 0) return { clients };
  const pauseMs = Math.round((random.pick([600, 1_000, 1_500]) * readers) / flooders);
  const slow = clients.map((client): ClientPlan => {
    const { partsAsking: _, ...others } = client;
    const { behaviour } = client;
    if (behaviour.kind === "flooder") {
      return { ...client, behaviour: { ...behaviour, bytes: 1_000 } };
    }
    if (behaviour.kind !== "non-reader") return client;
    const pausesMs = [pauseMs >> 1, pauseMs] as const;
    return { ...others, behaviour: { ...behaviour, readsMs: [1, 2], pausesMs } };
  });
  return { clients: slow, ...amongPieces };
}

/** What is asked must be answered whatever happens meanwhile: in some runs much is, and answers take time. */
function planQuestions(
  random: Random,
  { asks: shares = [0] }: Profile,
  clients: readonly ClientPlan[],
): readonly ClientPlan[] {
  const asks = random.pick(shares);
  const answersMs = random.pick([
    [0, 3_000],
    [0, 12_000],
    [0, 12_000],
  ] as const);
  if (asks === 0) return clients;
  return clients.map((client) => {
    const { behaviour } = client;
    if (!("peers" in behaviour) || behaviour.kind === "flooder") return client;
    return { ...client, behaviour: { ...behaviour, asks, answersMs } };
  });
}

/** In this share of the runs with faults, and of their clients. */
interface Shares {
  readonly runs: number;
  readonly clients: number;
}

/** They do not wait for what they know will come; not those whose logins must fail. */
function pipelining(client: ClientPlan): ClientPlan {
  const may = wellBehaved(client) && client.behaviour.kind !== "registrar";
  return may ? { ...client, pipelines: true } : client;
}

/** Not who must be refused in the clear, where that is refused to nobody at some doors. */
function throughAnotherDoor(client: ClientPlan, random: Random): ClientPlan {
  const { behaviour } = client;
  if (wellBehaved(client)) return { ...client, door: random.pick(doors) };
  const door = random.pick(["direct-tls", "websocket"] as const);
  if (behaviour.kind !== "hostile" || door !== "websocket") return { ...client, door };
  const attacks = random.shuffle(attacksOverWebSocket);
  return { ...client, door, behaviour: { ...behaviour, attacks } };
}

/** So much that answers wait where a connection holds little. */
function partingAsking(client: ClientPlan, random: Random): ClientPlan {
  const partsAsking = random.pick([40, 200]);
  const { kind } = client.behaviour;
  const may = kind === "reconnecter" || kind === "non-reader";
  return may ? { ...client, partsAsking } : client;
}

function removingAgain(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (behaviour.kind !== "registrar") return client;
  return { ...client, behaviour: { ...behaviour, removesAgain: true } };
}

function downgrading(client: ClientPlan): ClientPlan {
  const { behaviour } = client;
  if (behaviour.kind !== "impostor") return client;
  return { ...client, behaviour: { ...behaviour, downgrades: true } };
}

function bindingItsChannel(client: ClientPlan): ClientPlan {
  return { ...client, mechanism: boundToItsChannel(client.mechanism) };
}

/** In some runs many tell one another of their presence, or will not have what they are sent. */
function planNotices(
  random: Random,
  { faults }: Profile,
  clients: readonly ClientPlan[],
): readonly ClientPlan[] {
  if (faults === false || !random.chance(0.5)) return clients;
  const notices = { greets: random.pick([0.05, 0.2]), declines: random.pick([0, 0.02, 0.1]) };
  return clients.map((client) => {
    const { behaviour } = client;
    if (!("peers" in behaviour) || behaviour.kind === "flooder") return client;
    return { ...client, behaviour: { ...behaviour, ...notices } };
  });
}

/** Half of the hostile try these, too, soon enough to see what comes of them. */
function planRepeatedAttacks(
  random: Random,
  clients: readonly ClientPlan[],
): readonly ClientPlan[] {
  return clients.map((client) => {
    const { behaviour } = client;
    if (behaviour.kind !== "hostile" || random.chance(0.5)) return client;
    const attacks = behaviour.attacks.toSpliced(random.int(4), 0, ...repeatedAttacks);
    return { ...client, behaviour: { ...behaviour, attacks } };
  });
}
