/**
 * Reconnection: is a link whose connection was dropped connected again at once, where nothing keeps its nodes apart?
 *
 * Their session outlives its connection by a grace, and is judged by `links` and `constancy`; but what is sent meanwhile
 * waits. Judged are looks at links in times when for a while nothing has befallen both nodes or what lies between
 * them, but for connections that were dropped.
 */
import { clientFaultKinds, databaseFaultKinds, lookupFaultKinds, type FaultKind } from "../plan.ts";
import { Calm } from "./calm.ts";
import type { OracleMaker } from "./oracle.ts";
import type { Process } from "./replicas.ts";

const harmless: ReadonlySet<FaultKind> = new Set<FaultKind>([
  ...clientFaultKinds,
  ...databaseFaultKinds,
  ...lookupFaultKinds,
  "clock-jump",
]);

export const reconnection: OracleMaker = ({ topology }, { replicas }) => {
  const { network, cluster } = topology;
  const noisy = network.noise !== undefined;
  // A dial, a handshake of some trips, and the back-off after dials that were dropped, too.
  const reconnectedWithinMs = 500 + 10 * network.latencyMs[1];
  // After worse than a dropped connection a silent one is noticed late, and dials are seldom.
  const calmAfterMs = 2_000 + (cluster?.heartbeatTimeout ?? 0) + (cluster?.linkGrace ?? 0);
  const worse = new Calm();
  const dropped = new Calm();
  const failures: string[] = [];
  let judged = 0;

  function isCalm(node: string, at: number): boolean {
    return worse.isCalm(node, at, calmAfterMs) && dropped.isCalm(node, at, reconnectedWithinMs);
  }

  return {
    name: "reconnection",
    counts: "looks at links that were up",
    sees: [
      ...replicas.sees,
      "fault-started",
      "fault-ended",
      "shutdown-requested",
      "peer-up",
      "peer-down",
      "cluster-observed",
    ],
    see(event) {
      replicas.see(event);
      const { kind, data, at, place } = event;
      switch (kind) {
        case "fault-started":
        case "fault-ended":
          if (harmless.has(data.fault)) return;
          // It takes no time: its end is not told.
          if (data.fault === "link-reset") return dropped.disturb(data.target, at, 0);
          return worse.disturb(data.target, at, kind === "fault-started" ? 1 : -1);
        case "node-started":
        case "node-killed":
        case "node-stopped":
        case "node-resumed":
        case "shutdown-requested":
          return worse.disturb(place, at, 0);
        case "peer-up":
        case "peer-down":
          // Who has more waiting than a link carries ends it, and both connect anew.
          for (const node of [place, replicas.processes.get(data.peer)?.node ?? ""]) {
            dropped.disturb(node, at, 0);
          }
          return;
        case "cluster-observed": {
          if (noisy || !isCalm(place, at)) return;
          const broken = new Set(data.broken);
          for (const peer of data.peers) {
            const other = replicas.processes.get(peer);
            if (other === undefined || !isAwake(other) || !isCalm(other.node, at)) continue;
            judged += 1;
            if (!broken.has(peer)) continue;
            failures.push(
              `${place} has no connection with ${peer} at ${at} ms, though nothing keeps them apart`,
            );
          }
          return;
        }
        default:
      }
    },
    judge: () => ({ judged, unknown: 0, failures }),
  };
};

function isAwake({ endedAt, paused }: Process): boolean {
  return endedAt === undefined && !paused;
}
