/**
 * Delivery: is a message given to those sessions of its addressee that RFC 6121 §8.5 names?
 *
 * Who shall have it depends on what the server knew when it looked. A priority is certain from when its
 * client had an answer to a request that it sent after its presence, or a message of its own arrived or
 * bounced, until it sends another presence. What the sender's node knows of sessions elsewhere may be old:
 * those count where, from the sending on, it saw exactly what their own nodes had.
 *
 * Nor may a message bounce that had somebody to go to, from its sending to its bounce: the very session that it
 * was sent to, here or in sight on another node, or for a user one that wants messages. Only who has too much
 * waiting may be left out, and as too much is refused only what a full link would have to take. And a headline to
 * a user of whom there is no session is ignored (RFC 6121 §8.5.2.2.1).
 */
import { binaryFromText, type BinaryString } from "../../src/base/bytes.ts";
import { Fullness } from "./fullness.ts";
import { decodeSession, sessionTable } from "../../src/router/session-record.ts";
import { type Login, type Logins } from "./logins.ts";
import type { Presences } from "./presences.ts";
import { bareOf, userOf } from "../addresses.ts";
import type { MessageType, Plan } from "../plan.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";
import type { Gathered, Oracle, Verdict } from "./oracle.ts";
import type { Replicas, View } from "./replicas.ts";
import { sessionEnded } from "./sessions.ts";
import { UnknownHosts } from "./unknown-hosts.ts";

interface Sent {
  readonly login: string;
  readonly to: string;
  readonly type: MessageType;
  readonly at: number;
  /** Where its sender's node saw the session that it is for; undefined: nowhere else. */
  readonly inSight: InSight | undefined;
  readonly elsewhere: Elsewhere | undefined;
}

/** A session of another node as the sender's node shows it. */
interface InSight {
  readonly view: View;
  /** Of those who had its name there one after the other. */
  readonly sid: string | undefined;
}

/** A user's sessions on other nodes, as the sender's node saw them and as they were. */
interface Elsewhere {
  /** By full JID; negative: it wants no messages. */
  readonly priorities: ReadonlyMap<string, number>;
  /** In which views: one that was hidden meanwhile is another when it is shown again. */
  readonly views: readonly View[];
  /** Changes with every write of any of them. */
  readonly version: string;
}

interface Found {
  readonly stirs: number;
  readonly logins: number;
  readonly elsewhere: Elsewhere;
}

export class Delivery implements Oracle {
  readonly name = "delivery";
  readonly counts = "deliveries";
  readonly sees: readonly TraceKind[];
  readonly #logins: Logins;
  readonly #presences: Presences;
  readonly #replicas: Replicas;
  readonly #sent = new Map<string, Sent>();
  /** By node and full JID: when it last ended such a session. */
  readonly #endedAt = new Map<string, number>();
  /** By user: when one of the sessions ended. What waited there bounces, though other copies arrive. */
  readonly #copyLostAt = new Map<string, number>();
  /** By full JID: when one of the sessions that had it ended. It may have been taken for the one that stays. */
  readonly #nameLostAt = new Map<string, number>();
  /** By node and peer: when the link between them last ended, and all that waited came back at once. */
  readonly #lostAt = new Map<string, number>();
  readonly #fullness = new Fullness();
  readonly #unknownHosts: UnknownHosts;
  /** By a sender's node and an addressee: what was found, and after how many changes. */
  readonly #found = new Map<string, Found>();
  readonly #failures: string[] = [];
  #judged = 0;
  #unknown = 0;

  constructor(plan: Plan, { logins, replicas, presences }: Gathered) {
    this.#unknownHosts = new UnknownHosts(plan);
    this.sees = [
      ...logins.sees,
      ...replicas.sees,
      ...presences.sees,
      ...this.#fullness.sees,
      "message-sent",
      "message-received",
      "message-bounced",
    ];
    this.#logins = logins;
    this.#replicas = replicas;
    this.#presences = presences;
  }

  see(event: TraceEvent): void {
    this.#logins.see(event);
    this.#replicas.see(event);
    this.#presences.see(event);
    this.#fullness.see(event);
    const { kind, data, at, place } = event;
    const ended = sessionEnded(event);
    if (ended !== undefined) {
      this.#endedAt.set(`${place} ${ended}`, at);
      this.#copyLostAt.set(bareOf(ended), at);
      this.#nameLostAt.set(ended, at);
    }
    if (kind === "peer-down") this.#lostAt.set(`${place} ${data.peer}`, at);
    if (kind === "message-bounced") this.#bounced(data.id, data.condition);
    else if (kind === "message-sent") {
      const { login, to, type = "chat" } = data;
      const inSight = this.#inSight(login, to);
      const elsewhere = this.#elsewhere(login, to);
      this.#sent.set(data.id, { login, to, type, at, inSight, elsewhere });
    } else if (kind === "message-received") this.#received(data.login, data.id, data.to);
  }

