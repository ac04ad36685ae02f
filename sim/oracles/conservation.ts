/**
 * Conservation: is every message delivered or bounced, once, in order, to the right client?
 *
 * A message whose sender or recipient lost its connection while it may have been under way is unknown:
 * without acknowledgements (XEP-0198) nobody can tell. The window for that is bounded, so that one lost
 * connection does not excuse a whole run. The death of a node on the way is such a loss, too.
 *
 * Between nodes a message may be handed back by a link that has died, or find that its session has ended
 * or wants none any more, and be looked up again: then it may go to other sessions of its user, later than
 * what was sent after it, or sooner than what was sent before; but what is handed back together stays in
 * order, whether it is delivered or bounces. Each copy of it may bounce. No session is given it twice, unless it has
 * had so many others meanwhile that it has forgotten (`src/router/arrivals.ts`). A headline to a user may be
 * ignored (RFC 6121 §8.5.2.2.1).
 */
import { GivenUp } from "./given-up.ts";
import { bodyOf } from "../clients/wording.ts";
import { bareOf, userOf } from "../addresses.ts";
import { arrivalsRemembered } from "../../src/router/arrivals.ts";
import { leftInOrder, mayHaveDied, type Login, type Logins } from "./logins.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../trace.ts";
import type { Gathered, Oracle, OracleMaker, Verdict } from "./oracle.ts";
import type { Written } from "./written.ts";

/** A link that died with messages that its peer had not acknowledged. */
interface Return {
  readonly at: number;
}

interface Sent {
  readonly id: string;
  readonly login: string;
  readonly to: string;
  readonly ignorable: boolean;
  readonly at: number;
  readonly sequence: number;
  /** By login: how many messages it had had by then, this one included. */
  readonly received: Map<string, number>;
  bounced: number;
  /** How often links handed it back, and with what it came back last. */
  handedBack: number;
  returned: Return | undefined;
  /** Had a node written it to any client before it came back last? One of its copies may still be under way. */
  writtenBefore: boolean;
  /** When it last came to anybody, itself or as a bounce. */
  cameAt: number;
  /** With which condition it bounced last. */
  condition: string;
  /** Has a node written it, or its bounce, to any client? Until then no end of a client excuses its loss. */
  written: boolean;
}

/** How long a message is under way between nodes, and a node knows a session that has ended. */
const staleMs = 30_000;

export const conservation: OracleMaker = (plan, gathered) =>
  new Conservation(plan.topology.cluster !== undefined, gathered);

class Conservation implements Oracle {
  readonly name = "conservation";
  readonly counts = "messages and deliveries";
  readonly sees: readonly TraceKind[];
  readonly #logins: Logins;
  readonly #written: Written;
  readonly #messages = new Map<string, Sent>();
  /** How many messages each login has received. */
  readonly #numbers = new Map<string, number>();
  /** The last message that a login received from another, and the last of an address that bounced to it. */
  readonly #last = new Map<string, Sent>();
  readonly #failures: string[] = [];
  readonly #clustered: boolean;
  /** By login: whether it wants messages. */
  readonly #wants = new Map<string, boolean>();
  /** By user: when one of the sessions wanted no more messages. */
  readonly #withdrewAt = new Map<string, number>();
  /** Bounces that nodes say they have given up: nobody in sight was their sender. */
  readonly #givenUp = new GivenUp();
  #deliveries = 0;
  #sequence = 0;

  constructor(clustered: boolean, { logins, written }: Gathered) {
    this.sees = [
      ...logins.sees,
      ...written.sees,
      "message-sent",
      "message-received",
      "message-bounced",
      "presence-sent",
      "peer-down",
      ...this.#givenUp.sees,
    ];
    this.#logins = logins;
    this.#written = written;
    this.#clustered = clustered;
  }

