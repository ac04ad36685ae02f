/**
 * Convergence: once all is healed, are all nodes soon linked with each other and synced, and when all is quiet, does
 * every node's view of every other's records equal the owner's own?
 *
 * Promises 10 and 1 of the replicated tables. Judged is every pair of nodes; each has 30 s from the heal, or
 * from when the younger of the two started, and longer only where snapshots alone take more than 10 s of it,
 * or nodes look seldom who else is there. Where noise never ends a link may break again at any time:
 * there it is enough that they had each other in time. Of records that are equal at the end every pair is asked; a
 * write of the last seconds may still be under way.
 */
import { sameDigest, type Process } from "./replicas.ts";
import type { Gathered, Oracle, Verdict } from "./oracle.ts";
import { seldomMs } from "./discovery.ts";
import { syncTimeMs } from "./sync-time.ts";
import { canMeet } from "../releases/releases.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";
import type { Plan } from "../plan.ts";

const leastBoundMs = 30_000;
/** To find each other, and for timers. */
const besideSyncMs = 20_000;
const underWayMs = 5_000;

class Convergence implements Oracle {
  readonly name = "convergence";
  readonly counts = "pairs of nodes";
  readonly sees: readonly TraceKind[];
  readonly #gathered: Gathered;
  readonly #clustered: boolean;
  readonly #healAt: number;
  readonly #noisy: boolean;
  /** How long snapshots alone may take, and all that a pair is granted. */
  readonly #syncMs: number;
  readonly #looksMs: number;
  readonly #boundMs: number;
  /** `reader owner`: since when, without a break that counts, it has had it. */
  readonly #since = new Map<string, number>();
  readonly #failures: string[] = [];
  readonly #recoveredMs: number[] = [];
  #endedAt = 0;

  constructor(plan: Plan, gathered: Gathered) {
    this.sees = [...gathered.replicas.sees, "cluster-observed", "registry-observed"];
    const { duration, topology } = plan;
    this.#syncMs = syncTimeMs(plan);
    this.#looksMs = looksMs(plan);
    this.#boundMs = Math.max(leastBoundMs, besideSyncMs + this.#syncMs + this.#looksMs);
    this.#gathered = gathered;
    this.#clustered = topology.cluster !== undefined;
    this.#healAt = duration.setUp + duration.safety;
    this.#noisy = topology.network.noise !== undefined;
  }

  see(event: TraceEvent): void {
    const { replicas } = this.#gathered;
    replicas.see(event);
    const { kind, data, at, place } = event;
    this.#endedAt = at;
    if (kind !== "cluster-observed") return;
    const reader = replicas.running.get(place);
    if (reader === undefined) return;
    for (const { peer } of replicas.processes.values()) {
      const key = `${reader.peer} ${peer}`;
      const has = data.synced.includes(peer) && data.peers.includes(peer);
      if (!has) {
        if (!this.#noisy || at < this.#healAt) this.#since.delete(key);
      } else if (!this.#since.has(key)) this.#since.set(key, at);
    }
  }

  judge(cut = false): Verdict {
    let [pairs, unknown, tables] = [0, 0, 0];
    const { replicas } = this.#gathered;
    const recoveredMs = this.#recoveredMs;
    const present = this.#clustered && !cut ? [...replicas.running.values()] : [];
    for (const reader of present) {
      for (const owner of present) {
        if (reader === owner) continue;
        if (!canMeet(reader.release, owner.release)) {
          pairs += 1;
          this.#judgeStrangers(reader, owner);
          continue;
        }
        if (this.#judgePair(reader, owner)) pairs += 1;
        else unknown += 1;
        for (const table of replicas.tables()) {
          if (this.#judgeTable(reader, owner, table)) tables += 1;
        }
      }
    }
    const also = { "pairs and tables": tables };
    return { judged: pairs, also, unknown, failures: this.#failures, recoveredMs };
  }

  /** Two whose releases have no version in common. */
  #judgeStrangers(reader: Process, owner: Process): void {
    if (!this.#since.has(`${reader.peer} ${owner.peer}`)) return;
    this.#failures.push(`${reader.node} had ${owner.peer}, though they speak no common version`);
  }

  #from(reader: Process, owner: Process): number {
    return Math.max(this.#healAt, reader.startedAt, owner.startedAt);
  }

  /** False: it had not had its time. */
  #judgePair(reader: Process, owner: Process): boolean {
    const from = this.#from(reader, owner);
    const reached = this.#since.get(`${reader.peer} ${owner.peer}`);
    if (reached === undefined && this.#endedAt < from + this.#boundMs) return false;
    if (reached !== undefined) this.#recoveredMs.push(Math.max(0, reached - from));
    if (reached !== undefined && reached <= from + this.#boundMs) return true;
    const when = reached === undefined ? "never" : `only at ${reached} ms`;
    this.#failures.push(
      `${reader.node} had ${owner.peer} ${when}, though all was well at ${from} ms`,
    );
    return true;
  }

  /** False: its snapshot may yet be under way. */
  #judgeTable(reader: Process, owner: Process, table: string): boolean {
    const shown = this.#gathered.replicas.view(reader, table, owner.peer) !== undefined;
    const due = this.#from(reader, owner) + this.#looksMs + this.#syncMs;
    if (!shown && this.#endedAt < due) return false;
    const problem = this.#difference(reader, owner.peer, table);
    if (problem === undefined) return true;
    const size = this.#gathered.replicas.history(owner.peer, table)?.records.size ?? 0;
    this.#failures.push(
      `${reader.node} ${problem} of ${table} of ${owner.peer}, which has ${size} records`,
    );
    return true;
  }

  #difference(reader: Process, owner: string, table: string): string | undefined {
    const { replicas } = this.#gathered;
    const view = replicas.view(reader, table, owner);
    const history = replicas.history(owner, table);
    if (view === undefined) return "shows nothing";
    if (history === undefined) return view.records.size === 0 ? undefined : "shows too much";
    if (view.seq < history.seqAt(this.#endedAt - underWayMs)) return `has only seq ${view.seq}`;
    const right = history.digestAt(view.seq);
    return right !== undefined && sameDigest(view.digest, right)
      ? undefined
      : "shows another state";
  }
}

/** A list may have lacked a node when it was looked at before. Of the database's all rows are there, or soon again. */
function looksMs(plan: Plan): number {
  const { discovery, bounds } = plan.topology.cluster ?? {};
  const listed = discovery === "dns" || discovery === "file";
  return listed && bounds?.quickFor !== undefined ? seldomMs(plan) : 0;
}

export function convergence(plan: Plan, gathered: Gathered): Oracle {
  return new Convergence(plan, gathered);
}
