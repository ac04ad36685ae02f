/**
 * Atomic sync: is every partition, whenever it is visible, exactly what its owner had at one moment?
 *
 * Promise 4 of the replicated tables: no reader ever sees one half loaded. Each change of a visible
 * partition is compared, record by record, with the owner's history at the seq that the reader claims. That is
 * promise 3, too: what was deleted by then does not come back (nor later, for `operation-order` sees who goes back).
 */
import { sameDigest } from "./replicas.ts";
import type { Gathered, Oracle } from "./oracle.ts";
import type { Plan } from "../plan.ts";

export function atomicSync(_plan: Plan, { replicas }: Gathered): Oracle {
  const failures: string[] = [];
  let judged = 0;
  let deletes = 0;
  return {
    name: "atomic-sync",
    counts: "views",
    sees: [...replicas.sees],
    see(event) {
      replicas.see(event);
      if (event.kind !== "table-seen") return;
      const { table, owner, seq, gone } = event.data;
      const reader = replicas.running.get(event.place);
      const view = reader && replicas.view(reader, table, owner);
      if (view === undefined) return;
      judged += 1;
      deletes += gone.length;
      const history = replicas.history(owner, table);
      const right = history?.digestAt(seq) ?? { count: 0, low: 0, high: 0 };
      if (sameDigest(view.digest, right)) return;
      const back = [...view.records.keys()].find((key) => history?.lastWrite(key, seq)?.deleted);
      const counts = `${view.digest.count} records, its owner had ${right.count}`;
      const also = back === undefined ? "" : `; ${back} had been deleted`;
      failures.push(
        `${event.place} shows ${table} of ${owner} at seq ${seq} with ${counts} (at ${event.at} ms)${also}`,
      );
    },
    judge: () => ({ judged, also: { "deletes seen": deletes }, unknown: 0, failures }),
  };
}
