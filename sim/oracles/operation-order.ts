/**
 * Operation order: do readers only ever go forward in an owner's history, never past its end?
 *
 * Promise 5 of the replicated tables. That no operation is left out is what `atomic-sync` sees.
 */
import type { Gathered, Oracle } from "./oracle.ts";
import { traffic } from "../trace.ts";
import type { Plan } from "../plan.ts";

export function operationOrder(_plan: Plan, { replicas }: Gathered): Oracle {
  const failures: string[] = [];
  let judged = 0;
  return {
    name: "operation-order",
    counts: "views",
    ignores: traffic,
    see(event) {
      replicas.see(event);
      if (event.kind === "table-seen") {
        const { table, owner, seq } = event.data;
        const reader = replicas.running.get(event.place);
        if (reader !== undefined) {
          judged += 1;
          const where = `${event.place} shows ${table} of ${owner} at seq ${seq}`;
          const before = replicas.shownBefore;
          const last = replicas.history(owner, table)?.seq ?? 0;
          if (seq < before)
            failures.push(`${where} at ${event.at} ms, and was at ${before} before`);
          if (seq > last) failures.push(`${where} at ${event.at} ms, its owner is at ${last}`);
        }
      }
    },
    judge: () => ({ judged, unknown: 0, failures }),
  };
}
