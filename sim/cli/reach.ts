/**
 * Reach: which oracles and probes can runs of a profile come to at all?
 *
 * An oracle that judged nothing is a finding, unless there was nothing to judge: a node alone has no
 * links, and whom nobody attacks refuses nothing. What stands here needs something of the profile;
 * all else is asked of each.
 */
import type { BehaviourKind, DiscoveryKind, FaultKind } from "../plan.ts";
import type { Probe } from "../probes.ts";
import type { Profile } from "../profiles.ts";

type Need = (profile: Profile) => boolean;

const several: Need = ({ nodes }) => nodes.some((count) => count > 1);
/** Clients tell one another of their presence where there are troubles at all. */
const troubles: Need = ({ faults }) => faults !== false;
const client =
  (...kinds: readonly BehaviourKind[]): Need =>
  ({ behaviours }) =>
    kinds.some((kind) => behaviours.includes(kind));
const fault =
  (kind: FaultKind): Need =>
  ({ faults }) =>
    typeof faults === "boolean" ? faults : faults.includes(kind);
const discovery =
  (kind: DiscoveryKind): Need =>
  ({ discoveries }) =>
    discoveries?.includes(kind) ?? true;
const both =
  (one: Need, other: Need): Need =>
  (profile) =>
    one(profile) && other(profile);

const oracles: Readonly<Record<string, Need>> = {
  notices: troubles,
  refusals: client("hostile"),
  receipts: several,
  links: several,
  constancy: several,
  reconnection: several,
  registry: both(several, discovery("sql")),
  discovery: several,
  convergence: several,
  "atomic-sync": several,
  "operation-order": several,
  ghosts: several,
  settled: several,
  directory: several,
};

const probes: Readonly<Partial<Record<Probe, Need>>> = {
  "attack refused": client("hostile"),
  "another identity refused": client("impostor"),
  "wrong password refused": client("impostor", "registrar"),
  "account registered": client("registrar"),
  "password changed": client("registrar"),
  "account removed": client("registrar"),
  "all clients thrown out at once": fault("reconnect-storm"),
  "line of a client slow": fault("bandwidth"),
  "clock jumped": fault("clock-jump"),
  "node stood still": fault("node-pause"),
  "node slow": fault("node-slow"),
  "slow node a second behind": fault("node-slow"),
  "line between nodes slow": both(several, fault("link-bandwidth")),
  "nodes found by name": both(several, discovery("dns")),
  "nodes found in a file": both(several, discovery("file")),
  "name without addresses": both(several, discovery("dns")),
  "name server silent": both(several, fault("dns-down")),
  "name server slow": both(several, fault("dns-slow")),
  "answer of a name server out of date": both(several, fault("dns-stale")),
  "answer of a name server incomplete": both(several, fault("dns-lacking")),
  "list of nodes gone": both(several, fault("file-gone")),
  "list of nodes half-written": both(several, fault("file-half-written")),
  "list of nodes incomplete": both(several, fault("file-lacking")),
  "link came up": several,
  "link ended with a reason": several,
  "peer left in order": several,
  "messages handed back": several,
  "link queue full": several,
  "link queue drained": several,
  "registration lost": both(several, discovery("sql")),
  "dial refused": several,
  "dial unanswered": several,
  "snapshot begun": several,
  "partition shown again": several,
  "settled in vain": several,
  "settled while a peer was lost": several,
  "node of the next release": several,
  "link of the next version": several,
};

export function hasOracle(profile: Profile, name: string): boolean {
  return oracles[name]?.(profile) ?? true;
}

export function hasProbe(profile: Profile, name: Probe): boolean {
  return probes[name]?.(profile) ?? true;
}
