/**
 * Targets: at what may a fault of each kind aim, and how is that written?
 *
 * One that aims at anything else would do nothing, and nobody would know. See kit/paths.ts for the signs.
 */
import { hostsOf } from "../kit/paths.ts";

/** Whom a plan has to aim at. */
export interface Aims {
  readonly nodes: readonly { readonly name: string; readonly joins: boolean }[];
  readonly clients: readonly { readonly name: string }[];
}

interface Target {
  /** In words, with an example of how it is written. */
  readonly is: string;
  readonly fits: (target: string, aims: Aims) => boolean;
}

export const targets = {
  client: { is: "a client", fits: isClient },
  clients: { is: "clients, as c1,c2", fits: (target, aims) => each(target, ",", aims, isClient) },
  database: { is: '"database"', fits: (target) => target === "database" },
  node: { is: "a node", fits: isNode },
  joiner: {
    is: "a node that joins",
    fits: (target, { nodes }) => nodes.some(({ name, joins }) => joins && name === target),
  },
  nodes: { is: '"all"', fits: (target) => target === "all" },
  machine: {
    is: 'a node or "all"',
    fits: (target, aims) => target === "all" || isNode(target, aims),
  },
  pair: {
    is: "two nodes, as n1~n2",
    fits: (target, aims) => each(target, "~", aims, isNode) && hostsOf(target).length === 2,
  },
  path: {
    is: "the way from a node to another, as n1>n2, or between a client and a node",
    fits: (target, aims) =>
      each(target, ">", aims, (host) => isNode(host, aims) || isClient(host, aims)) &&
      hostsOf(target).length === 2 &&
      hostsOf(target).some((host) => isNode(host, aims)),
  },
  groups: {
    is: "groups of nodes, as n1,n2|n3",
    fits: (target, aims) => each(target, /[|,]/, aims, isNode) && target.includes("|"),
  },
  ring: {
    is: "a ring of four nodes or more, as n1,n2,n3,n4",
    fits: (target, aims) => each(target, ",", aims, isNode) && hostsOf(target).length >= 4,
  },
} as const satisfies Record<string, Target>;

export type TargetKind = keyof typeof targets;

function isNode(target: string, { nodes }: Aims): boolean {
  return nodes.some(({ name }) => name === target);
}

function isClient(target: string, { clients }: Aims): boolean {
  return clients.some(({ name }) => name === target);
}

/** Each is of the kind, and none is there twice. */
function each(
  target: string,
  between: string | RegExp,
  aims: Aims,
  is: (host: string, aims: Aims) => boolean,
): boolean {
  const hosts = target.split(between);
  return hosts.every((host) => is(host, aims)) && new Set(hosts).size === hosts.length;
}
