/**
 * Constancy: does a link last as long as nothing befalls its nodes or what lies between them, and is it there again
 * soon after?
 *
 * A list that lacks a node, an outage of the database or of the name server, clients of any kind: none of
 * them takes a peer out, or keeps out one that was there. Judged are pairs to whom, for as long as links and tables
 * have to recover, no fault has happened that is of nodes or of links. Where noise never ends a link may break at any
 * time. At any time, too, a node that gives a peer up because it took no operations must be right.
 */
import { tablesTiming } from "../../src/cluster/tables-contract.ts";
import { clientFaultKinds, databaseFaultKinds, lookupFaultKinds, type FaultKind } from "../plan.ts";
import { Calm } from "./calm.ts";
import type { OracleMaker } from "./oracle.ts";
import type { Process, Replicas } from "./replicas.ts";

const calmAfterMs = 30_000;
/** Two that have lost each other go on dialling, whatever lists say. */
const backAfterMs = 15_000;

/** What a node says of a peer that it ends the link with since its queue has been full for too long. */
const tookNothing = "It took no operations";
/** Clocks drift, and what is written leaves at the end of a turn. */
const slackMs = 2_000;

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
  const calm = new Calm();
  /** Pairs of processes that have been linked, `one other`, and whether it was told that they are not any more. */
  const linked = new Map<string, boolean>();
  const leaving = new Set<string>();
  const failures: string[] = [];
  let judged = 0;

  /** Who was a peer of this process, lives, and is none any more? */
  function comesBack(self: Process, peers: readonly string[], at: number): void {
    for (const peer of peers) linked.set(`${self.peer} ${peer}`, false);
    if (leaving.has(self.node) || !calm.isCalm(self.node, at, backAfterMs)) return;
    for (const { peer, node, paused } of replicas.running.values()) {
      if (paused) continue;
      const told = linked.get(`${self.peer} ${peer}`);
      if (told === undefined || leaving.has(node) || !calm.isCalm(node, at, backAfterMs)) continue;
      judged += 1;
      if (told || peers.includes(peer)) continue;
      linked.set(`${self.peer} ${peer}`, true);
      failures.push(
        `${self.node} has no link with ${peer} any more at ${at} ms, though nothing keeps them apart`,
      );
    }
  }

  return {
    name: "constancy",
    counts: "looks at links in calm times",
    sees: [...replicas.sees, ...own],
    see(event) {
      replicas.see(event);
      const { kind, data, at, place } = event;
      const self = replicas.running.get(place);
      if (kind === "shutdown-requested") leaving.add(place);
      if (kind === "node-started") leaving.delete(place);
      switch (kind) {
        case "fault-started":
        case "fault-ended":
          if (harmless.has(data.fault)) return;
          return calm.disturb(data.target, at, kind === "fault-started" ? 1 : -1);
        case "node-started":
        case "node-killed":
        case "node-stopped":
        case "node-resumed":
        case "shutdown-requested":
          return calm.disturb(place, at, 0);
        case "cluster-observed":
          if (!noisy && self !== undefined) comesBack(self, data.peers, at);
          if (noisy || !calm.isCalm(place, at, calmAfterMs)) return;
          judged += data.peers.filter((peer) => calm.isCalm(nodeOf(peer), at, calmAfterMs)).length;
          return;
        case "peer-down": {
          const other = nodeOf(data.peer);
          if (data.reason.startsWith(tookNothing) && tookSomething(replicas, self, data.peer, at)) {
            failures.push(`${place} took ${data.peer} at ${at} ms for one that takes nothing`);
          }
          // Whoever has more to send than the link carries may end it, and says so; the other side hears only
          // that there is no such session (seed 923001000000078 of profile lists, at a0314d1).
          if (data.reason.includes("bytes wait for the peer")) {
            calm.disturb(place, at, 0);
            calm.disturb(other, at, 0);
          }
          if (noisy || [place, other].some((node) => !calm.isCalm(node, at, calmAfterMs))) return;
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

/** Has this peer shown what the node has written since it may have had too much waiting? */
function tookSomething(
  replicas: Replicas,
  self: Process | undefined,
  peer: string,
  at: number,
): boolean {
  const reader = replicas.processes.get(peer);
  if (self === undefined || reader === undefined) return false;
  const since = at - tablesTiming.staleMax + slackMs;
  return [...replicas.tables()].some((table) => {
    const before = replicas.history(self.peer, table)?.seqAt(since) ?? 0;
    return replicas.shown(reader, table, self.peer) > before;
  });
}
