/**
 * Constancy: does a link last as long as nothing befalls its nodes or what lies between them?
 *
 * A list that lacks a node, an outage of the database or of the name server, clients of any kind: none of
 * them takes a peer out. Judged are pairs to whom, for as long as links and tables have to recover, no fault
 * has happened that is of nodes or of links. Where noise never ends a link may break at any time.
 */
import { hostsOf } from "../kit/paths.ts";
import { clientFaultKinds, databaseFaultKinds, lookupFaultKinds, type FaultKind } from "../plan.ts";
import type { OracleMaker } from "./oracle.ts";

const calmAfterMs = 30_000;

/** They end no link, whomever they hit. */
const harmless: ReadonlySet<FaultKind> = new Set<FaultKind>([
  ...clientFaultKinds,
  ...databaseFaultKinds,
  ...lookupFaultKinds,
  "clock-jump",
]);

/** What it has a use for of its own. */
const own = [
  "fault-started",
  "fault-ended",
  "shutdown-requested",
  "cluster-observed",
  "peer-down",
] as const;

export const constancy: OracleMaker = (plan, { replicas }) => {
  const noisy = plan.topology.network.noise !== undefined;
  /** By host or "all": faults under way, and when the last thing happened to it. */
  const underWay = new Map<string, number>();
  const disturbedAt = new Map<string, number>();
  const failures: string[] = [];
  let judged = 0;

  function disturb(target: string, at: number, by: number): void {
    for (const host of hostsOf(target)) {
      disturbedAt.set(host, at);
      underWay.set(host, (underWay.get(host) ?? 0) + by);
    }
  }

  function isCalm(host: string, at: number): boolean {
    const since = Math.max(disturbedAt.get(host) ?? 0, disturbedAt.get("all") ?? 0);
    return !underWay.get(host) && !underWay.get("all") && at - since >= calmAfterMs;
  }

  return {
    name: "constancy",
    counts: "looks at links in calm times",
    sees: [...replicas.sees, ...own],
    see(event) {
      replicas.see(event);
      const { kind, data, at, place } = event;
      switch (kind) {
        case "fault-started":
        case "fault-ended":
          if (harmless.has(data.fault)) return;
          return disturb(data.target, at, kind === "fault-started" ? 1 : -1);
        case "node-started":
        case "node-killed":
        case "node-stopped":
        case "node-resumed":
        case "shutdown-requested":
          return disturb(place, at, 0);
        case "cluster-observed":
          if (noisy || !isCalm(place, at)) return;
          judged += data.peers.filter((peer) => isCalm(nodeOf(peer), at)).length;
          return;
        case "peer-down": {
          const other = nodeOf(data.peer);
          // Whoever has more to send than the link carries may end it, and says so; the other side hears only
          // that there is no such session (seed 923001000000078 of profile lists, at a0314d1).
          if (data.reason.includes("bytes wait for the peer")) {
            disturb(place, at, 0);
            disturb(other, at, 0);
          }
          if (noisy || !isCalm(place, at) || !isCalm(other, at)) return;
          failures.push(`${place} lost ${data.peer} at ${at} ms for nothing: ${data.reason}`);
          return;
        }
        default:
      }
    },
    judge: () => ({ judged, unknown: 0, failures }),
  };

  function nodeOf(peer: string): string {
    return replicas.processes.get(peer)?.node ?? "";
  }
};
