/**
 * Settled: when a node is told that a peer sees what it had written, does the peer see it?
 *
 * Promise 12 of the replicated tables.
 */
import type { Gathered, Oracle } from "./oracle.ts";
import { traffic } from "../trace.ts";
import type { Plan } from "../plan.ts";

export function settled(_plan: Plan, { replicas }: Gathered): Oracle {
  const failures: string[] = [];
  /** By process and request: the seq of each table when it was asked. */
  const asked = new Map<string, ReadonlyMap<string, number>>();
  let judged = 0;
  return {
    name: "settled",
    counts: "answers",
    ignores: traffic,
    see(event) {
      replicas.see(event);
      const { kind, data, at, place } = event;
      if (kind !== "settle-asked" && kind !== "settled") return;
      const self = replicas.running.get(place);
      if (self === undefined) return;
      const key = `${self.peer} ${data.request}`;
      if (kind === "settle-asked") {
        const seqs = [...replicas.tables()].map(
          (table) => [table, replicas.history(self.peer, table)?.seq ?? 0] as const,
        );
        asked.set(key, new Map(seqs));
        return;
      }
      for (const peer of data.visible) {
        const reader = replicas.processes.get(peer);
        if (reader === undefined) continue;
        judged += 1;
        for (const [table, seq] of asked.get(key) ?? []) {
          const shown = replicas.shown(reader, table, self.peer);
          if (shown >= seq) continue;
          failures.push(
            `${place} was told at ${at} ms that ${peer} sees ${table} up to ${seq}; it saw ${shown}`,
          );
        }
      }
    },
    judge: () => ({ judged, unknown: 0, failures }),
  };
}