  see(event: TraceEvent): void {
    this.#logins.see(event);
    this.#givenUp.see(event);
    const { kind, data, at } = event;
    if (kind === "message-sent") {
      const { id, login, to } = data;
      const sequence = ++this.#sequence;
      this.#messages.set(id, {
        id,
        login,
        to,
        ignorable: data.type === "headline" && !to.includes("/"),
        at,
        sequence,
        received: new Map(),
        bounced: 0,
        handedBack: 0,
        returned: undefined,
        writtenBefore: false,
        cameAt: at,
        condition: "",
        written: false,
      });
    } else if (kind === "message-received") this.#received(data, at);
    else if (kind === "peer-down") this.#returned(data.handedBack ?? [], at);
    else if (kind === "presence-sent") this.#presence(data, at);
    else if (kind === "message-bounced") this.#bounced(data, at);
    for (const id of this.#written.see(event)) {
      const message = this.#messages.get(id);
      if (message !== undefined) message.written = true;
    }
  }

  judge(cut = false): Verdict {
    let unknown = 0;
    for (const message of this.#messages.values()) {
      const fate = cut ? "unknown" : this.#fate(message);
      if (fate === "unknown") unknown += 1;
      if (fate === "lost") {
        const { id, to, at } = message;
        this.#fail(`${id} to ${to}, sent at ${at} ms, was neither delivered nor bounced`);
      }
    }
    const judged = this.#messages.size - unknown + this.#deliveries;
    return { judged, unknown, failures: this.#failures };
  }

  #received({ login, id, from, to, body }: TraceKinds["message-received"], at: number): void {
    const message = this.#messages.get(id);
    if (message === undefined) return this.#fail(`${login} received ${id}, which nobody sent`);
    this.#deliveries += 1;
    const sender = this.#logins.get(message.login);
    const recipient = this.#logins.get(login);
    const number = (this.#numbers.get(login) ?? 0) + 1;
    this.#numbers.set(login, number);
    const before = message.received.get(login);
    // Its session may have forgotten by then: it remembers so many.
    const isKnown = before !== undefined && number - before <= arrivalsRemembered;
    if (isKnown) this.#fail(`${login} received ${id} twice`);
    message.received.set(login, number);
    if (sender !== undefined && sender.jid !== from) {
      this.#fail(
        `${id} was sent by ${sender.jid} but arrived from ${from === "" ? "nobody" : from}`,
      );
    }
    if (recipient !== undefined && bareOf(message.to) !== bareOf(recipient.jid)) {
      this.#fail(`${id} was sent to ${message.to} but ${recipient.jid} received it`);
    }
    if (to !== message.to) this.#fail(`${id} was sent to ${message.to} but arrived for ${to}`);
    if (body !== bodyOf(id, body.length)) this.#fail(`${id} arrived with another body`);
    const pair = `${message.login} > ${login}`;
    const last = this.#last.get(pair);
    this.#last.set(pair, message);
    message.cameAt = at;
    if (last === undefined || message.sequence >= last.sequence) return;
    const excused = message.handedBack > 0 || this.#lookedUpAgain(message, recipient);
    if (excused && (!cameBackTogether(message, last) || this.#hadAnother(message, last))) return;
    this.#fail(`${id} came after a later message on ${pair}`);
  }

  #returned(ids: readonly string[], at: number): void {
    const together = { at };
    for (const id of ids) {
      const message = this.#messages.get(id);
      if (message === undefined) continue;
      message.handedBack += 1;
      message.returned = together;
      message.writtenBefore = message.written;
    }
  }

  #presence({ login, available, priority }: TraceKinds["presence-sent"], at: number): void {
    const wants = available && priority >= 0;
    const user = bareOf(this.#logins.get(login)?.jid ?? "");
    if (!wants && this.#wants.get(login) === true) this.#withdrewAt.set(user, at);
    this.#wants.set(login, wants);
  }

  /** A bounce may meet a later login with the same address. */
  #bounced({ login, id, condition, from }: TraceKinds["message-bounced"], at: number): void {
    const message = this.#messages.get(id);
    if (message === undefined || !this.#logins.sameAddress(message.login, login)) {
      return this.#fail(`${login} was told that ${id} bounced, which it never sent`);
    }
    // RFC 6120 §8.3.1: or its client could not tell what it is about.
    if (from !== undefined && from !== message.to) {
      this.#fail(
        `${id} was sent to ${message.to} but bounced from ${from === "" ? "nobody" : from}`,
      );
    }
    message.bounced += 1;
    // Copies for several resources may each come to nothing.
    const copies = this.#clustered ? this.#logins.ofUser(bareOf(message.to)).length : 1;
    // Handed back without a receipt it bounces where it began, and where it had arrived perhaps, too.
    const handedBack = Math.min(1, message.handedBack);
    if (message.bounced > Math.max(1, copies) + handedBack) this.#fail(`${id} bounced twice`);
    if (message.bounced > 1 || !message.to.includes("/") || condition === "resource-constraint")
      return;
    // What came back may have gone to the user's others, on any nodes, and bounced there.
    if (this.#logins.ofUser(bareOf(message.to)).some(({ jid }) => jid !== message.to)) return;
    const way = `${login} < ${message.to}`;
    const last = this.#last.get(way);
    this.#last.set(way, message);
    message.cameAt = at;
    message.condition = condition;
    if (last === undefined || message.sequence >= last.sequence) return;
    // What came back may have been the bounce itself, of one that had got as far as a session.
    if (condition !== last.condition) return;
    if (!cameBackTogether(message, last) || this.#hadAnother(message, last)) return;
    this.#fail(`${id} to ${message.to} bounced after a later message`);
  }

  #fate(message: Sent): "known" | "unknown" | "lost" {
    if (message.received.size > 0 || message.bounced > 0) return "known";
    if (message.ignorable) return "unknown";
    const sender = this.#logins.get(message.login);
    if (sender !== undefined && mayHaveDied(sender, message.at) && !sender.clean) return "unknown";
    if (sender !== undefined && this.#nodeEnded(sender.node, message.at)) return "unknown";
    // What is sent to a machine without power arrives nowhere, and nothing says so.
    if (sender !== undefined && this.#logins.hasNoPower(sender.node)) return "unknown";
    if (!message.written && sender?.endedAt === undefined && this.#mustBeTold(message))
      return "lost";
    const known = this.#logins.ofUser(bareOf(message.to));
    const recipients = [...known, ...this.#logins.unboundOf(userOf(message.to))];
    // Nothing but its own node had to be asked: whoever leaves in order hears of it before the closing tag.
    if (recipients.length === 0 && sender !== undefined && leftInOrder(sender)) return "lost";
    for (const recipient of recipients) {
      if (mayHaveDied(recipient, message.at - (this.#clustered ? staleMs : 0))) return "unknown";
      if (this.#nodeEnded(recipient.node, message.at)) return "unknown";
    }
    // Left in order: a bounce could no longer reach it; one from another node may take a while.
    if (sender?.endedAt !== undefined) {
      const late = this.#clustered && sender.endedAt <= message.at + staleMs;
      if (known.length === 0 || late) return "unknown";
    }
    return "lost";
  }

  /** No process took it along when it ended, and its node does not say that it has given up telling its sender. */
  #mustBeTold({ id, at }: Sent): boolean {
    return !this.#givenUp.has(id) && !this.#logins.anyNodeEnded(at);
  }

  /** Once its session has gone, or has another name, it may come late. */
  #lookedUpAgain(message: Sent, recipient: Login | undefined): boolean {
    if (!this.#clustered) return false;
    if (recipient !== undefined && (recipient.boundAt ?? 0) > message.at) return true;
    if (message.to.includes("/") && recipient?.jid !== message.to) return true;
    // A copy for a session that ended or withdrew meanwhile goes to the others of its user.
    const user = bareOf(message.to);
    if ((this.#withdrewAt.get(user) ?? -1) >= message.at - staleMs) return true;
    const others = this.#logins.ofUser(user);
    return others.some((login) => mayHaveDied(login, message.at - staleMs));
  }

  /** A session took the name between them: the older may have been on its way to the one before. */
  #hadAnother({ to, at }: Sent, newer: Sent): boolean {
    return this.#logins
      .ofUser(bareOf(to))
      .some(({ jid, boundAt = 0 }) => jid === to && boundAt > at && boundAt <= newer.at);
  }

  #nodeEnded(node: string, sentAt: number): boolean {
    return this.#clustered && this.#logins.nodeEnded(node, sentAt, sentAt + staleMs);
  }

  #fail(what: string): void {
    this.#failures.push(what);
  }
}

/** By one link, for one session, and what came since came of that: then they went the same way. */
function cameBackTogether(one: Sent, other: Sent): boolean {
  const { returned, to } = one;
  // What comes back a second time had been sent again, behind what was newer.
  if (one.handedBack > 1 || other.handedBack > 1) return false;
  if (returned === undefined || returned !== other.returned || other.cameAt < returned.at)
    return false;
  // To a session that is not there it goes to all best ones of its user: that copy may be a client's who reads slowly.
  if (other.writtenBefore) return false;
  return to === other.to && to.includes("/");
}
