/**
 * Router: who gets this stanza?
 *
 * A bound client's stanza is checked (RFC 6120 §8), stamped with the client's own address, and its
 * addressee looked up in the directory of the whole cluster; what then happens stands in
 * `delivery-rules.ts`. A session here is delivered to, one of another node gets a `forward`. There, and
 * if it comes back because the node cannot be reached any more, it is looked up again (`reroute`).
 *
 * The router sends nothing: it returns effects. Its memory is the directory it is given.
 */
import { unreachable } from "../base/assert.ts";
import type { Peer } from "../cluster/peer.ts";
import { isWellFormedIq } from "../xmpp/iq.ts";
import type { Jid, JidCache } from "../xmpp/jid.ts";
import { errorReply, type StanzaErrorCondition } from "../xmpp/stanza-error.ts";
import type { Sendable, Stanza } from "../xmpp/stanza.ts";
import type { StreamErrorCondition } from "../xmpp/stream-error.ts";
import { deliveryRules, type Action, type Addressee, type Kind } from "./delivery-rules.ts";
import type { Directory, RemoteSession } from "./directory.ts";
import type { Feature, IqHandler, IqRequest } from "./feature.ts";
import { isAnswer, isStanza, kindOf, priorityOf } from "./kinds.ts";
import { Session } from "./session.ts";
import type { Transit } from "./stanza-frame.ts";

export type RouterEffect =
  /** `from` and `to`, where given, replace those of the stanza. */
  | {
      readonly type: "deliver";
      readonly session: Session;
      readonly stanza: Sendable;
      readonly from?: string;
      readonly to?: string;
      /** It came from another node. */
      readonly transit?: Transit;
    }
  /** To a session of another node. */
  | {
      readonly type: "forward";
      readonly peer: Peer;
      /** Its full JID. */
      readonly target: string;
      readonly stanza: Stanza;
      readonly from?: string;
      readonly to?: string;
      /** Where it has been before; undefined: it begins here. */
      readonly transit?: Transit;
    }
  /** An answer for a full JID that nobody has: its node may be out of sight. Addresses as in `forward`. */
  | {
      readonly type: "strand";
      readonly target: string;
      readonly stanza: Stanza;
      readonly from?: string;
      readonly to?: string;
      readonly transit?: Transit;
    }
  | { readonly type: "handle-iq"; readonly handler: IqHandler; readonly request: IqRequest }
  /** The client broke the stream's rules. */
  | {
      readonly type: "close-stream";
      readonly session: Session;
      readonly condition: StreamErrorCondition;
      readonly text: string;
    };

type Target = Session | RemoteSession;
/** A session here, or the address of one elsewhere: at `home`, if that is known. */
type Sender = Session | { readonly jid: Jid; readonly home: Peer | undefined };

const nothing: readonly RouterEffect[] = [];
/** Nodes whose views differ for a moment may pass a stanza to each other, but not for ever. */
const hopsMax = 4;

export class Router {
  readonly #hosts: ReadonlySet<string>;
  readonly #directory: Directory;
  readonly #jids: JidCache;
  readonly #iqHandlers = new Map<string, IqHandler>();

  constructor(
    hosts: readonly string[],
    directory: Directory,
    jids: JidCache,
    features: readonly Feature[],
  ) {
    this.#hosts = new Set(hosts);
    this.#directory = directory;
    this.#jids = jids;
    for (const { iq } of features) {
      for (const [key, handler] of Object.entries(iq ?? {})) this.#iqHandlers.set(key, handler);
    }
  }

  /** A stanza that a bound client sent. */
  route(sender: Session, stanza: Stanza): readonly RouterEffect[] {
    if (!isStanza(stanza)) {
      return closeStream(sender, "unsupported-stanza-type", `<${stanza.name}/> is not a stanza`);
    }
    const { from } = stanza;
    if (from !== undefined && from !== sender.jid.full && !this.#isOwn(sender, from)) {
      return closeStream(
        sender,
        "invalid-from",
        `This stream may only send from ${sender.jid.full}`,
      );
    }
    if (stanza.name === "iq" && !isWellFormedIq(stanza)) {
      return this.#refuse(sender, stanza, "bad-request");
    }
    if (stanza.to === undefined) return this.#routeToSelf(sender, stanza);
    const to = this.#jids.get(stanza.to);
    if (to === undefined) return this.#refuse(sender, stanza, "jid-malformed");
    return this.#routeTo(sender, stanza, to);
  }

