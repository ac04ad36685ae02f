/**
 * Router: who gets this stanza?
 *
 * A bound client's stanza is checked (RFC 6120 §8), stamped with the client's own address, and its
 * addressee looked up; what then happens stands in `delivery-rules.ts`. The router sends nothing: it
 * returns effects. Its memory is the session directory it is given.
 */
import { unreachable } from "../base/assert.ts";
import type { Jid, JidCache } from "../xmpp/jid.ts";
import { NS } from "../xmpp/namespaces.ts";
import { errorReply, type StanzaErrorCondition } from "../xmpp/stanza-error.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import type { StreamErrorCondition } from "../xmpp/stream-error.ts";
import { deliveryRules, type Action, type Addressee, type Kind } from "./delivery-rules.ts";
import type { Feature, IqHandler, IqRequest } from "./feature.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

export type RouterEffect =
  /** `from` and `to`, where given, replace those of the stanza. */
  | {
      readonly type: "deliver";
      readonly session: Session;
      readonly stanza: Stanza;
      readonly from?: string;
      readonly to?: string;
    }
  | { readonly type: "handle-iq"; readonly handler: IqHandler; readonly request: IqRequest }
  /** The client broke the stream's rules. */
  | {
      readonly type: "close-stream";
      readonly session: Session;
      readonly condition: StreamErrorCondition;
      readonly text: string;
    };

const nothing: readonly RouterEffect[] = [];

export class Router {
  readonly #hosts: ReadonlySet<string>;
  readonly #sessions: Sessions;
  readonly #jids: JidCache;
  readonly #iqHandlers = new Map<string, IqHandler>();

  constructor(
    hosts: readonly string[],
    sessions: Sessions,
    jids: JidCache,
    features: readonly Feature[],
  ) {
    this.#hosts = new Set(hosts);
    this.#sessions = sessions;
    this.#jids = jids;
    for (const { iq } of features) {
      for (const [key, handler] of Object.entries(iq ?? {})) this.#iqHandlers.set(key, handler);
    }
  }

