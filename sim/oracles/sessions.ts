/**
 * Sessions: when all is quiet, does the server know exactly the clients that are online, each once?
 *
 * A host that died without a word shortly before the end is excused: the server may learn of it only
 * by its next sign of life.
 */
import { textFromBinary } from "../../src/base/bytes.ts";
import { userOf } from "../plan.ts";
import { bareOf, Logins } from "./logins.ts";
import type { OracleMaker } from "./oracle.ts";
import { traffic } from "../trace.ts";

/** How long a client that is replaced may not know it yet. */
const conflictUnderWayMs = 1_000;

/** Two nodes may have one full JID until they have heard of each other's. */
const underWayMs = 5_000;

export const sessions: OracleMaker = (plan) => {
  const logins = new Logins();
  const online = new Map<string, string>();
  const failures: string[] = [];
  const observed: string[] = [];
  /** When a node last told the others of a session with this full JID. */
  const writtenAt = new Map<string, number>();
  const perNode: (readonly string[])[] = [];
  let observedAt = 0;
  let beingReplaced = 0;

  /** Whoever had the name before may not have been reached yet by its `<conflict/>`. */
  function justBound(jid: string, at: number): boolean {
    return [...logins.all()].some(
      ({ jid: name, boundAt, endedAt }) =>
        name === jid && endedAt === undefined && (boundAt ?? 0) > at - conflictUnderWayMs,
    );
  }

  function judgeGhost(jid: string): "ghost" | "unknown" {
    const noticedWithinMs = 3 * plan.limits.keepAliveInterval;
    for (const login of logins.all()) {
      const same = login.jid === "" ? login.user === userOf(jid) : login.jid === jid;
      if (!same) continue;
      // The node binds before its client is told.
      if (login.jid === "" && login.endedAt === undefined) return "unknown";
      if ((login.endedAt ?? 0) > observedAt - noticedWithinMs) return "unknown";
    }
    return "ghost";
  }

  return {
    name: "sessions",
    counts: "sessions and clients",
    ignores: traffic,
    see(event) {
      logins.see(event);
      const { kind, data, at } = event;
      if (kind === "table-written") writtenAt.set(textFromBinary(data.key), at);
      if (kind === "sessions-observed") {
        observed.push(...data.jids);
        perNode.push(data.jids);
        observedAt = at;
      } else if (kind === "online-observed" && data.online) {
        const other = online.get(data.jid);
        if (other !== undefined) {
          if (justBound(data.jid, at)) beingReplaced += 1;
          else failures.push(`${other} and ${data.client} are both ${data.jid}`);
        }
        online.set(data.jid, data.client);
      }
    },
    judge() {
      let unknown = beingReplaced;
      const known = new Set<string>();
      for (const jid of observed) {
        if (known.has(jid)) {
          if ((writtenAt.get(jid) ?? 0) > observedAt - underWayMs) unknown += 1;
          else failures.push(`the server has two sessions for ${jid}`);
        }
        known.add(jid);
        if (online.has(jid)) continue;
        if (judgeGhost(jid) === "unknown") unknown += 1;
        else failures.push(`the server has a session for ${jid}, whose client is gone`);
      }
      // Two nodes may bind at once, or while they cannot see each other: each keeps its own bound.
      for (const [user, count] of most(perNode.map(countByUser))) {
        const max = plan.limits.maxSessionsPerUser;
        if (count > max) failures.push(`${user} has ${count} sessions, the maximum is ${max}`);
      }
      for (const [jid, client] of online) {
        if (!known.has(jid)) failures.push(`${client} is online as ${jid} without a session`);
      }
      const judged = known.size + online.size - (unknown - beingReplaced);
      return { judged, unknown, failures };
    },
  };
};

function most(counts: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const greatest = new Map<string, number>();
  for (const each of counts) {
    for (const [user, count] of each) {
      greatest.set(user, Math.max(count, greatest.get(user) ?? 0));
    }
  }
  return greatest;
}

function countByUser(jids: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const jid of jids) counts.set(bareOf(jid), (counts.get(bareOf(jid)) ?? 0) + 1);
  return counts;
}