  /**
   * A stanza from another node (`via`), or one that could not be passed to another. Undefined: it is none
   * that a router would have sent. It is opened if it does not just go to its target. `lookedUp` remembers,
   * of all that come back together, what was looked up for its user: once is enough for all copies of a
   * stanza, or each would go to all others of the user, and their nodes may be out of reach, too.
   */
  reroute(
    arrived: Sendable,
    transit: Transit,
    via?: Peer,
    lookedUp?: Set<string>,
  ): readonly RouterEffect[] | undefined {
    if (via !== undefined && arrived.from !== undefined) this.#directory.heard(arrived.from, via);
    const session = this.#directory.local.get(transit.target);
    const { home } = transit;
    if (session !== undefined && !this.#hasWithdrawn(session, arrived)) {
      if (arrived.name === "iq") noteAsker(session, arrived.open(), home);
      return [{ type: "deliver", session, stanza: arrived, transit }];
    }
    const stanza = arrived.open();
    const target = this.#jids.get(transit.target);
    const from = this.#jids.get(stanza.from ?? "");
    const to = stanza.to === undefined ? target?.toBare() : this.#jids.get(stanza.to);
    if (from === undefined || to === undefined || !isStanza(stanza)) return undefined;
    const here = home === undefined ? this.#directory.local.get(from.full) : undefined;
    const sender = here ?? { jid: from, home };
    if (transit.hops >= hopsMax) return this.#refuse(sender, stanza, "service-unavailable");
    // Its target has gone: wherever it goes now, it may come to a session that has had a copy of its own.
    const onwards = { ...transit, maybe: true };
    if (kindOf(stanza) === "iq request") {
      // Only its asker's node sends it anywhere: see `server/requests.ts`.
      if (home !== undefined) {
        return [{ type: "forward", peer: home, target: transit.target, stanza, transit: onwards }];
      }
      if (!(sender instanceof Session)) return this.#refuse(sender, stanza, "service-unavailable");
    }
    const peer = this.#directory.ownerOf(transit.target);
    if (peer !== undefined) {
      return [{ type: "forward", peer, target: transit.target, stanza, transit: onwards }];
    }
    const { origin, counter } = transit.id;
    const id = `${origin} ${counter}`;
    if (lookedUp?.has(id) === true) return nothing;
    lookedUp?.add(id);
    return this.#routeTo(sender, stanza, to, onwards);
  }

