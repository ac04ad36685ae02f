/**
 * Convergence: when all is quiet, does every node's view of every other's records equal the owner's own?
 *
 * Promise 1 of the replicated tables. A write of the last seconds may still be under way, and so may a snapshot
 * that takes longer than there was time since the heal or since both ran.
 */
import { sameDigest, type Replicas } from "./replicas.ts";
import type { OracleMaker } from "./oracle.ts";
import { syncTimeMs } from "./sync-time.ts";
import { traffic } from "../trace.ts";

const underWayMs = 5_000;

export const convergence: OracleMaker = (plan, { replicas }) => {
  const clustered = plan.topology.cluster !== undefined;
  const healAt = plan.duration.setUp + plan.duration.safety;
  const syncMs = syncTimeMs(plan);
  let endedAt = 0;
  return {
    name: "convergence",
    counts: "pairs of nodes and tables",
    ignores: traffic,
    see(event) {
      replicas.see(event);
      endedAt = event.at;
    },
    judge() {
      const failures: string[] = [];
      let judged = 0;
      let unknown = 0;
      const present = clustered ? [...replicas.running.values()] : [];
      for (const table of replicas.tables()) {
        for (const owner of present) {
          const history = replicas.history(owner.peer, table);
          for (const reader of present) {
            if (reader === owner) continue;
            const from = Math.max(healAt, reader.startedAt, owner.startedAt);
            if (endedAt < from + syncMs && replicas.view(reader, table, owner.peer) === undefined) {
              unknown += 1;
              continue;
            }
            judged += 1;
            const problem = difference(replicas, reader, owner.peer, table);
            if (problem !== undefined) {
              const size = history?.records.size ?? 0;
              failures.push(
                `${reader.node} ${problem} of ${table} of ${owner.peer}, which has ${size} records`,
              );
            }
          }
        }
      }
      return { judged, unknown, failures };
    },
  };

  function difference(
    all: Replicas,
    reader: Parameters<Replicas["view"]>[0],
    owner: string,
    table: string,
  ): string | undefined {
    const view = all.view(reader, table, owner);
    const history = all.history(owner, table);
    if (view === undefined) return "shows nothing";
    if (history === undefined) return view.records.size === 0 ? undefined : "shows too much";
    if (view.seq < history.seqAt(endedAt - underWayMs)) return `has only seq ${view.seq}`;
    const right = history.digestAt(view.seq);
    return right !== undefined && sameDigest(view.digest, right)
      ? undefined
      : "shows another state";
  }
};