  judge(): Verdict {
    return { judged: this.#judged, unknown: this.#unknown, failures: this.#failures };
  }

  #received(login: string, id: string, to: string): void {
    const message = this.#sent.get(id);
    const sender = this.#logins.get(message?.login ?? "");
    const recipient = this.#logins.get(login);
    if (message === undefined || sender === undefined || recipient?.jid === to) return;
    const others = this.#logins.ofUser(bareOf(to));
    const near = isNear(others, sender);
    if (recipient === undefined || !(near || this.#isAsSeen(message))) {
      this.#unknown += 1;
      return;
    }
    this.#judged += 1;
    const { type } = message;
    if (type === "groupchat" || (type !== "chat" && to.includes("/"))) {
      this.#failures.push(`${login} received ${id} (${type}), which was to ${to}`);
    }
    const own = this.#priority(recipient, message, sender.node);
    if (own === undefined) return;
    if (own < 0) this.#failures.push(`${login} received ${id} to ${to} at priority ${own}`);
    for (const other of others) {
      if (other === recipient) continue;
      const better = this.#priority(other, message, sender.node) ?? -1;
      if (other.jid === to && (better >= 0 || (near && stays(other, message.at)))) {
        this.#failures.push(`${login} received ${id}, but ${other.login} is ${to}`);
      }
      if (better <= own || type === "headline") continue;
      const where = `at priority ${own}, but ${other.login} has ${better}`;
      this.#failures.push(`${login} received ${id} to ${to} ${where}`);
    }
  }

  #bounced(id: string, condition: string): void {
    const message = this.#sent.get(id);
    const sender = this.#logins.get(message?.login ?? "");
    if (message === undefined || sender === undefined) return;
    const { to, at, type, inSight } = message;
    const wrong = this.#unknownHosts.wrong(id, to, condition);
    if (wrong !== undefined) this.#failures.push(wrong);
    if (condition === "remote-server-not-found") {
      this.#judged += 1;
      return;
    }
    if (condition === "resource-constraint") {
      this.#judged += 1;
      if (this.#fullness.since(at)) return;
      this.#failures.push(`${id} to ${to} was refused as too much, though no link has been full`);
      return;
    }
    const users = this.#logins.ofUser(bareOf(to));
    const wasNobody = users.length === 0 && this.#logins.unboundOf(userOf(to)).length === 0;
    if (type === "headline" && !to.includes("/") && wasNobody) {
      this.#failures.push(`${id} to ${to}, a headline to nobody, bounced (${condition})`);
    }
    for (const other of users) {
      if (!this.#stays(other, at) || this.#lostSince(sender.node, other.node, at)) continue;
      const near = other.node === sender.node;
      if (other.jid === to) {
        if ((this.#nameLostAt.get(to) ?? -1) >= at) continue;
        const far = inSight?.view.owner === this.#replicas.running.get(other.node)?.peer;
        if (!near && !(far && this.#isStillInSight(message))) continue;
      } else {
        if ((this.#copyLostAt.get(bareOf(to)) ?? -1) >= at) continue;
        const toUser = !to.includes("/") && (type === "chat" || type === "normal");
        if (!toUser || !(isNear(users, sender) || this.#isAsSeen(message))) continue;
        if ((this.#priority(other, message, sender.node) ?? -1) < 0) continue;
      }
      this.#failures.push(`${id} to ${to} bounced (${condition}), though ${other.login} was there`);
    }
    this.#judged += 1;
  }

  /** What its sender's node was right to go by, if anything. */
  #priority(login: Login, { at, elsewhere }: Sent, node: string): number | undefined {
    return login.node === node ? this.#certain(login, at) : elsewhere?.priorities.get(login.jid);
  }

  /** Has the sender's node seen the user's other sessions all the while as they were? */
  #isAsSeen({ login, to, at, elsewhere }: Sent): boolean {
    const now = this.#elsewhere(login, to);
    const node = this.#logins.get(login)?.node ?? "";
    for (const other of this.#logins.ofUser(bareOf(to))) {
      if (this.#lostSince(node, other.node, at)) return false;
    }
    if (elsewhere === undefined || now?.version !== elsewhere.version) return false;
    return now.views.every((view, place) => view === elsewhere.views[place]);
  }

  /** Looks only if anything that it depends on has changed since it was last asked. */
  #elsewhere(login: string, to: string): Elsewhere | undefined {
    const node = this.#logins.get(login)?.node ?? "";
    const user = bareOf(to);
    const stirs = this.#replicas.stirs(binaryFromText(user));
    const logins = this.#logins.ofUser(user).length;
    const way = `${node} > ${to}`;
    const found = this.#found.get(way);
    if (found?.stirs === stirs && found.logins === logins) return found.elsewhere;
    const elsewhere = this.#lookElsewhere(node, to);
    // A view that has not come as far yet says so, and nothing tells when it has.
    if (elsewhere !== undefined) this.#found.set(way, { stirs, logins, elsewhere });
    return elsewhere;
  }

  #lookElsewhere(node: string, to: string): Elsewhere | undefined {
    const self = this.#replicas.running.get(node);
    const priorities = new Map<string, number>();
    const names = new Set<string>();
    const views: View[] = [];
    let version = to.includes("/") ? this.#writesOf(binaryFromText(to)) : "";
    for (const other of this.#logins.ofUser(bareOf(to))) {
      if (other.node === node || priorities.has(other.jid)) continue;
      const owner = this.#replicas.running.get(other.node)?.peer ?? "";
      // One after the other had that name there: what is known of it is one thing.
      const name = `${owner} ${other.jid}`;
      if (names.has(name)) continue;
      names.add(name);
      const key = binaryFromText(other.jid);
      const history = this.#replicas.history(owner, sessionTable.name);
      const value = history?.records.get(key);
      const view = self && this.#replicas.view(self, sessionTable.name, owner);
      const written = history?.lastWrite(key, Infinity)?.seq ?? 0;
      // A view from before a presence that was taken back says the same, and will say something else in between.
      if (view === undefined || view.seq < written) return undefined;
      if (view.records.get(key) !== value) return undefined;
      if (self && this.#replicas.isContested(self, sessionTable.name, key, owner)) return undefined;
      views.push(view);
      version += `${name} ${written} `;
      const record = value === undefined ? undefined : decodeSession(value);
      if (record !== undefined) priorities.set(other.jid, record.available ? record.priority : -1);
    }
    return { priorities, views, version };
  }

  /** Also of a session whose client was never told that it has one: it may be sent there, and find it gone. */
  #writesOf(key: BinaryString): string {
    let text = "";
    for (const { peer } of this.#replicas.running.values()) {
      const last = this.#replicas.history(peer, sessionTable.name)?.lastWrite(key, Infinity);
      if (last !== undefined) text += `${peer} ${last.seq} `;
    }
    return text;
  }

  /** Another node's records, as its sender's node sees them, if this full JID is one, and of no other. */
  #inSight(login: string, to: string): InSight | undefined {
    const self = this.#replicas.running.get(this.#logins.get(login)?.node ?? "");
    const key = to.includes("/") ? binaryFromText(to) : "";
    if (self === undefined || key === "") return undefined;
    for (const { peer } of this.#replicas.running.values()) {
      const view = this.#replicas.view(self, sessionTable.name, peer);
      const record = view?.records.get(key);
      if (view === undefined || record === undefined) continue;
      if (this.#replicas.isContested(self, sessionTable.name, key, peer)) return undefined;
      return { view, sid: decodeSession(record)?.sid };
    }
    return undefined;
  }

  /** The view tells of a session that has gone before it tells of the next of that name. */
  #isStillInSight({ login, to, inSight }: Sent): boolean {
    const now = this.#inSight(login, to);
    return now?.view === inSight?.view && now?.sid === inSight?.sid;
  }

  /** Had a node lost another by the time it looked, since then? Its view may be seen to go a moment later. */
  #lostSince(node: string, other: string, at: number): boolean {
    const peer = this.#replicas.running.get(other)?.peer ?? "";
    return (this.#lostAt.get(`${node} ${peer}`) ?? -1) >= at;
  }

  /** Bound since this time and, for all that its node has said, still there. */
  #stays(login: Login, at: number): boolean {
    const ended = this.#endedAt.get(`${login.node} ${login.jid}`) ?? -1;
    return stays(login, at) && ended < login.startedAt;
  }

  /** The priority that the server has known since this time at least. */
  #certain(login: Login, at: number): number | undefined {
    const presence = this.#presences.certain(login.login, at);
    if (presence === undefined || !stays(login, at)) return undefined;
    return presence.available ? presence.priority : -1;
  }
}

function isNear(logins: readonly Login[], sender: Login): boolean {
  return logins.every(({ node }) => node === sender.node);
}

/** Bound since this time and still there. */
function stays({ boundAt, endedAt, nodeClosedAt }: Login, at: number): boolean {
  return (boundAt ?? at + 1) <= at && endedAt === undefined && nodeClosedAt === undefined;
}

export function delivery(plan: Plan, gathered: Gathered): Oracle {
  return new Delivery(plan, gathered);
}
