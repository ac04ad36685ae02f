/**
 * Notices: does what brings nothing back, a presence with an addressee or a message's error, reach whom it should?
 *
 * By RFC 6121 §8.5: a full JID's session, or of a user every available one, whatever its priority; from its sender,
 * once, and nobody else. Nobody is told of what did not arrive, so it is missed where both ends stayed, and what
 * the sender's node knew of its addressee held all the while. Between nodes no link may have ended or been full.
 */
import { bareOf } from "../addresses.ts";
import { binaryFromText } from "../../src/base/bytes.ts";
import { decodeSession, sessionTable } from "../../src/router/session-record.ts";
import { Fullness } from "./fullness.ts";
import { mayHaveDied, underWayMaxMs, type Login } from "./logins.ts";
import { LostLinks } from "./lost-links.ts";
import type { Gathered, Oracle, OracleMaker, Verdict } from "./oracle.ts";
import { UnknownHosts } from "./unknown-hosts.ts";
import type { Plan } from "../plan.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../trace.ts";

/** What a client has said has long been read by its own node, and by the others. */
const staleMs = 30_000;

interface Sent {
  readonly id: string;
  readonly login: string;
  readonly to: string;
  readonly what: TraceKinds["notice-sent"]["what"];
  readonly at: number;
  /** Who had to be given it when it was sent. */
  readonly due: readonly Login[];
  readonly received: string[];
  /** By how many sessions of its sender's name: in a split each may refuse one and the same message. */
  readonly times: number;
  /** Its sender was told that it could not go on. */
  refused: boolean;
}

export const notices: OracleMaker = (plan, gathered) => new Notices(plan, gathered);

class Notices implements Oracle {
  readonly name = "notices";
  readonly counts = "directed presences and messages' errors";
  readonly sees: readonly TraceKind[];
  readonly #gathered: Gathered;
  readonly #fullness = new Fullness();
  /** By id and sender: who gives a message back does it by the message's own id. */
  readonly #sent = new Map<string, Sent>();
  /** When each login became unavailable, if ever; the first time of each gap tells. */
  readonly #withdrawals = new Map<string, number[]>();
  readonly #lostLinks: LostLinks;
  readonly #unknownHosts: UnknownHosts;
  readonly #failures: string[] = [];
  #received = 0;

  constructor(plan: Plan, gathered: Gathered) {
    this.#unknownHosts = new UnknownHosts(plan);
    const { logins, replicas, presences } = gathered;
    this.#lostLinks = new LostLinks(replicas);
    this.sees = [
      ...logins.sees,
      ...replicas.sees,
      ...presences.sees,
      ...this.#fullness.sees,
      ...this.#lostLinks.sees,
      "presence-sent",
      "notice-sent",
      "notice-received",
      "notice-refused",
    ];
    this.#gathered = gathered;
  }

  see(event: TraceEvent): void {
    const { logins, replicas, presences } = this.#gathered;
    logins.see(event);
    replicas.see(event);
    presences.see(event);
    this.#fullness.see(event);
    this.#lostLinks.see(event);
    const { kind, data, at } = event;
    if (kind === "presence-sent" && !data.available) {
      const all = this.#withdrawals.get(data.login);
      if (all === undefined) this.#withdrawals.set(data.login, [at]);
      else all.push(at);
    } else if (kind === "notice-sent") {
      const sender = logins.get(data.login);
      if (sender === undefined) return;
      const due = this.#due(sender, data.to, at);
      const key = `${data.id} ${sender.jid}`;
      const { received = [], times = 0 } = this.#sent.get(key) ?? {};
      this.#sent.set(key, { ...data, at, due, received, times: times + 1, refused: false });
    } else if (kind === "notice-received") this.#receive(data);
    else if (kind === "notice-refused") {
      const sent = this.#sent.get(`${data.id} ${logins.get(data.login)?.jid ?? ""}`);
      if (sent === undefined) return;
      sent.refused = true;
      const wrong = this.#unknownHosts.wrong(sent.id, sent.to, data.condition);
      if (wrong !== undefined) this.#failures.push(wrong);
    }
  }

