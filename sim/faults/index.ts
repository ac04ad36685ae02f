/** Faults: all kinds, and the swarm's coin for each. */
import type { FaultKind, FaultPlan } from "../plan.ts";
import type { Random } from "../random.ts";
import { clockJump } from "./clock-jump.ts";
import { databaseDown } from "./database-down.ts";
import { databaseLostAfterCommit } from "./database-lost-after-commit.ts";
import { databaseLostBeforeCommit } from "./database-lost-before-commit.ts";
import { databaseSlow } from "./database-slow.ts";
import type { Fault, FaultSetting } from "./fault.ts";
import { halfOpen } from "./half-open.ts";
import { latency } from "./latency.ts";
import { reset } from "./reset.ts";
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
  "clock-jump": clockJump,
};

export const faultKinds = Object.keys(faults) as readonly FaultKind[];

/** Each kind is on or off by a coin; rows are ordered by when they start. */
export function planFaults(
  random: Random,
  setting: FaultSetting & { readonly kinds: readonly FaultKind[] },
): readonly FaultPlan[] {
  const on = setting.kinds.filter(() => random.chance(0.5));
  return on
    .flatMap((kind) => faults[kind].plan(random, setting))
    .sort((a, b) => a.startAt - b.startAt);
}
