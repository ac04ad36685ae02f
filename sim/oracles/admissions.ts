/**
 * Admissions: was a session let in, though what its node knew of the user forbade it?
 *
 * A node knows its own sessions and the records that it shows of others'. Of both together a user may have so
 * many; and where a name that is taken is not taken over, none of them may have it. What was gone from the node's
 * sight in the same turn is told only after it, so an admission is judged once its moment is over.
 */
import { textFromBinary } from "../../src/base/bytes.ts";
import { sessionTable } from "../../src/router/session-record.ts";
import type { Limits } from "../plan.ts";
import type { TraceEvent } from "../trace.ts";
import type { Process, Replicas } from "./replicas.ts";

interface Admission {
  readonly at: number;
  readonly self: Process;
  readonly key: string;
  /** Its user's other sessions there. */
  readonly own: number;
  /** Of other nodes, by owner: full JIDs of its user, in bytes. */
  readonly elsewhere: Map<string, Set<string>>;
}

export class Admissions {
  readonly #limits: Limits;
  readonly #replicas: Replicas;
  #open: Admission[] = [];
  /** When a node last told the others of a session with this full JID. */
  readonly writtenAt = new Map<string, number>();

  constructor(limits: Limits, replicas: Replicas) {
    this.#limits = limits;
    this.#replicas = replicas;
  }

  /** Asked after `replicas` have seen the event; says what was wrong. */
  see({ kind, place, data, at }: TraceEvent): readonly string[] {
    const failures = this.#open.length > 0 && this.#open[0]?.at !== at ? this.settle() : [];
    if (kind === "table-written") this.writtenAt.set(textFromBinary(data.key), at);
    if (kind === "table-written" && data.table === sessionTable.name && !data.deleted) {
      this.#written(place, data.key, at);
    } else if (kind === "table-seen" || kind === "table-hidden") {
      const gone = kind === "table-seen" && !data.fresh ? data.gone : undefined;
      for (const { self, elsewhere } of this.#open) {
        if (self.node !== place || data.table !== sessionTable.name) continue;
        if (gone === undefined) elsewhere.delete(data.owner);
        else for (const key of gone) elsewhere.get(data.owner)?.delete(key);
      }
    } else if (kind === "logged" && this.#limits.conflict !== undefined) {
      // By a login at the same node, as it logs it.
      const { event, detail } = data;
      if (event !== "session-ended" || !detail.includes("Replaced by a new login")) return failures;
      return [...failures, `${place}, ${at} ms: ${detail}, where no name is taken over`];
    }
    return failures;
  }

  settle(): readonly string[] {
    const failures = this.#open.flatMap((admission) => this.#judge(admission));
    this.#open = [];
    return failures;
  }

  #written(node: string, key: string, at: number): void {
    const self = this.#replicas.running.get(node);
    const history = self && this.#replicas.history(self.peer, sessionTable.name);
    if (self === undefined || history === undefined) return;
    // A session that is known already has changed.
    if (history.writes.get(key)?.at(-2)?.deleted === false) return;
    const user = key.slice(0, key.indexOf("/") + 1);
    const elsewhere = new Map<string, Set<string>>();
    for (const { owner, records } of this.#replicas.viewsOf(self, sessionTable.name)) {
      const keys = beginningWith(user, records.keys());
      if (keys.size > 0) elsewhere.set(owner, keys);
    }
    const own = beginningWith(user, history.records.keys()).size - 1;
    this.#open.push({ at, self, key, own, elsewhere });
  }

  #judge({ at, self, key, own, elsewhere }: Admission): readonly string[] {
    const max = this.#limits.maxSessionsPerUser;
    let others = own;
    for (const keys of elsewhere.values()) others += keys.size - Number(keys.has(key));
    const failures: string[] = [];
    const jid = textFromBinary(key);
    const taken = [...elsewhere].find(([, keys]) => keys.has(key));
    if (taken !== undefined && this.#limits.conflict !== undefined) {
      failures.push(
        `${self.node} let in ${jid} at ${at} ms, though it knew that ${taken[0]} has it`,
      );
    }
    if (others >= max) {
      failures.push(
        `${self.node} let in ${jid} at ${at} ms, though it knew of ${others} others; the maximum is ${max}`,
      );
    }
    return failures;
  }
}

function beginningWith(user: string, keys: Iterable<string>): Set<string> {
  const found = new Set<string>();
  for (const each of keys) if (each.startsWith(user)) found.add(each);
  return found;
}
