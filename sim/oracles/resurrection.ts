/**
 * Resurrection: does a record that its owner had deleted come back where the delete had been seen?
 *
 * Promise 3 of the replicated tables, and the second half of promise 2: what becomes visible at a seq
 * holds nothing that its owner had deleted up to that seq.
 */
import type { Gathered, Oracle } from "./oracle.ts";
import { traffic } from "../trace.ts";
import type { Plan } from "../plan.ts";

export function resurrection(_plan: Plan, { replicas }: Gathered): Oracle {
  const failures: string[] = [];
  let deletesWatched = 0;
  return {
    name: "resurrection",
    counts: "deletes seen",
    ignores: traffic,
    see(event) {
      replicas.see(event);
      if (event.kind === "table-seen") {
        const { table, owner, put, gone } = event.data;
        deletesWatched += gone.length;
        const reader = replicas.running.get(event.place);
        const history = replicas.history(owner, table);
        if (reader !== undefined && history !== undefined) {
          const known = replicas.shown(reader, table, owner);
          for (let i = 0; i < put.length; i += 2) {
            const key = put[i] ?? "";
            const last = history.lastWrite(key, known);
            if (last?.deleted !== true) continue;
            failures.push(
              `${event.place} shows ${key} of ${owner} at ${event.at} ms, deleted at seq ${last.seq}`,
            );
          }
        }
      }
    },
    judge: () => ({ judged: deletesWatched, unknown: 0, failures }),
  };
}
