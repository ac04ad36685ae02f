/**
 * Plan hosts: who has an account at another host that the cluster serves, in some runs?
 *
 * Some keep their name there, some have the name and the resource of a client that stayed, so that two JIDs differ
 * by nothing but the host. Whoever wrote to them does so still; some also write to the name of a peer at another
 * host, or to a host that nobody serves. Drawn from a stream of its own, as all that came to plans later.
 */
import {
  accountAt,
  addressOf,
  domainOf,
  hostOf,
  nameOf,
  otherHosts,
  planHost,
  unknownHost,
  userOf,
} from "./addresses.ts";
import type { Random } from "./kit/random.ts";
import type { ClientPlan, Topology } from "./plan.ts";
import type { Profile } from "./profiles.ts";

export interface Housed extends Pick<Topology, "hosts"> {
  readonly clients: readonly ClientPlan[];
}

export function planHosts(
  random: Random,
  { faults }: Profile,
  clients: readonly ClientPlan[],
): Housed {
  if (faults === false || !random.chance(0.4)) return { clients };
  const hosts = random.pick([otherHosts, otherHosts.slice(0, 1), otherHosts.slice(1)] as const);
  const moved = withMoved(random, hosts, clients);
  const all = [planHost, ...hosts];
  const moves = movesOf(clients, moved);
  return {
    hosts,
    clients: moved.map((client) =>
      withPeers(client, (peers) => spread(random, all, readdressed(random, moves, peers))),
    ),
  };
}

/** Rivals go together: they would be none at two hosts. */
function withMoved(
  random: Random,
  hosts: readonly string[],
  clients: readonly ClientPlan[],
): readonly ClientPlan[] {
  const homes = new Map<string, string>();
  const goesTo = clients.map(({ name, user, behaviour }) => {
    const together = behaviour.kind === "rival" ? user : name;
    const home = homes.get(together) ?? (random.chance(0.4) ? random.pick(hosts) : planHost);
    homes.set(together, home);
    return home;
  });
  const stayed = clients.filter((_, index) => goesTo[index] === planHost);
  const taken = new Set<string>();
  return clients.map((client, index) => {
    const home = goesTo[index] ?? planHost;
    if (home === planHost) return client;
    const moved = { ...client, user: accountAt(client.user, home) };
    const { kind } = client.behaviour;
    const twins = stayed.filter(({ behaviour }) => {
      // What a registrar's accounts are called it makes of its own; nobody else has those.
      return (
        behaviour.kind !== "rival" && (behaviour.kind === "registrar") === (kind === "registrar")
      );
    });
    // A hermit, to whom nobody writes, has no resource.
    const alone = kind === "rival" || client.resource === "";
    if (alone || twins.length === 0 || random.chance(0.4)) return moved;
    const { user, resource } = random.pick(twins);
    const twin = { ...moved, user: accountAt(user, home), resource };
    const jid = addressOf(twin.user, twin.resource);
    if (taken.has(jid)) return moved;
    taken.add(jid);
    return twin;
  });
}

/** Where those are now who had an address; who has several homes at one address is written to at one of them. */
function movesOf(
  before: readonly ClientPlan[],
  after: readonly ClientPlan[],
): ReadonlyMap<string, readonly string[]> {
  const moves = new Map<string, string[]>();
  for (const [index, { user, resource }] of before.entries()) {
    const now = after[index] ?? { user, resource };
    for (const part of new Set(["", resource])) {
      const address = addressOf(user, part);
      const homes = moves.get(address) ?? [];
      homes.push(addressOf(now.user, part === "" ? "" : now.resource));
      moves.set(address, homes);
    }
  }
  return moves;
}

function readdressed(
  random: Random,
  moves: ReadonlyMap<string, readonly string[]>,
  peers: readonly string[],
): readonly string[] {
  return peers.map((peer) => {
    const homes = moves.get(peer);
    return homes === undefined ? peer : random.pick(homes);
  });
}

/** To some names at the wrong host, too: mostly there is nobody, or somebody else of the same name. */
function spread(
  random: Random,
  hosts: readonly string[],
  peers: readonly string[],
): readonly string[] {
  if (peers.length === 0) return peers;
  const more: string[] = [];
  if (random.chance(0.5)) {
    const peer = random.pick(peers);
    const host = random.pick(hosts.filter((each) => each !== domainOf(peer)));
    more.push(addressOf(accountAt(nameOf(userOf(peer)), host), peer.split("/").slice(1).join("/")));
  }
  if (random.chance(0.25)) more.push(addressOf(accountAt("nobody", unknownHost)));
  return [...peers, ...more];
}

function withPeers(
  client: ClientPlan,
  change: (peers: readonly string[]) => readonly string[],
): ClientPlan {
  const { behaviour } = client;
  if (!("peers" in behaviour)) return client;
  return { ...client, behaviour: { ...behaviour, peers: change(behaviour.peers) } };
}

/** All at the host that every plan has: simpler, if nobody takes another's name by that. */
export function atOneHost(clients: readonly ClientPlan[]): readonly ClientPlan[] {
  if (clients.every(({ user }) => hostOf(user) === planHost)) return clients;
  return clients.map((client) => ({
    ...withPeers(client, (peers) => [...new Set(peers.map(atPlanHost))]),
    user: nameOf(client.user),
  }));
}

function atPlanHost(jid: string): string {
  const [, ...resource] = jid.split("/");
  return addressOf(nameOf(userOf(jid)), resource.join("/"));
}
