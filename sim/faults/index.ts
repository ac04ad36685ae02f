/** Faults: all kinds, and the swarm's coin for each. */
import type { FaultKind, FaultPlan } from "../plan.ts";
import { choices } from "../kit/random.ts";
import { allNodesRestart } from "./all-nodes-restart.ts";
import { bandwidth } from "./bandwidth.ts";
import { bridge } from "./bridge.ts";
import { clockJump } from "./clock-jump.ts";
import { databaseCut } from "./database-cut.ts";
import { databaseDown } from "./database-down.ts";
import { databaseExhausted } from "./database-exhausted.ts";
import { databaseLostAfterCommit } from "./database-lost-after-commit.ts";
import { databaseLostBeforeCommit } from "./database-lost-before-commit.ts";
import { databaseRejects } from "./database-rejects.ts";
import { databaseSlow } from "./database-slow.ts";
import { dnsDown } from "./dns-down.ts";
import { dnsSlow } from "./dns-slow.ts";
import { dnsStale } from "./dns-stale.ts";
import { dnsLacking } from "./dns-lacking.ts";
import type { Fault, FaultSetting, FaultWorld } from "./fault.ts";
import { fileGone } from "./file-gone.ts";
import { fileHalfWritten } from "./file-half-written.ts";
import { fileLacking } from "./file-lacking.ts";
import { flapping } from "./flapping.ts";
import { halfOpen } from "./half-open.ts";
import { latency } from "./latency.ts";
import { linkBandwidth } from "./link-bandwidth.ts";
import { linkHalfOpen } from "./link-half-open.ts";
import { linkLatency } from "./link-latency.ts";
import { linkReset } from "./link-reset.ts";
import { nodeCrash } from "./node-crash.ts";
import { nodeJoin } from "./node-join.ts";
import { nodePause } from "./node-pause.ts";
import { nodeRestart } from "./node-restart.ts";
import { nodeSlow } from "./node-slow.ts";
import { nodeStop } from "./node-stop.ts";
import { oneWayCut } from "./one-way-cut.ts";
import { reconnectStorm } from "./reconnect-storm.ts";
import { reset } from "./reset.ts";
import { ring } from "./ring.ts";
import { rollingUpgrade } from "./rolling-upgrade.ts";
import { split } from "./split.ts";
import { stopReading } from "./stop-reading.ts";
import { targets, type Aims } from "./targets.ts";
import { vanishes } from "./vanish.ts";

export const faults: Readonly<Record<FaultKind, Fault>> = {
  reset,
  "reconnect-storm": reconnectStorm,
  "half-open": halfOpen,
  latency,
  bandwidth,
  vanish: vanishes,
  "stop-reading": stopReading,
  "database-down": databaseDown,
  "database-slow": databaseSlow,
  "database-lost-before-commit": databaseLostBeforeCommit,
  "database-lost-after-commit": databaseLostAfterCommit,
  "database-rejects": databaseRejects,
  "database-exhausted": databaseExhausted,
  "database-cut": databaseCut,
  split,
  "one-way-cut": oneWayCut,
  bridge,
  ring,
  flapping,
  "link-reset": linkReset,
  "link-half-open": linkHalfOpen,
  "link-latency": linkLatency,
  "link-bandwidth": linkBandwidth,
  "clock-jump": clockJump,
  "node-crash": nodeCrash,
  "node-restart": nodeRestart,
  "node-pause": nodePause,
  "node-slow": nodeSlow,
  "node-stop": nodeStop,
  "node-join": nodeJoin,
  "rolling-upgrade": rollingUpgrade,
  "all-nodes-restart": allNodesRestart,
  "dns-down": dnsDown,
  "dns-slow": dnsSlow,
  "dns-stale": dnsStale,
  "dns-lacking": dnsLacking,
  "file-gone": fileGone,
  "file-half-written": fileHalfWritten,
  "file-lacking": fileLacking,
};

/** `other`: of the same kind and target, that goes on. */
export function endFault(world: FaultWorld, plan: FaultPlan, other: FaultPlan | undefined): void {
  const { start, end, merges } = faults[plan.kind];
  if (other !== undefined && merges === true) start(world, other);
  else end(world, plan);
}

/** Nodes that a plan lets go for good. */
export function goneForGood(rows: readonly FaultPlan[]): ReadonlySet<string> {
  const last = rows.filter(({ kind, startAt, endAt }) => faults[kind].forGood && endAt <= startAt);
  return new Set(last.map(({ target }) => target));
}

/** Why it would do nothing in a plan of these, or more than it may; undefined: it is trouble of its kind. */
export function misfit(
  { kind, target, amount }: FaultPlan,
  { discovery, ...aims }: Aims & Pick<FaultSetting, "discovery">,
): string | undefined {
  const { hits, amountMin = 0, discovery: only = discovery } = faults[kind];
  const { is, fits } = targets[hits];
  if (only !== discovery) return `${kind} is of clusters whose nodes find each other by ${only}`;
  if (!fits(target, aims)) return `${kind} hits ${is}, not "${target}"`;
  return amount < amountMin ? `the amount of ${kind} is ${amountMin} or more` : undefined;
}

export const faultKinds = Object.keys(faults) as readonly FaultKind[];

/**
 * Each kind is on or off by a coin, whose bias is the run's; rows are ordered by when they start. Each draws
 * from a stream of its own, so that one more moves none of the others.
 */
export function planFaults(
  seed: number,
  setting: FaultSetting & { readonly kinds: readonly FaultKind[] },
): readonly FaultPlan[] {
  const bias = choices(seed, "plan/faults").pick([0.12, 0.3, 0.5]);
  const rows = setting.kinds.flatMap((kind) => {
    const random = choices(seed, `plan/faults/${kind}`);
    // Who joins must come, whatever the coin says; and what becomes of nodes that part, few runs should miss.
    const chosen = random.chance(kind === "split" ? 0.5 : bias) || kind === "node-join";
    const { nodesMin = 1, discovery = setting.discovery, plan } = faults[kind];
    const fits = setting.nodes.length >= nodesMin && discovery === setting.discovery;
    return chosen && fits ? plan(random, setting) : [];
  });
  return rows.sort((a, b) => a.startAt - b.startAt);
}
