/**
 * Settled: when a node is told that a peer sees what it had written, does the peer see it?
 *
 * Promise 12 of the replicated tables. And no client is told that it is bound before its node has had that
 * answer for its session, good or bad: a login is visible everywhere before anybody can speak of it.
 *
 * A peer that has since lost, or left, who asks may have seen it and hidden it within one step: what it showed at the
 * end of its steps proves nothing then.
 */
import { textFromBinary } from "../../src/base/bytes.ts";
import type { Gathered, Oracle } from "./oracle.ts";
import type { Plan } from "../plan.ts";

/** What it has a use for of its own. */
const own = [
  "login-started",
  "connection-opened",
  "login-bound",
  "peer-down",
  "settle-asked",
  "settled",
] as const;

export function settled(_plan: Plan, { replicas }: Gathered): Oracle {
  const failures: string[] = [];
  /** By process and request: the seq of each table when it was asked. */
  const asked = new Map<string, ReadonlyMap<string, number>>();
  /** By process and full JID: when what was asked as a session of it was written was last answered; -1: never. */
  const answeredAt = new Map<string, number>();
  /** By process and request: whose session it is about. */
  const asking = new Map<string, string>();
  /** By process and request: when it was asked. By reader and owner: when the former's link with the latter ended. */
  const askedAt = new Map<string, number>();
  const lostAt = new Map<string, number>();
  /** By process: the key that it wrote last. */
  const lastKey = new Map<string, string>();
  const startedAt = new Map<string, number>();
  /** By login: the process that serves it. Its last word may come when another has its name. */
  const servedBy = new Map<string, string>();
  let judged = 0;
  let unknown = 0;

  function bound(login: string, jid: string, at: number): void {
    const answered = answeredAt.get(`${servedBy.get(login)} ${jid}`);
    if (answered === undefined) return;
    judged += 1;
    if (answered >= (startedAt.get(login) ?? 0)) return;
    failures.push(`${login} was told at ${at} ms that it is bound, others were not`);
  }

  return {
    name: "settled",
    counts: "answers",
    sees: [...replicas.sees, ...own],
    see(event) {
      replicas.see(event);
      const { kind, data, at, place } = event;
      if (kind === "login-started") startedAt.set(data.login, at);
      if (kind === "login-bound") bound(data.login, data.jid, at);
      const self = replicas.running.get(place);
      if (self === undefined) return;
      if (kind === "connection-opened") servedBy.set(data.login, self.peer);
      if (kind === "peer-down") lostAt.set(`${self.peer} ${data.peer}`, at);
      if (kind === "table-written") lastKey.set(self.peer, textFromBinary(data.key));
      if (kind !== "settle-asked" && kind !== "settled") return;
      const key = `${self.peer} ${data.request}`;
      if (kind === "settle-asked") asking.set(key, `${self.peer} ${lastKey.get(self.peer)}`);
      const about = asking.get(key) ?? "";
      if (kind === "settled") answeredAt.set(about, at);
      else if (!answeredAt.has(about)) answeredAt.set(about, -1);
      if (kind === "settle-asked") {
        const seqs = [...replicas.tables()].map(
          (table) => [table, replicas.history(self.peer, table)?.seq ?? 0] as const,
        );
        asked.set(key, new Map(seqs));
        askedAt.set(key, at);
        return;
      }
      for (const peer of data.visible) {
        const reader = replicas.processes.get(peer);
        if (reader === undefined) continue;
        if ((lostAt.get(`${peer} ${self.peer}`) ?? -1) >= (askedAt.get(key) ?? 0)) {
          unknown += 1;
          continue;
        }
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
    judge: () => ({ judged, unknown, failures }),
  };
}