  /** A stanza that a bound client sent. */
  route(sender: Session, stanza: Stanza): readonly RouterEffect[] {
    if (stanza.namespace !== NS.client || !isStanzaName(stanza.name)) {
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

  /** Gives back what could not be delivered after all; the sender learns of it (RFC 6120 §8.3). */
  bounce(stanza: Stanza, from: string | undefined, to: string): readonly RouterEffect[] {
    const sender = this.#sessions.get(from ?? stanza.from ?? "");
    if (sender === undefined) return nothing;
    const reply = errorReply(stanza, "recipient-unavailable", { from: to });
    return reply === undefined
      ? nothing
      : [{ type: "deliver", session: sender, stanza: reply, to: sender.jid.full }];
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

  #routeTo(sender: Session, stanza: Stanza, to: Jid): readonly RouterEffect[] {
    if (!this.#hosts.has(to.domain)) return this.#refuse(sender, stanza, "remote-server-not-found");
    const kind = kindOf(stanza);
    if (kind === undefined) return this.#refuse(sender, stanza, "bad-request");
    if (to.local === "") return this.#routeToServer(sender, stanza, to, kind);
    if (to.resource !== "") {
      const session = this.#sessions.get(to.full);
      if (session !== undefined) {
        return this.#act(deliveryRules["full, bound"][kind], sender, stanza, to, [session]);
      }
    }
    const sessions = this.#sessions.of(to);
    const addressee = addresseeOf(to, sessions);
    return this.#act(deliveryRules[addressee][kind], sender, stanza, to, sessions);
  }

  #act(
    action: Action,
    sender: Session,
    stanza: Stanza,
    to: Jid,
    sessions: readonly Session[],
  ): readonly RouterEffect[] {
    switch (action) {
      case "deliver":
        return deliverTo(sessions, sender, stanza);
      case "deliver to best":
        return deliverTo(bestOf(sessions), sender, stanza);
      case "deliver to all":
        return deliverTo(sessions.filter(isReachable), sender, stanza);
      case "deliver to available":
        return deliverTo(
          sessions.filter((session) => session.available),
          sender,
          stanza,
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
  #routeToServer(sender: Session, stanza: Stanza, to: Jid, kind: Kind): readonly RouterEffect[] {
    if (kind === "iq request" && to.resource === "") {
      return this.#handle(sender, stanza, to, "server");
    }
    if (kind === "iq response" || stanza.name === "presence") return nothing;
    return this.#refuse(sender, stanza, "service-unavailable");
  }

  #handle(
    sender: Session,
    stanza: Stanza,
    to: Jid,
    target: "server" | "self" | "account",
  ): readonly RouterEffect[] {
    const namespace = stanza.payloads[0]?.namespace ?? "";
    const handler = this.#iqHandlers.get(`${stanza.type ?? ""} ${target} ${namespace}`);
    if (handler === undefined) return this.#refuse(sender, stanza, "service-unavailable");
    return [{ type: "handle-iq", handler, request: { stanza, from: sender.jid, to } }];
  }

  /** RFC 6121 §4.2, §4.4, §4.5: what routing needs of a client's own presence. */
  #ownPresence(sender: Session, stanza: Stanza): readonly RouterEffect[] {
    if (stanza.type === "unavailable") {
      sender.available = false;
      sender.priority = 0;
      return nothing;
    }
    if (stanza.type !== undefined) return this.#refuse(sender, stanza, "bad-request");
    const priority = priorityOf(stanza);
    if (priority === undefined) return this.#refuse(sender, stanza, "bad-request");
    sender.available = true;
    sender.priority = priority;
    return nothing;
  }

  #refuse(
    sender: Session,
    stanza: Stanza,
    condition: StanzaErrorCondition,
  ): readonly RouterEffect[] {
    const from = stanza.to ?? sender.jid.bare;
    const reply = errorReply(stanza, condition, { from });
    return reply === undefined ? nothing : answer(sender, reply);
  }
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
  sessions: readonly Session[],
  sender: Session,
  stanza: Stanza,
): readonly RouterEffect[] {
  const from = sender.jid.full;
  return sessions.map((session) => ({ type: "deliver", session, stanza, from }));
}

function isStanzaName(name: string): boolean {
  return name === "message" || name === "presence" || name === "iq";
}

/** RFC 6120 §8.2.3 */
function isWellFormedIq(iq: Stanza): boolean {
  if (iq.id === undefined) return false;
  switch (iq.type) {
    case "get":
    case "set":
      return iq.payloads.length === 1;
    case "result":
      return iq.payloads.length <= 1;
    case "error":
      return true;
    default:
      return false;
  }
}

function kindOf(stanza: Stanza): Kind | undefined {
  if (stanza.name === "iq") {
    return stanza.type === "get" || stanza.type === "set" ? "iq request" : "iq response";
  }
  return stanza.name === "message" ? messageKind(stanza.type) : presenceKind(stanza.type);
}

/** RFC 6121 §5.2.2: an unknown type of message is a normal one. */
function messageKind(type: string | undefined): Kind {
  switch (type) {
    case "chat":
      return "message chat";
    case "groupchat":
      return "message groupchat";
    case "headline":
      return "message headline";
    case "error":
      return "message error";
    default:
      return "message normal";
  }
}

/** RFC 6121 §4.7.1 */
function presenceKind(type: string | undefined): Kind | undefined {
  switch (type) {
    case undefined:
    case "unavailable":
      return "presence";
    case "subscribe":
    case "subscribed":
    case "unsubscribe":
    case "unsubscribed":
      return "presence subscription";
    case "probe":
      return "presence probe";
    case "error":
      return "presence error";
    default:
      return undefined;
  }
}

/** What an address is when no session has exactly it. */
function addresseeOf(to: Jid, sessions: readonly Session[]): Addressee {
  const reachable = sessions.some(isReachable);
  if (to.resource === "") return reachable ? "bare, reachable" : "bare, unreachable";
  return reachable ? "full, unbound, reachable" : "full, unbound, unreachable";
}

function isReachable(session: Session): boolean {
  return session.available && session.priority >= 0;
}

/** RFC 6121 §8.5.2.1.1: those of the highest non-negative priority. */
function bestOf(sessions: readonly Session[]): readonly Session[] {
  let highest = 0;
  for (const session of sessions) {
    if (isReachable(session) && session.priority > highest) highest = session.priority;
  }
  return sessions.filter((session) => isReachable(session) && session.priority === highest);
}

/** Undefined where it is not an integer from -128 to 127 (RFC 6121 §4.7.2.3). */
function priorityOf(presence: Stanza): number | undefined {
  if (!presence.payloads.some(({ name }) => name === "priority")) return 0;
  const text = presence.element().getChildText("priority")?.trim() ?? "";
  if (!/^[+-]?[0-9]{1,3}$/.test(text)) return undefined;
  const priority = Number(text);
  return priority >= -128 && priority <= 127 ? priority : undefined;
}
