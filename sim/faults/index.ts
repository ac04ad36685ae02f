/** Faults: all kinds, and the swarm's coin for each. */
import type { FaultKind, FaultPlan } from "../plan.ts";
import type { Random } from "../kit/random.ts";
import { allNodesRestart } from "./all-nodes-restart.ts";
import { bridge } from "./bridge.ts";
import { clockJump } from "./clock-jump.ts";
import { databaseCut } from "./database-cut.ts";
import { databaseDown } from "./database-down.ts";
import { databaseLostAfterCommit } from "./database-lost-after-commit.ts";
import { databaseLostBeforeCommit } from "./database-lost-before-commit.ts";
import { databaseSlow } from "./database-slow.ts";
import { dnsDown } from "./dns-down.ts";
import { dnsSlow } from "./dns-slow.ts";
import { dnsStale } from "./dns-stale.ts";
import { dnsLacking } from "./dns-lacking.ts";
import type { Fault, FaultSetting } from "./fault.ts";
import { fileGone } from "./file-gone.ts";
import { fileHalfWritten } from "./file-half-written.ts";
import { fileLacking } from "./file-lacking.ts";
import { flapping } from "./flapping.ts";
import { halfOpen } from "./half-open.ts";
import { latency } from "./latency.ts";
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
import { reset } from "./reset.ts";
import { ring } from "./ring.ts";
import { rollingUpgrade } from "./rolling-upgrade.ts";
import { split } from "./split.ts";
import { stopReading } from "./stop-reading.ts";
import { vanishes } from "./vanish.ts";

export const faults: Readonly<Record<FaultKind, Fault>> = {
  reset,
  "half-open": halfOpen,
  latency,
  vanish: vanishes,
  "stop-reading": stopReading,
  "database-down": databaseDown,
  "database-slow": databaseSlow,
  "database-lost-before-commit": databaseLostBeforeCommit,
  "database-lost-after-commit": databaseLostAfterCommit,
  "database-cut": databaseCut,
  split,
  "one-way-cut": oneWayCut,
  bridge,
  ring,
  flapping,
  "link-reset": linkReset,
  "link-half-open": linkHalfOpen,
  "link-latency": linkLatency,
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

export const faultKinds = Object.keys(faults) as readonly FaultKind[];

/** Each kind is on or off by a coin, whose bias is the run's; rows are ordered by when they start. */
export function planFaults(
  random: Random,
  setting: FaultSetting & { readonly kinds: readonly FaultKind[] },
): readonly FaultPlan[] {
  const bias = random.pick([0.12, 0.3, 0.5]);
  // Who joins must come, whatever the coin says; and what becomes of nodes that part, few runs should miss.
  const on = setting.kinds.filter((kind) => {
    const chosen = random.chance(kind === "split" ? 0.5 : bias) || kind === "node-join";
    const { nodesMin = 1, discovery = setting.discovery } = faults[kind];
    return chosen && setting.nodes.length >= nodesMin && discovery === setting.discovery;
  });
  return on
    .flatMap((kind) => faults[kind].plan(random, setting))
    .sort((a, b) => a.startAt - b.startAt);
}
