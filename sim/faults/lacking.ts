/**
 * Lacking: lists lack some of the nodes, other ones each time; or all but the first, and all nodes part meanwhile for so
 * long that they give each other up. Then no list names those who must find each other again.
 */
import type { DiscoveryKind, FaultPlan, LookupFaultKind } from "../plan.ts";
import { lookupFault, type Fault, type FaultSetting } from "./fault.ts";

/** Lists are read again by then. */
const unlistedAfterMs = 6_000;
/** Longer than any link has to come back. */
const partedMs = 11_000;
const wholeMs = unlistedAfterMs + partedMs + 17_000;

export function lackingFault(kind: LookupFaultKind, discovery: DiscoveryKind): Fault {
  const fault = lookupFault(kind, discovery);
  return {
    ...fault,
    plan: (random, setting) => {
      const rows = fault.plan(random, setting);
      const room = setting.duration.safety - wholeMs;
      if (room < 0 || random.chance(0.3)) return rows;
      return parted(kind, setting, setting.duration.setUp + random.int(room + 1));
    },
  };
}

function parted(
  kind: LookupFaultKind,
  { nodes }: FaultSetting,
  startAt: number,
): readonly FaultPlan[] {
  const partsAt = startAt + unlistedAfterMs;
  const target = nodes.map(({ name }) => name).join("|");
  return [
    { kind, target: "all", startAt, endAt: startAt + wholeMs, amount: 1 },
    { kind: "split", target, startAt: partsAt, endAt: partsAt + partedMs, amount: 0 },
  ];
}