  judge(cut = false): Verdict {
    let [judged, unknown] = [this.#received, 0];
    for (const sent of this.#sent.values()) {
      for (const recipient of sent.due) {
        if (sent.received.includes(recipient.login)) continue;
        if (cut || this.#isExcused(sent, recipient)) {
          unknown += 1;
          continue;
        }
        judged += 1;
        const { id, what, to, at } = sent;
        this.#failures.push(
          `${id} (${what}) to ${to}, sent at ${at} ms, was not given to ${recipient.login}`,
        );
      }
    }
    return { judged, unknown, failures: this.#failures };
  }

  #due(sender: Login, to: string, at: number): readonly Login[] {
    const { logins } = this.#gathered;
    return [...logins.liveOf(bareOf(to))].filter((login) => {
      if (to.includes("/") && login.jid !== to) return false;
      const near = login.node === sender.node;
      if (!near) return this.#shows(sender, login, !to.includes("/"));
      return to.includes("/") || this.#gathered.presences.certain(login.login, at)?.available;
    });
  }

  /** Does the sender's node show the session of another, available if it must be? */
  #shows(sender: Login, { node, jid }: Login, available: boolean): boolean {
    const { replicas } = this.#gathered;
    const self = replicas.running.get(sender.node);
    const owner = replicas.running.get(node)?.peer ?? "";
    const key = binaryFromText(jid);
    const own = replicas.history(owner, sessionTable.name)?.records.get(key);
    const value = self && replicas.view(self, sessionTable.name, owner)?.records.get(key);
    if (self === undefined || value === undefined || value !== own) return false;
    // Of two sessions of one name the other may be meant.
    if (replicas.isContested(self, sessionTable.name, key, owner)) return false;
    return !available || decodeSession(value)?.available === true;
  }

  #receive({ login, id, from, to, what }: TraceKinds["notice-received"]): void {
    const { logins, presences } = this.#gathered;
    const sent = this.#sent.get(`${id} ${from}`);
    const recipient = logins.get(login);
    const told = `${login} was given ${id} (${what})`;
    if (sent === undefined || recipient === undefined) {
      this.#failures.push(`${told} from "${from}", who did not send it`);
      return;
    }
    this.#received += 1;
    const { to: meant } = sent;
    if (what !== sent.what) this.#failures.push(`${told}, which was ${sent.what}`);
    if (to !== meant) this.#failures.push(`${told} as to ${to}, but it was to ${meant}`);
    if (meant !== recipient.jid && meant !== bareOf(recipient.jid)) {
      this.#failures.push(`${told}, which was to ${meant}`);
    }
    const before = sent.received.filter((each) => each === login).length;
    if (before >= sent.times) this.#failures.push(`${told} twice`);
    sent.received.push(login);
    // Whatever another node believed of it: its own knows.
    const absent = presences.certain(login, sent.at)?.available === false;
    if (absent && meant !== recipient.jid) {
      this.#failures.push(`${told} to ${meant}, but is not available`);
    }
  }

  /** May it have been lost with one of the two, or gone elsewhere, or found another state than when it was sent? */
  #isExcused({ login, to, at, refused }: Sent, recipient: Login): boolean {
    const { logins } = this.#gathered;
    const sender = logins.get(login);
    if (sender === undefined || refused) return true;
    if (mayHaveDied(sender, at) || logins.hasNoPower(sender.node)) return true;
    if (mayHaveDied(recipient, at) || logins.hasNoPower(recipient.node)) return true;
    const within = (each: number): boolean => each >= at && each <= at + underWayMaxMs;
    const withdrawals = this.#withdrawals.get(recipient.login) ?? [];
    const near = sender.node === recipient.node;
    // What it said before may have been on its way to the sender's node.
    const meets = (each: number): boolean => within(near ? each : each + staleMs) || within(each);
    if (!to.includes("/") && withdrawals.some(meets)) return true;
    if (near) return false;
    if (this.#anotherHasTheName(recipient, at)) return true;
    const until = at + underWayMaxMs;
    const lost = this.#lostLinks.between(sender.node, recipient.node, at, until);
    return lost || this.#fullness.since(at);
  }

  /** Had another node a session of that name by the time it arrived? Then that one may have been meant. */
  #anotherHasTheName({ jid, node }: Login, at: number): boolean {
    const all = this.#gathered.logins.ofUser(bareOf(jid));
    return all.some((other) => {
      if (other.jid !== jid || other.node === node) return false;
      const { boundAt = 0, endedAt = Infinity, nodeClosedAt = Infinity } = other;
      return boundAt <= at + underWayMaxMs && Math.min(endedAt, nodeClosedAt) >= at - staleMs;
    });
  }
}
