/**
 * Fault: what is one kind of trouble, how is it planned, and how does it begin and end?
 *
 * One file per kind. `plan` decides how often and whom it hits; `start` and `end` do it to the
 * simulated world. A fault knows nothing of XMPP.
 */
import type { SimulatedNode } from "../node.ts";
import type {
  ClientPlan,
  DiscoveryKind,
  FaultKind,
  FaultPlan,
  LookupFaultKind,
  NodePlan,
  Plan,
} from "../plan.ts";
import type { DatabaseFaults } from "../ports/database-faults.ts";
import type { SimulatedLookups } from "../ports/resolver.ts";
import type { SimulatedNetwork } from "../kit/network.ts";
import type { Random } from "../kit/random.ts";
import type { TargetKind } from "./targets.ts";

export interface FaultSetting {
  readonly clients: readonly ClientPlan[];
  readonly nodes: readonly NodePlan[];
  readonly duration: Plan["duration"];
  /** Missing: a node on its own. */
  readonly discovery?: DiscoveryKind | undefined;
}

/** What faults may touch. */
export interface FaultWorld {
  readonly network: SimulatedNetwork;
  readonly database: DatabaseFaults;
  readonly lookups: SimulatedLookups;
  readonly node: (name: string) => SimulatedNode | undefined;
  readonly nodes: () => readonly SimulatedNode[];
  readonly after: (milliseconds: number, act: () => void) => void;
  /** Has it begun and not ended? The `endAt` of one that was begun by hand is Infinity. */
  readonly isOn: (fault: FaultPlan) => boolean;
  readonly setReading: (client: string, reading: boolean) => void;
  readonly vanish: (client: string) => void;
}

export interface Fault {
  readonly kind: FaultKind;
  readonly hits: TargetKind;
  /** Fewer nodes than this have nothing of the kind. */
  readonly nodesMin?: number;
  /** Clusters that find each other in another way have nothing of the kind. */
  readonly discovery?: DiscoveryKind;
  /** Less would be no trouble of the kind, or one that never ends. Missing: 0. */
  readonly amountMin?: number;
  /** Two of one target are one, which `start` may be told again: it ends with the last. Missing: each ends for itself. */
  readonly merges?: true;
  /** One that takes no time is for good. */
  readonly forGood?: true;
  readonly plan: (random: Random, setting: FaultSetting) => readonly FaultPlan[];
  readonly start: (world: FaultWorld, fault: FaultPlan) => void;
  readonly end: (world: FaultWorld, fault: FaultPlan) => void;
}

/** Bytes a second: at fewer, what is under way when all is healed would arrive too late. */
export const rateMin = 4_000;

/** A moment in the safety phase. */
export function momentOf(random: Random, { duration }: FaultSetting): number {
  return duration.setUp + random.int(duration.safety);
}

/** A period that begins and ends within the safety phase. */
export function periodOf(
  random: Random,
  setting: FaultSetting,
  longest: number,
): { startAt: number; endAt: number } {
  const { setUp, safety } = setting.duration;
  const startAt = momentOf(random, setting);
  return { startAt, endAt: Math.min(setUp + safety, startAt + random.between(100, longest)) };
}

/** A few rows, each aimed at one client. */
export function atClients(
  kind: FaultKind,
  random: Random,
  setting: FaultSetting,
  row: () => { startAt: number; endAt: number; amount: number },
): FaultPlan[] {
  const count = random.between(1, Math.max(1, setting.clients.length >> 1));
  return Array.from({ length: count }, () => ({
    kind,
    target: random.pick(setting.clients).name,
    ...row(),
  }));
}

/** One to three rows, each aimed at the database. */
export function atDatabase(
  kind: FaultKind,
  random: Random,
  setting: FaultSetting,
  longest: number,
): FaultPlan[] {
  return Array.from({ length: random.between(1, 3) }, () => ({
    kind,
    target: "database",
    ...periodOf(random, setting, longest),
    amount: random.pick([20, 200, 1_000, 6_000]),
  }));
}

/** Of the names or files that list the nodes, on one machine or on all. */
export function lookupFault(
  kind: LookupFaultKind,
  discovery: DiscoveryKind,
  amounts: readonly number[] = [0],
): Fault {
  return {
    kind,
    hits: "machine",
    nodesMin: 2,
    merges: true,
    discovery,
    plan: (random, setting) =>
      severalRows(kind, random, 3, () => ({
        target: random.chance(0.5) ? "all" : nodeOf(random, setting),
        ...periodOf(random, setting, 20_000),
        amount: random.pick(amounts),
      })),
    start: ({ lookups }, { target, amount }) => lookups.begin(kind, target, amount),
    end: ({ lookups }, { target }) => lookups.end(kind, target),
  };
}

/** A few rows, each aimed at what `target` draws. */
export function severalRows(
  kind: FaultKind,
  random: Random,
  most: number,
  row: () => Omit<FaultPlan, "kind">,
): FaultPlan[] {
  return Array.from({ length: random.between(1, most) }, () => ({ kind, ...row() }));
}

/** One row, aimed at one node of those that are there. */
export function nodeOf(random: Random, { nodes }: FaultSetting): string {
  return random.pick(nodes).name;
}

/** At times the last of several goes and never comes back: its clients have other nodes. */
export function oneForGood(
  kind: FaultKind,
  random: Random,
  setting: FaultSetting,
  amount: number,
): FaultPlan[] {
  const target = setting.nodes.at(-1)?.name;
  if (setting.nodes.length < 3 || target === undefined || random.chance(0.7)) return [];
  const startAt = momentOf(random, setting);
  return [{ kind, target, startAt, endAt: startAt, amount }];
}

/** Two different nodes. */
export function nodePairOf(random: Random, { nodes }: FaultSetting): [string, string] {
  const [one, other] = random.shuffle(nodes);
  return [one?.name ?? "", other?.name ?? ""];
}
