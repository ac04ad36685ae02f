/**
 * Registry: does the database list the nodes that run, and nobody who has long been gone?
 *
 * For clusters that find each other by it. Who starts while the row of its predecessor is there gets a greater
 * incarnation, whatever its clock says. The row of a process that was killed, or whose database was away
 * when it left, stays until it expires.
 */
import type { OracleMaker } from "./oracle.ts";

/** Rows are refreshed and expired every few seconds, and a database may be slow. */
const slackMs = 15_000;

/** So long after such a trouble a row may not have been removed. */
const calmAfterMs = 5_000;

/** `name#incarnation.boot` */
function incarnationOf(peer: string): number {
  return Number(/#(\d+)\./.exec(peer)?.[1] ?? 0);
}

export const registry: OracleMaker = ({ topology, duration }, { replicas }) => {
  const { cluster } = topology;
  const failures: string[] = [];
  const healAt = duration.setUp + duration.safety;
  const noisy = topology.network.noise !== undefined;
  /** Troubles of the database under way, and when the last was over. */
  let troubles = 0;
  let troubledAt = -Infinity;
  const latest = new Map<string, string>();
  /** Who left in order took its row away, if the database and its own pace let it. */
  const left = new Set<string>();
  /** By name: the process that was killed last. */
  const killed = new Map<string, { readonly peer: string; readonly at: number }>();
  let judged = 0;
  let unknown = 0;

  function succeeds(name: string, peer: string, at: number): void {
    const before = killed.get(name);
    if (before === undefined || cluster?.discovery !== "sql") return;
    if (at >= before.at + cluster.expireAfter / 2) return;
    judged += 1;
    if (incarnationOf(peer) > incarnationOf(before.peer)) return;
    failures.push(`${peer} came after ${before.peer} at ${at} ms, with no greater incarnation`);
  }

  return {
    name: "registry",
    counts: "rows of nodes",
    sees: [...replicas.sees, "fault-started", "fault-ended", "registry-observed"],
    see(event) {
      const { kind, data, place, at } = event;
      const awakeAt = replicas.running.get(place)?.awakeAt ?? 0;
      replicas.see(event);
      if (kind === "cluster-joined") {
        latest.set(place, data.peer);
        succeeds(place, data.peer, at);
      }
      const own = latest.get(place);
      if (kind === "node-killed" && own !== undefined) {
        // One that never joined has no row: that of its predecessor is as old as before.
        if (killed.get(place)?.peer !== own) killed.set(place, { peer: own, at });
      }
      if (kind === "fault-started" && data.fault.startsWith("database")) troubles += 1;
      if (kind === "fault-ended" && data.fault.startsWith("database")) {
        troubles -= 1;
        troubledAt = at;
      }
      if (kind === "node-stopped") {
        const calm = troubles === 0 && Math.max(troubledAt, awakeAt) + calmAfterMs <= at;
        if (calm && !noisy) left.add(own ?? "");
        latest.delete(place);
        killed.delete(place);
      }
      if (kind !== "registry-observed" || cluster?.discovery !== "sql") return;
      const listed = new Set(data.peers);
      for (const { peer, startedAt } of replicas.running.values()) {
        judged += 1;
        if (!listed.delete(peer)) failures.push(`${peer}, up since ${startedAt} ms, is not listed`);
      }
      for (const peer of listed) {
        const expired = at > healAt + cluster.expireAfter + slackMs;
        if (!expired && !left.has(peer)) unknown += 1;
        else {
          judged += 1;
          failures.push(`${peer} is still listed at ${at} ms, though it has ended`);
        }
      }
    },
    judge: () => ({ judged, unknown, failures }),
  };
};
