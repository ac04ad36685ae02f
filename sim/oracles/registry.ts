/**
 * Registry: does the database list the nodes that run, and nobody who has long been gone?
 *
 * For clusters that find each other by it. Who starts while the row of its predecessor is there gets a greater
 * incarnation, whatever its clock says. The row of a process that was killed, or whose database was away
 * when it left, stays until it expires.
 */
import type { Plan } from "../plan.ts";
import type { TraceEvent } from "../trace.ts";
import type { OracleMaker } from "./oracle.ts";

/** Rows are refreshed and expired every few seconds, and a database may be slow. */
const slackMs = 15_000;

/** So long after such a trouble a row may not have been removed. */
const calmAfterMs = 5_000;

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
  const successions = new Successions(topology, failures);
  let judged = 0;
  let unknown = 0;
  return {
    name: "registry",
    counts: "rows of nodes",
    sees: [
      ...replicas.sees,
      ...successions.sees,
      "fault-started",
      "fault-ended",
      "registry-observed",
    ],
    see(event) {
      const { kind, data, place, at } = event;
      const awakeAt = replicas.running.get(place)?.awakeAt ?? 0;
      replicas.see(event);
      successions.see(event);
      if (kind === "cluster-joined") latest.set(place, data.peer);
      if (kind === "fault-started" && data.fault.startsWith("database")) troubles += 1;
      if (kind === "fault-ended" && data.fault.startsWith("database")) {
        troubles -= 1;
        troubledAt = at;
      }
      if (kind === "node-stopped") {
        const calm = troubles === 0 && Math.max(troubledAt, awakeAt) + calmAfterMs <= at;
        if (calm && !noisy) left.add(latest.get(place) ?? "");
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
    judge: () => ({ judged: judged + successions.judged, unknown, failures }),
  };
};

/** No trouble keeps an owner from its row for much more than half of it. */
const certainMs = 100_000;

/** Who starts while the row of its predecessor is there: is its incarnation greater? */
class Successions {
  readonly sees = ["cluster-joined", "shutdown-requested", "node-stopped", "node-killed"] as const;
  /** A row that is left alone is there for so long, whatever kept its owner from it before. */
  readonly #certainFor: number;
  readonly #failures: string[];
  /** By name: who has joined and has not begun to leave; its row stays if it dies. */
  readonly #staying = new Map<string, string>();
  /** Asked to stop, and not at its end yet: a row that it still gets it takes away again. */
  readonly #leaving = new Set<string>();
  /** By name: whose row has stayed, and since when nobody refreshes it. */
  readonly #killed = new Map<string, { readonly peer: string; readonly at: number }>();
  judged = 0;

  constructor({ cluster }: Plan["topology"], failures: string[]) {
    const expireAfter = cluster?.discovery === "sql" ? cluster.expireAfter : 0;
    this.#certainFor = expireAfter < certainMs ? 0 : expireAfter / 4;
    this.#failures = failures;
  }

  see({ kind, data, place, at }: TraceEvent): void {
    if (kind === "cluster-joined") {
      this.#succeeds(place, data.peer, at);
      if (!this.#leaving.has(place)) this.#staying.set(place, data.peer);
    }
    if (kind === "shutdown-requested") {
      this.#leaving.add(place);
      this.#staying.delete(place);
      this.#killed.delete(place);
    }
    if (kind === "node-stopped" || kind === "node-killed") this.#leaving.delete(place);
    if (kind !== "node-killed") return;
    const peer = this.#staying.get(place);
    // One that never joined has no row: that of its predecessor is as old as before.
    if (peer === undefined || this.#killed.get(place)?.peer === peer) return;
    this.#killed.set(place, { peer, at });
  }

  #succeeds(name: string, peer: string, at: number): void {
    const before = this.#killed.get(name);
    if (before === undefined || at >= before.at + this.#certainFor) return;
    this.judged += 1;
    if (incarnationOf(peer) > incarnationOf(before.peer)) return;
    this.#failures.push(
      `${peer} came after ${before.peer} at ${at} ms, with no greater incarnation`,
    );
  }
}

/** `name#incarnation.boot` */
function incarnationOf(peer: string): number {
  return Number(/#(\d+)\./.exec(peer)?.[1] ?? 0);
}