  /**
   * What is for the user, given to one session by a node whose record of it was older, or meant for another session of
   * that name, which cannot be reached: no message may come to one of negative priority, no presence to one that is
   * not available (RFC 6121 §8.5.2.1.1, §8.5.2.1.2).
   */
  #hasWithdrawn(session: Session, arrived: Sendable): boolean {
    if (arrived.name === "iq") return false;
    if (arrived.name === "presence" ? session.available : isReachable(session)) return false;
    const { to } = arrived.open();
    return to === undefined || this.#jids.get(to)?.full !== session.jid.full;
  }

  /** Gives back what could not be delivered after all; its sender, at `home` where that is known, is told (RFC 6120 §8.3). */
  bounce(
    stanza: Stanza,
    from: string | undefined,
    to: string,
    condition: StanzaErrorCondition,
    home?: Peer,
  ): readonly RouterEffect[] {
    const reply = errorReply(stanza, condition, { from: to });
    return reply === undefined ? nothing : this.#answer(from ?? stanza.from ?? "", reply, home);
  }

  /** RFC 6120 §8.1.2.1: a client may name itself by its bare JID or by an equivalent spelling. */
  #isOwn(sender: Session, from: string): boolean {
    const jid = this.#jids.get(from);
    return jid !== undefined && (jid.full === sender.jid.full || jid.full === sender.jid.bare);
  }

  /** RFC 6120 §10.3: no addressee means the sender's own account, for presence the server itself. */
  #routeToSelf(sender: Session, stanza: Stanza): readonly RouterEffect[] {
    if (stanza.name === "presence") return this.#ownPresence(sender, stanza);
    return this.#routeTo(sender, stanza, sender.jid.toBare());
  }

  #routeTo(sender: Sender, stanza: Stanza, to: Jid, transit?: Transit): readonly RouterEffect[] {
    if (!this.#hosts.has(to.domain)) return this.#refuse(sender, stanza, "remote-server-not-found");
    const kind = kindOf(stanza);
    if (kind === undefined) return this.#refuse(sender, stanza, "bad-request");
    if (to.local === "") return this.#routeToServer(sender, stanza, to, kind);
    if (to.resource !== "") {
      if (kind === "iq response" && transit === undefined && sender instanceof Session) {
        const peer = sender.takeAsker(to.full, stanza.id);
        const from = sender.jid.full;
        if (peer !== undefined) return [{ type: "forward", peer, target: to.full, stanza, from }];
      }
      const bound = this.#bound(to.full);
      if (bound !== undefined) {
        if (bound instanceof Session && kind === "iq request") {
          bound.takeAsker(sender.jid.full, stanza.id); // asked here now, not there any more
        }
        return this.#act(deliveryRules["full, bound"][kind], sender, stanza, to, [bound], transit);
      }
      if (isAnswer(kind)) {
        const onItsWay = transit === undefined ? { from: sender.jid.full } : { transit };
        return this.#toAsker(to.full, { stanza, ...onItsWay });
      }
    }
    const sessions = this.#sessionsOf(to);
    const addressee = addresseeOf(to, sessions);
    return this.#act(deliveryRules[addressee][kind], sender, stanza, to, sessions, transit);
  }

  #bound(full: string): Target | undefined {
    return this.#directory.local.get(full) ?? this.#directory.remote(full);
  }

  #sessionsOf(user: Jid): readonly Target[] {
    const here = this.#directory.local.of(user);
    const elsewhere = this.#directory.elsewhere(user);
    return elsewhere.length === 0 ? here : [...here, ...elsewhere];
  }

  #act(
    action: Action,
    sender: Sender,
    stanza: Stanza,
    to: Jid,
    sessions: readonly Target[],
    transit: Transit | undefined,
  ): readonly RouterEffect[] {
    switch (action) {
      case "deliver":
        return deliverTo(sessions, sender, stanza, transit);
      case "deliver to best":
        return deliverTo(bestOf(sessions), sender, stanza, transit);
      case "deliver to all":
        return deliverTo(sessions.filter(isReachable), sender, stanza, transit);
      case "deliver to available":
        return deliverTo(
          sessions.filter((session) => session.available),
          sender,
          stanza,
          transit,
        );
      case "store":
      case "bounce":
        return this.#refuse(sender, stanza, "service-unavailable");
      case "ignore":
        return nothing;
      case "handle":
        return this.#handle(sender, stanza, to, to.bare === sender.jid.bare ? "self" : "account");
      default:
        return unreachable(action);
    }
  }

  /** RFC 6121 §8.4 and RFC 6120 §10.5.2: addressed to the server itself. */
  #routeToServer(sender: Sender, stanza: Stanza, to: Jid, kind: Kind): readonly RouterEffect[] {
    if (kind === "iq request" && to.resource === "") {
      return this.#handle(sender, stanza, to, "server");
    }
    if (kind === "iq response" || stanza.name === "presence") return nothing;
    return this.#refuse(sender, stanza, "service-unavailable");
  }

  #handle(
    sender: Sender,
    stanza: Stanza,
    to: Jid,
    target: "server" | "self" | "account",
  ): readonly RouterEffect[] {
    const namespace = stanza.payloads[0]?.namespace ?? "";
    const handler = this.#iqHandlers.get(`${stanza.type ?? ""} ${target} ${namespace}`);
    // A node answers its own clients: no request to a bare JID or a server comes from another node.
    const answerable = handler !== undefined && sender instanceof Session;
    if (!answerable) return this.#refuse(sender, stanza, "service-unavailable");
    return [{ type: "handle-iq", handler, request: { stanza, from: sender.jid, to } }];
  }

  /** RFC 6121 §4.2, §4.4, §4.5: what routing needs of a client's own presence. */
  #ownPresence(sender: Session, stanza: Stanza): readonly RouterEffect[] {
    if (stanza.type === "unavailable") {
      return this.#setPresence(sender, false, 0);
    }
    if (stanza.type !== undefined) return this.#refuse(sender, stanza, "bad-request");
    const priority = priorityOf(stanza);
    if (priority === undefined) return this.#refuse(sender, stanza, "bad-request");
    return this.#setPresence(sender, true, priority);
  }

  #setPresence(session: Session, available: boolean, priority: number): readonly RouterEffect[] {
    session.available = available;
    session.priority = priority;
    this.#directory.update(session);
    return nothing;
  }

  #refuse(
    sender: Sender,
    stanza: Stanza,
    condition: StanzaErrorCondition,
  ): readonly RouterEffect[] {
    const from = stanza.to ?? sender.jid.bare;
    const reply = errorReply(stanza, condition, { from });
    if (reply === undefined) return nothing;
    if (sender instanceof Session) return answer(sender, reply);
    return this.#answer(sender.jid.full, reply, sender.home);
  }

  /**
   * A reply for whoever has this full JID; nobody may have it any more. Two may in a partial split: at `home` is the one
   * that has sent what this tells of, as long as its record is in sight. Of a request only that node wants to hear.
   */
  #answer(to: string, reply: Stanza, home: Peer | undefined): readonly RouterEffect[] {
    if (home !== undefined && (reply.name === "iq" || this.#directory.has(home, to))) {
      return [{ type: "forward", peer: home, target: to, stanza: reply, to }];
    }
    const session = this.#directory.local.get(to);
    if (session !== undefined) return answer(session, reply);
    return this.#toAsker(to, { stanza: reply, to });
  }

  /** The last word of an exchange, for the session of another node that began it. */
  #toAsker(
    target: string,
    answer: { stanza: Stanza; from?: string; to?: string; transit?: Transit },
  ): readonly RouterEffect[] {
    const peer = this.#directory.returnPath(target);
    if (peer !== undefined) return [{ type: "forward", peer, target, ...answer }];
    return this.#directory.clustered ? [{ type: "strand", target, ...answer }] : nothing;
  }
}

