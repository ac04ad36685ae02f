/**
 * Ghosts: are records of a process that has ended visible for longer than it takes to notice its end?
 *
 * Promise 2 of the replicated tables. Asked at every look: a silent death is noticed after
 * `heartbeatTimeout + linkGrace`, later by what was still under way; a successor of the same name ends
 * it at once. And what becomes visible in a session of a link is no older than that session: what was kept
 * from an earlier one may hold records that were deleted meanwhile.
 */
import { nameOf, type Process } from "./replicas.ts";
import type { OracleMaker } from "./oracle.ts";

/** Bytes of a dead process may arrive late, and each is a sign of life; ticks may be late too. */
const slackMs = 12_000;

export const ghosts: OracleMaker = (plan, { replicas }) => {
  const failures: string[] = [];
  const told = new Set<string>();
  const { heartbeatTimeout = 0, linkGrace = 0 } = plan.topology.cluster ?? {};
  const noticedWithinMs = heartbeatTimeout + linkGrace + slackMs;
  /** By process and peer, of each session of theirs: what the tables of the process were at when it came up. */
  const ups = new Map<string, ReadonlyMap<string, number>[]>();
  let judged = 0;

  /** A partition that was hidden is shown: both sides count their sessions alike. */
  function shown(place: string, owner: string, table: string, seq: number, at: number): void {
    const reader = replicas.running.get(place);
    if (reader === undefined) return;
    judged += 1;
    const session = ups.get(`${reader.peer} ${owner}`)?.length ?? 0;
    const old = ups.get(`${owner} ${reader.peer}`)?.[session - 1]?.get(table) ?? 0;
    if (seq >= old) return;
    failures.push(
      `${place} shows ${table} of ${owner} at ${at} ms as it was at seq ${seq}; their session began at ${old}`,
    );
  }

  function observed(reader: Process, peers: readonly string[], at: number): void {
    const place = reader.node;
    for (const table of replicas.tables()) {
      for (const { owner } of replicas.viewsOf(reader, table)) {
        judged += 1;
        const key = `${place} ${owner} ${table}`;
        if (told.has(key)) continue;
        const other = peers.find((peer) => nameOf(peer) === nameOf(owner));
        if (other !== undefined && other !== owner) {
          told.add(key);
          failures.push(`${place} shows ${owner} at ${at} ms, though ${other} is up`);
        }
        const { endedAt } = replicas.processes.get(owner) ?? {};
        const since = Math.max(endedAt ?? at, reader.awakeAt);
        if (endedAt === undefined || at - since <= noticedWithinMs) continue;
        told.add(key);
        failures.push(
          `${place} shows ${table} of ${owner} at ${at} ms, which ended at ${endedAt} ms`,
        );
      }
    }
  }

  return {
    name: "ghosts",
    counts: "views",
    sees: [...replicas.sees, "peer-up", "cluster-observed"],
    see(event) {
      replicas.see(event);
      const { kind, data, at, place } = event;
      if (kind === "peer-up") {
        const self = replicas.running.get(place)?.peer ?? "";
        const key = `${self} ${data.peer}`;
        ups.set(key, [...(ups.get(key) ?? []), replicas.seqs(self)]);
      }
      if (kind === "table-seen" && data.fresh) shown(place, data.owner, data.table, data.seq, at);
      if (kind !== "cluster-observed") return;
      const reader = replicas.running.get(place);
      if (reader !== undefined) observed(reader, data.peers, at);
    },
    judge: () => ({ judged, unknown: 0, failures }),
  };
};
