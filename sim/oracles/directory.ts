/**
 * Directory: does each node's table of sessions hold exactly its live sessions, does no login lose its name to a
 * session that its node could see when it was bound, and does every login lose it as soon as its node sees a later one?
 *
 * Promise 8 of the replicated tables; that no two nodes have one full JID is what `sessions` sees.
 */
import { textFromBinary } from "../../src/base/bytes.ts";
import { decodeSession, sessionTable } from "../../src/router/session-record.ts";
import type { Process, Replicas } from "./replicas.ts";
import type { OracleMaker } from "./oracle.ts";
import type { TraceKinds } from "../trace.ts";

interface Holding {
  readonly begunAt: number;
  /** Sessions of other nodes with this full JID, visible here when ours was bound. */
  readonly atBind: ReadonlySet<string>;
  /** The same when ours ended; undefined while it lives. */
  atEnd: ReadonlySet<string> | undefined;
  endedAt: number;
  /** By a newer login at the same node. */
  replaced: boolean;
}

/** Which sessions each node has held under each full JID, and what it saw of other nodes meanwhile. */
class Holdings {
  readonly #replicas: Replicas;
  /** Of each full JID at each node, one after the other. */
  readonly #all = new Map<string, Holding[]>();
  /** Sessions that ended at this moment: what their node saw in the same turn is told only after it. */
  #justEnded: { self: Process; key: string; holding: Holding }[] = [];

  constructor(replicas: Replicas) {
    this.#replicas = replicas;
  }

  of(node: string, jid: string): readonly Holding[] {
    return this.#all.get(`${node} ${jid}`) ?? [];
  }

  wrote(self: Process, key: string, deleted: boolean, at: number): void {
    const jid = textFromBinary(key);
    const earlier = this.of(self.node, jid);
    const holding = earlier.at(-1);
    const alive = holding !== undefined && holding.atEnd === undefined;
    if (deleted) {
      if (!alive) return;
      holding.atEnd = visibleTo(this.#replicas, self, key);
      holding.endedAt = at;
      this.#justEnded = this.#justEnded.filter((each) => each.holding.endedAt === at);
      this.#justEnded.push({ self, key, holding });
    } else if (!alive) {
      if (holding?.endedAt === at) holding.replaced = true;
      const atBind = visibleTo(this.#replicas, self, key);
      const begun = { begunAt: at, atBind, atEnd: undefined, endedAt: 0, replaced: false };
      this.#all.set(`${self.node} ${jid}`, [...earlier, begun]);
    }
  }

  seenInTurn(self: Process, at: number): void {
    for (const { self: node, key, holding } of this.#justEnded) {
      if (node !== self || holding.endedAt !== at) continue;
      holding.atEnd = new Set([...(holding.atEnd ?? []), ...visibleTo(this.#replicas, self, key)]);
    }
  }
}

export const directory: OracleMaker = (_plan, { replicas, logins }) => {
  const holdings = new Holdings(replicas);
  const failures: string[] = [];
  let judged = 0;

  /** Thrown out: in favour of whom? */
  function conflict(login: string, at: number): void {
    const lost = logins.get(login);
    if (lost === undefined || lost.jid === "") return;
    // Which of them was its own, nobody can tell: it may have lost to a newer login of its own node
    // that had itself ended before the client read of it.
    const ended = holdings
      .of(lost.node, lost.jid)
      .filter(
        ({ begunAt, atEnd, replaced }) =>
          begunAt >= lost.startedAt && atEnd !== undefined && (replaced || atEnd.size > 0),
      );
    if (ended.every(({ replaced }) => replaced)) return;
    judged += 1;
    if (!ended.every(lostToWhatItSaw)) return;
    failures.push(
      `${login} was thrown out at ${at} ms for a session that its node saw when it bound`,
    );
  }

  /** What comes into sight ends sessions in the same turn, which is told only after it. */
  function shown(self: Process, { owner, put }: TraceKinds["table-seen"], at: number): void {
    const own = replicas.history(self.peer, sessionTable.name)?.records;
    for (let i = 0; i < put.length; i += 2) {
      const ours = decodeSession(own?.get(put[i] ?? "") ?? "");
      const theirs = decodeSession(put[i + 1] ?? "");
      if (ours === undefined || theirs === undefined || ours.sid === theirs.sid) continue;
      judged += 1;
      if (theirs.stamp <= ours.stamp) continue;
      const jid = textFromBinary(put[i] ?? "");
      failures.push(
        `${self.node} keeps ${jid} at ${at} ms, though it sees the later one of ${owner}`,
      );
    }
  }

  return {
    name: "directory",
    counts: "sessions and conflicts",
    sees: [...replicas.sees, ...logins.sees, "sessions-observed"],
    see(event) {
      replicas.see(event);
      logins.see(event);
      const { kind, data, at, place } = event;
      const self = replicas.running.get(place);
      if (kind === "stream-error-received" && data.condition === "conflict") {
        conflict(data.login, at);
      }
      if (self === undefined) return;
      if (kind === "table-written" && data.table === sessionTable.name) {
        holdings.wrote(self, data.key, data.deleted, at);
      }
      if (kind === "table-seen") {
        holdings.seenInTurn(self, at);
        if (data.table === sessionTable.name) shown(self, data, at);
      }
      if (kind !== "sessions-observed") return;
      const history = replicas.history(self.peer, sessionTable.name);
      const written = new Set([...(history?.records.keys() ?? [])].map(textFromBinary));
      for (const jid of data.jids) {
        judged += 1;
        if (!written.delete(jid))
          failures.push(`${place} has a session ${jid} that it tells nobody of`);
      }
      for (const jid of written)
        failures.push(`${place} tells of a session ${jid} that it has not`);
    },
    judge: () => ({ judged, unknown: 0, failures }),
  };
};

function lostToWhatItSaw({ atBind, atEnd, replaced }: Holding): boolean {
  return !replaced && [...(atEnd ?? [])].every((sid) => atBind.has(sid));
}

/** Sessions of other nodes with this full JID that a process shows. */
function visibleTo(replicas: Replicas, self: Process, key: string): ReadonlySet<string> {
  const sids = new Set<string>();
  for (const view of replicas.viewsOf(self, sessionTable.name)) {
    const value = view.records.get(key);
    if (value !== undefined) sids.add(decodeSession(value)?.sid ?? "");
  }
  return sids;
}
