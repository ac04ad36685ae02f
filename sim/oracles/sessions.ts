/**
 * Sessions: when all is quiet, does the server know exactly the clients that are online, each once?
 *
 * A host that died without a word shortly before the end is excused: the server learns of it by its own next
 * sign of life, once that host is back and says that it knows of nothing. So is a client of a machine that lost its power and never got it back: nothing
 * answers what it sends. So is a client that has just closed its stream: it is no longer online, and
 * its `</stream:stream>` may be under way (seeds found it before the trace said when a client leaves). And two
 * nodes that do not show each other's sessions may both have one of a name: whether they should is `convergence`'s to say.
 */
import { bareOf, userOf } from "../addresses.ts";
import type { Plan } from "../plan.ts";
import { Admissions } from "./admissions.ts";
import { type Login, type Logins } from "./logins.ts";
import type { OracleMaker } from "./oracle.ts";
import { Strangers } from "./strangers.ts";
import type { TraceEvent } from "../trace.ts";

/** How long a client that is replaced may not know it yet. */
const conflictUnderWayMs = 1_000;

/** Two nodes may have one full JID until they have heard of each other's. */
const underWayMs = 5_000;

/** A dead host answers nothing before it is back (kit/network.ts). */
const rebootMs = 10_000;
/** For the node's next sign of life to get there, and the answer that nobody knows of it. */
const noticeMs = 5_000;

/** What it has a use for of its own. */
const own = [
  "logged",
  "sessions-observed",
  "metrics-observed",
  "online-observed",
  "bytes-received",
] as const;

/** The sessions of a node, at the end. */
interface AtNode {
  readonly node: string;
  readonly jids: readonly string[];
}

export const sessions: OracleMaker = (plan, { logins, replicas }) => {
  const admissions = new Admissions(plan.limits, replicas);
  const max = plan.limits.maxSessionsPerUser;
  const noticedWithinMs = Math.max(plan.limits.keepAliveInterval, rebootMs) + noticeMs;
  const online = new Map<string, string>();
  const failures: string[] = [];
  /** When the server ended the session of this full JID: its client may not have been told yet. */
  const endedAt = new Map<string, number>();
  /** By connection: what was under way when its host died comes when that is back, and counts as a sign of life. */
  const readAt = new Map<number | undefined, number>();
  const perNode: AtNode[] = [];
  const strangers = new Strangers(replicas);
  let [observedAt, beingReplaced] = [0, 0];

  return {
    name: "sessions",
    counts: "sessions and clients",
    sees: [...logins.sees, ...replicas.sees, ...own],
    see(event) {
      logins.see(event);
      replicas.see(event);
      strangers.see(event);
      failures.push(...admissions.see(event));
      const { kind, data, at } = event;
      if (kind === "login-bound") failures.push(...crowd(logins, data.login, data.jid, max));
      if (kind === "bytes-received") readAt.set(data.connection, at);
      endedAt.set(sessionEnded(event) ?? "", at);
      if (kind === "sessions-observed") {
        perNode.push({ node: event.place, jids: data.jids });
        observedAt = at;
      } else if (kind === "metrics-observed") {
        failures.push(...miscount(event.place, data.sessions, perNode.at(-1)?.jids ?? []));
      } else if (kind === "online-observed" && data.online) {
        // Its machine is without power for good, and nobody has told it.
        if (logins.hasNoPower(nodeOf(logins, data.client) ?? "")) return;
        const other = online.get(data.jid);
        const replaced =
          justBound(logins, data.jid, at - conflictUnderWayMs) ||
          strangers.are(nodeOf(logins, data.client), nodeOf(logins, other), at - underWayMs);
        if (other !== undefined && replaced) beingReplaced += 1;
        else if (other !== undefined)
          failures.push(`${other} and ${data.client} are both ${data.jid}`);
        online.set(data.jid, data.client);
      }
    },
    judge() {
      let unknown = beingReplaced;
      const settledAt = observedAt - underWayMs;
      /** At which node. */
      const known = new Map<string, string>();
      for (const { jid, node } of perNode.flatMap(atItsNode)) {
        const boundAt = admissions.writtenAt.get(jid) ?? 0;
        const mayBeTwo = boundAt > settledAt || strangers.are(node, known.get(jid), settledAt);
        if (known.has(jid) && mayBeTwo) unknown += 1;
        else if (known.has(jid)) failures.push(`the server has two sessions for ${jid}`);
        known.set(jid, node);
        if (online.has(jid) || hasDevice(logins, jid)) continue;
        const noticedAt = observedAt - noticedWithinMs;
        if (claimants(logins, jid).some((each) => lastSign(plan, each, readAt) > noticedAt))
          unknown += 1;
        else failures.push(`the server has a session for ${jid}, whose client is gone`);
      }
      failures.push(...tooMany(perNode, max), ...admissions.settle());
      for (const [jid, client] of online) {
        if (known.has(jid)) continue;
        const inTheDark = logins.hasNoPower(servedBy(logins.ofUser(bareOf(jid)), client));
        if (inTheDark || (endedAt.get(jid) ?? 0) > settledAt) unknown += 1;
        else failures.push(`${client} is online as ${jid} without a session`);
      }
      return { judged: known.size + online.size - (unknown - beingReplaced), unknown, failures };
    },
  };
};