/** A request is given to a session: the answer goes to the node that asked; undefined: it was asked here. */
function noteAsker(session: Session, stanza: Stanza, asker: Peer | undefined): void {
  const { from, id } = stanza;
  if (from === undefined || id === undefined || kindOf(stanza) !== "iq request") return;
  if (asker === undefined) session.takeAsker(from, id);
  else session.askers.note(from, id, asker);
}

/** A reply for the session itself. */
export function answer(session: Session, reply: Stanza): readonly RouterEffect[] {
  return [{ type: "deliver", session, stanza: reply, to: session.jid.full }];
}

function closeStream(
  session: Session,
  condition: StreamErrorCondition,
  text: string,
): readonly RouterEffect[] {
  return [{ type: "close-stream", session, condition, text }];
}

function deliverTo(
  sessions: readonly Target[],
  sender: Sender,
  stanza: Stanza,
  transit: Transit | undefined,
): readonly RouterEffect[] {
  const from = sender.jid.full;
  const [only] = sessions;
  if (only !== undefined && sessions.length === 1) return [passTo(only, from, stanza, transit)];
  return sessions.map((session) => passTo(session, from, stanza, transit));
}

/** A stanza in transit bears its sender's address already. */
function passTo(
  session: Target,
  from: string,
  stanza: Stanza,
  transit: Transit | undefined,
): RouterEffect {
  if (session instanceof Session) {
    if (transit !== undefined) return { type: "deliver", session, stanza, transit };
    return { type: "deliver", session, stanza, from };
  }
  const { owner: peer, full: target } = session;
  if (transit !== undefined) return { type: "forward", peer, target, stanza, transit };
  return { type: "forward", peer, target, stanza, from };
}

/** What an address is when no session has exactly it. */
function addresseeOf(to: Jid, sessions: readonly Target[]): Addressee {
  const reachable = sessions.some(isReachable);
  if (to.resource === "") return reachable ? "bare, reachable" : "bare, unreachable";
  return reachable ? "full, unbound, reachable" : "full, unbound, unreachable";
}

function isReachable(session: Target): boolean {
  return session.available && session.priority >= 0;
}

/** RFC 6121 §8.5.2.1.1: those of the highest non-negative priority. */
function bestOf(sessions: readonly Target[]): readonly Target[] {
  let highest = 0;
  for (const session of sessions) {
    if (isReachable(session) && session.priority > highest) highest = session.priority;
  }
  return sessions.filter((session) => isReachable(session) && session.priority === highest);
}
