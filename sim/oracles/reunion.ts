/**
 * Reunion: once all is healed, are all nodes soon linked with each other and synced?
 *
 * Promise 10 of the replicated tables. Judged is every pair of nodes; each has 30 s from the heal, or
 * from when the younger of the two started, and longer only where snapshots alone take more than 10 s of it. Where noise never ends a link may break again at any time:
 * there it is enough that they had each other in time (what they show at the end, `convergence` judges).
 */
import type { OracleMaker } from "./oracle.ts";
import { syncTimeMs } from "./sync-time.ts";
import { traffic } from "../trace.ts";

const leastBoundMs = 30_000;
/** To find each other, and for timers. */
const besideSyncMs = 20_000;

export const reunion: OracleMaker = (plan, { replicas }) => {
  const healAt = plan.duration.setUp + plan.duration.safety;
  const boundMs = Math.max(leastBoundMs, besideSyncMs + syncTimeMs(plan));
  const noisy = plan.topology.network.noise !== undefined;
  /** `reader owner`: since when, without a break that counts, it has had it. */
  const since = new Map<string, number>();
  let endedAt = 0;
  return {
    name: "reunion",
    counts: "pairs of nodes",
    ignores: traffic,
    see(event) {
      replicas.see(event);
      const { kind, data, at, place } = event;
      endedAt = at;
      if (kind !== "cluster-observed") return;
      const reader = replicas.running.get(place);
      if (reader === undefined) return;
      for (const { peer } of replicas.processes.values()) {
        const key = `${reader.peer} ${peer}`;
        const has = data.synced.includes(peer) && data.peers.includes(peer);
        if (!has) {
          if (!noisy || at < healAt) since.delete(key);
        } else if (!since.has(key)) since.set(key, at);
      }
    },
    judge() {
      const failures: string[] = [];
      const recoveredMs: number[] = [];
      let judged = 0;
      let unknown = 0;
      const present = plan.topology.cluster === undefined ? [] : [...replicas.running.values()];
      for (const reader of present) {
        for (const owner of present) {
          if (owner === reader) continue;
          const from = Math.max(healAt, reader.startedAt, owner.startedAt);
          const reached = since.get(`${reader.peer} ${owner.peer}`);
          if (reached === undefined && endedAt < from + boundMs) unknown += 1;
          else {
            judged += 1;
            if (reached !== undefined) recoveredMs.push(Math.max(0, reached - from));
            if (reached === undefined || reached > from + boundMs) {
              const when = reached === undefined ? "never" : `only at ${reached} ms`;
              failures.push(
                `${reader.node} had ${owner.peer} ${when}, though all was well at ${from} ms`,
              );
            }
          }
        }
      }
      return { judged, unknown, failures, recoveredMs };
    },
  };
};