function atItsNode({
  node,
  jids,
}: AtNode): readonly { readonly jid: string; readonly node: string }[] {
  return jids.map((jid) => ({ jid, node }));
}

function nodeOf(logins: Logins, client = ""): string | undefined {
  return logins.lastOf(client)?.node;
}

/** Whose session this may be. */
function claimants(logins: Logins, jid: string): readonly Login[] {
  const same = logins.ofUser(bareOf(jid)).filter((login) => login.jid === jid);
  return [...same, ...logins.unboundOf(userOf(jid))];
}

/** Of a client with several logins only one is observed. */
function hasDevice(logins: Logins, jid: string): boolean {
  return [...logins.liveOf(bareOf(jid))].some(
    (login) => login.jid === jid && login.leavingAt === undefined,
  );
}

/** The node of its last login. */
function servedBy(logins: readonly Login[], client: string): string {
  return logins.findLast((login) => login.client === client)?.node ?? "";
}

/** Of its client's, or the heal: before that, its node may not have heard. The node binds before its client is told. */
function lastSign(
  { duration }: Plan,
  { jid, connection, endedAt, leavingAt }: Login,
  readAt: ReadonlyMap<number | undefined, number>,
): number {
  if (jid === "" && endedAt === undefined) return Infinity;
  const healAt = duration.setUp + duration.safety;
  return Math.max(healAt, endedAt ?? leavingAt ?? 0, readAt.get(connection) ?? 0);
}

/** Does a node's own count of its sessions say what it has? */
function miscount(node: string, count: number, jids: readonly string[]): string[] {
  return count === jids.length ? [] : [`${node} counts ${count} sessions, it has ${jids.length}`];
}

/** All of a user's sessions at one node that neither side has closed: the node saw them all at once. */
function crowd(logins: Logins, login: string, jid: string, max: number): string[] {
  const node = logins.get(login)?.node;
  const jids = new Set<string>();
  for (const each of logins.liveOf(bareOf(jid))) if (each.node === node) jids.add(each.jid);
  if (jids.size <= max) return [];
  return [`${login} is session ${jids.size} of ${bareOf(jid)} on ${node}, the maximum is ${max}`];
}

/** Whoever had the name before may not have been reached yet by its `<conflict/>`. */
function justBound(logins: Logins, jid: string, since: number): boolean {
  return logins
    .ofUser(bareOf(jid))
    .some(
      ({ jid: name, boundAt, endedAt }) =>
        name === jid && endedAt === undefined && (boundAt ?? 0) > since,
    );
}

/** The full JID of a session that a node has ended, as it logs it: `jid=… reason=…`. */
export function sessionEnded({ kind, data }: TraceEvent): string | undefined {
  if (kind !== "logged" || data.event !== "session-ended") return undefined;
  const end = data.detail.indexOf(" reason=");
  return data.detail.slice("jid=".length, end === -1 ? undefined : end);
}

/** Two nodes may bind at once, or while they cannot see each other: each keeps its own bound. */
function tooMany(perNode: readonly AtNode[], max: number): string[] {
  return [...most(perNode.map(({ jids }) => countByUser(jids)))]
    .filter(([, count]) => count > max)
    .map(([user, count]) => `${user} has ${count} sessions, the maximum is ${max}`);
}

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
