/**
 * Plan manners: how do the clients of a plan go about what they do, in some runs?
 *
 * What came to plans one after the other, each drawn from a stream of its own, so that it moves nothing else.
 */
import type { Profile } from "./profiles.ts";
import { stream, type Random } from "./kit/random.ts";
import { boundToItsChannel, stamps, wellBehaved, type ClientPlan } from "./plan.ts";
import { repeatedAttacks } from "./workloads/attacks.ts";

export function planManners(
  seed: number,
  profile: Profile,
  drawn: readonly ClientPlan[],
): readonly ClientPlan[] {
  let clients = planQuestions(stream(seed, "plan/questions"), profile, drawn);
  clients = planPipelining(stream(seed, "plan/pipelining"), profile, clients);
  clients = planRepeatedAttacks(stream(seed, "plan/repeated-attacks"), clients);
  clients = planChannelBinding(stream(seed, "plan/channel-binding"), profile, clients);
  clients = planStamps(stream(seed, "plan/stamps"), profile, clients);
  clients = planSpelling(stream(seed, "plan/spelling"), profile, clients);
  return planNotices(stream(seed, "plan/notices"), profile, clients);
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

/** In some runs some do not wait for what they know will come; not those whose logins must fail. */
function planPipelining(
  random: Random,
  { faults }: Profile,
  clients: readonly ClientPlan[],
): readonly ClientPlan[] {
  if (faults === false || !random.chance(0.5)) return clients;
  return clients.map((client) => {
    const pipelines = random.chance(0.4) && wellBehaved(client);
    return pipelines && client.behaviour.kind !== "registrar" ? { ...client, pipelines } : client;
  });
}

/** In some runs some bind their authentication to their channel. */
function planChannelBinding(
  random: Random,
  { faults }: Profile,
  clients: readonly ClientPlan[],
): readonly ClientPlan[] {
  if (faults === false || !random.chance(0.5)) return clients;
  return clients.map((client) =>
    random.chance(0.5) ? { ...client, mechanism: boundToItsChannel(client.mechanism) } : client,
  );
}

/** In some runs some say themselves from whom it is what they send. */
function planStamps(
  random: Random,
  { faults }: Profile,
  clients: readonly ClientPlan[],
): readonly ClientPlan[] {
  if (faults === false || !random.chance(0.4)) return clients;
  return clients.map((client) =>
    random.chance(0.4) ? { ...client, stamp: random.pick(stamps) } : client,
  );
}

/** In some runs some write addresses as people do. */
function planSpelling(
  random: Random,
  { faults }: Profile,
  clients: readonly ClientPlan[],
): readonly ClientPlan[] {
  if (faults === false || !random.chance(0.4)) return clients;
  return clients.map((client) => (random.chance(0.5) ? { ...client, respells: true } : client));
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
