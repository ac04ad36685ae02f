/**
 * Traffic: what bound clients send, what the router makes of it, and the answers of features.
 *
 * The router says who gets a stanza; here it is given to the stream of that session. What a stream could
 * not send after all comes back here, so that its sender is told.
 */
import { Element } from "ltx";
import type { Piece } from "../base/chunk.ts";
import type { Duration, Instant, Now } from "../base/time.ts";
import { WireError } from "../cluster/codec.ts";
import type { Peer } from "../cluster/peer.ts";
import type { Log } from "../ports/log.ts";
import type { Work } from "../ports/work.ts";
import type { Directory } from "../router/directory.ts";
import type { Feature } from "../router/feature.ts";
import { answer, type Router, type RouterEffect } from "../router/router.ts";
import type { Session } from "../router/session.ts";
import type { StanzaFrame, StanzaId } from "../router/stanza-frame.ts";
import type { Delivery } from "../stream/c2s.ts";
import type { Jid, JidCache } from "../xmpp/jid.ts";
import { NS } from "../xmpp/namespaces.ts";
import { errorReply } from "../xmpp/stanza-error.ts";
import { Bounces } from "./bounces.ts";
import { Stanza, type Sendable } from "../xmpp/stanza.ts";
import type { Client, Clients } from "./clients.ts";
import type { Faults } from "./faults.ts";
import type { FeatureHost, Moment } from "./feature-host.ts";
import type { NodeMetrics } from "./metrics.ts";
import { isLast, type Forward, type StanzaExchange } from "./stanza-exchange.ts";
import { Requests, type Request } from "./requests.ts";
import { Stranded, type Strand } from "./stranded.ts";
import type { WorkRunner } from "./work-runner.ts";

export interface TrafficOptions {
  readonly directory: Directory;
  readonly jids: JidCache;
  readonly router: Router;
  readonly features: readonly Feature[];
  readonly host: FeatureHost;
  readonly counts: NodeMetrics;
  readonly faults: Faults;
  readonly log: Log;
  readonly work: WorkRunner;
  readonly clients: Clients;
  readonly moment: (now: Now) => Moment;
}

/** What a sender is told of a stanza that could not leave for another node. */
const forwardErrors = {
  full: "resource-constraint",
  "too-large": "policy-violation",
  unreachable: "service-unavailable",
} as const;

/** No node's origin, which begins with its boot. */
const here = "";

type Deliver = Extract<RouterEffect, { type: "deliver" }>;

export class Traffic {
  readonly #options: TrafficOptions;
  readonly #bounces = new Bounces();
  #stranded = new Stranded();
  #requests = new Requests();
  #exchange: StanzaExchange | undefined;
  #fanOuts = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** A stanza from a bound client. */
  stanza(now: Now, client: Client, stanza: Stanza): void {
    const { session } = client;
    if (session === undefined || client.ended) return;
    const { counts, router } = this.#options;
    counts.received.value += 1;
    this.#performAll(now, router.route(session, stanza));
  }

  /** Deliveries that never left: each sender learns of it from whom it addressed, not from which session. */
  handBack(now: Now, client: Client, deliveries: readonly Delivery[]): void {
    const { session } = client;
    if (session === undefined) return;
    const { counts, router } = this.#options;
    for (const { stanza, from, transit } of deliveries) {
      if (!this.#bounces.isFirst(transit?.id)) continue;
      counts.bounced.value += 1;
      const opened = this.#open(stanza);
      if (opened === undefined) continue;
      const to = opened.to ?? session.jid.full;
      const condition = "recipient-unavailable";
      this.#performAll(now, router.bounce(opened, from, to, condition, transit?.home));
    }
  }

  /** In-band registration before authentication (XEP-0077). */
  register(now: Now, client: Client, received: Stanza): void {
    const { clients, features, host, moment } = this.#options;
    const request = received.copy();
    const reply = (later: Now, stanza: Stanza): void =>
      clients.step(later, client, { type: "deliver", delivery: { stanza } });
    const handler = features.find(({ register }) => register !== undefined)?.register;
    if (handler === undefined) {
      const refusal = errorReply(request, "service-unavailable");
      if (refusal !== undefined) reply(now, refusal);
      return;
    }
    const context = host.context(moment(now));
    this.#answerWith(now, request, handler(client.stream.host, request, context), reply);
  }

  // --- other nodes

  /** The node has joined a cluster; `queueBytes` may wait for each peer, a request so long for one out of sight. */
  join(exchange: StanzaExchange, queueBytes: number, requestPatience?: Duration): void {
    this.#exchange = exchange;
    this.#stranded = new Stranded(queueBytes);
    this.#requests = new Requests(requestPatience);
  }

  /** A stanza frame from another node. */
  frame(now: Now, body: Piece, via: Peer): void {
    const frame = this.#exchange?.read(body, via);
    if (frame === undefined || this.#goesNowhere(frame)) return;
    const effects = this.#options.router.reroute(frame.stanza, frame.transit, via);
    this.#rerouted(now, effects, frame.transit.id);
  }

  /**
   * Ours, which a peer may not have received. `lookedUp`: see `Router.reroute`. `lost`: that peer, if it may come
   * back: an answer waits for it, whoever else has a session of its asker's name.
   */
  returned(now: Now, body: Piece, lookedUp: Set<string>, lost?: Peer): void {
    const frame = this.#exchange?.read(body);
    if (frame === undefined || this.#goesNowhere(frame)) return;
    const transit = { ...frame.transit, maybe: true };
    const answer = this.#answerIn(frame);
    if (answer !== undefined && lost !== undefined) {
      const { target } = transit;
      return this.#strand(now, { type: "strand", target, stanza: answer, transit, asker: lost });
    }
    const effects = this.#options.router.reroute(frame.stanza, transit, undefined, lookedUp);
    this.#rerouted(now, effects, transit.id);
  }

  /** Whoever it was: it waits for no answer any more. */
  sessionEnded({ sid }: Session): void {
    this.#requests.sessionEnded(sid);
  }

  /** A peer is out of sight, and has not left. */
  peerLost(now: Now, peer: Peer): void {
    this.#stranded.peerLost(now.at, peer);
  }

  /** What a peer did not receive has been looked up; `final`: what it did receive, nobody will answer. */
  peerDown(now: Now, peer: Peer, final: boolean): void {
    if (final) this.#answerFor(now, this.#requests.peerGone(peer));
    else this.#requests.peerLost(now.at, peer);
  }

  /** When requests have waited long enough for a peer that is out of sight. */
  deadline(): Instant | undefined {
    return this.#requests.deadline();
  }

  expire(now: Now): void {
    this.#answerFor(now, this.#requests.expire(now.at));
  }

  #answerFor(now: Now, requests: readonly Request[]): void {
    const { counts, directory } = this.#options;
    for (const { asker, to, id } of requests) {
      const session = directory.local.get(asker);
      if (session === undefined) continue;
      counts.bounced.value += 1;
      const request = new Element("iq", { xmlns: NS.client, type: "get", to, id });
      const refusal = errorReply(Stanza.of(request), "service-unavailable");
      if (refusal !== undefined) this.#performAll(now, answer(session, refusal));
    }
  }

  /** Its records are in sight: answers that waited for somebody there go on. */
  peerBack(now: Now, peer: Peer): void {
    const { directory } = this.#options;
    this.#answerFor(now, this.#requests.peerBack(peer));
    const { found, givenUp } = this.#stranded.peerBack(
      now.at,
      peer,
      (full) => directory.local.get(full) !== undefined || directory.ownerOf(full) !== undefined,
    );
    this.#giveUp(givenUp);
    for (const strand of found) this.#goOn(now, strand);
  }

  #goOn(now: Now, { asker, ...answer }: Strand): void {
    if (asker !== undefined) return this.#perform(now, { ...answer, type: "forward", peer: asker });
    const session = this.#options.directory.local.get(answer.target);
    const peer = this.#options.directory.ownerOf(answer.target);
    if (session !== undefined) this.#perform(now, { ...answer, type: "deliver", session });
    else if (peer !== undefined) this.#perform(now, { ...answer, type: "forward", peer });
  }

  #rerouted(now: Now, effects: readonly RouterEffect[] | undefined, id: StanzaId): void {
    if (effects === undefined) {
      return this.#options.faults.refusedFrame("its addresses cannot be read");
    }
    // What travels on bears its transit: anything else tells the sender that it does not.
    const isBounce = effects.length > 0 && effects.every((effect) => !("transit" in effect));
    if (isBounce && !this.#bounces.isFirst(id)) return;
    this.#performAll(now, effects);
  }

  /** Undefined: another node sent bytes that are none. */
  #open(stanza: Sendable): Stanza | undefined {
    try {
      return stanza.open();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#options.faults.refusedFrame(error.message);
      return undefined;
    }
  }

  /** Another node has ended the account. */
  endRequested(now: Now, body: Piece): void {
    const asked = this.#exchange?.readEnd(body);
    const user = this.#options.jids.get(asked?.bare ?? "");
    if (asked !== undefined && user !== undefined) this.#endLocal(now, user, asked.reason);
  }

  #performAll(now: Now, effects: readonly RouterEffect[]): void {
    if (effects.length < 2) {
      for (const effect of effects) this.#perform(now, effect);
      return;
    }
    // Copies share an id: one that is handed back and looked up again finds who has had it already, and
    // of those that come to nothing only one is told of.
    const crossing = effects.some(({ type }) => type === "forward");
    const id = (crossing ? this.#exchange?.mint() : undefined) ?? this.#localId();
    for (const effect of effects) this.#perform(now, effect, id);
  }

  /** For copies that stay here. */
  #localId(): StanzaId {
    return { origin: here, counter: ++this.#fanOuts };
  }

  #perform(now: Now, effect: RouterEffect, id?: StanzaId): void {
    switch (effect.type) {
      case "deliver":
        return this.#deliver(now, effect, id);
      case "forward":
        return this.#forward(now, effect, id);
      case "strand":
        return this.#strand(now, effect);
      case "close-stream":
        return this.#options.clients.end(now, effect.session, effect.condition, effect.text);
      case "handle-iq":
        return this.#handleIq(now, effect);
    }
  }

  #deliver(now: Now, effect: Deliver, id: StanzaId | undefined): void {
    const { clients, counts } = this.#options;
    const { session, transit } = effect;
    const client = clients.of(session);
    if (client === undefined) return;
    if (transit !== undefined && effect.stanza.name === "iq" && !this.#isDue(effect)) {
      counts.duplicates.value += 1;
      return;
    }
    const arriving = transit?.id ?? id;
    if (arriving !== undefined && arriving.origin !== here) {
      const maybe = transit?.maybe ?? false;
      if (this.#exchange?.arrive(session, arriving, maybe) === false) {
        counts.duplicates.value += 1;
        return;
      }
    }
    counts.delivered.value += 1;
    const delivery =
      transit !== undefined || id === undefined ? effect : { ...effect, transit: { id } };
    if (client.held === undefined) {
      return clients.step(now, client, { type: "deliver", delivery });
    }
    if (client.held.put(delivery)) return;
    const text = "More waits to be read than is allowed";
    clients.end(now, session, "resource-constraint", text);
  }

  /** A request from here that has come back goes nowhere if it has its answer, or if its asker has gone. */
  #goesNowhere({ stanza, transit }: StanzaFrame): boolean {
    if (stanza.name !== "iq" || this.#exchange?.minted(transit.id) !== true) return false;
    const iq = this.#open(stanza);
    if (iq?.id === undefined || isLast(iq)) return false;
    const { sid } = this.#options.directory.local.get(iq.from ?? "") ?? {};
    return sid === undefined || !this.#requests.close({ sid, target: transit.target, id: iq.id });
  }

  /** What answers a request, if this does. */
  #answerIn({ stanza }: StanzaFrame): Stanza | undefined {
    const iq = stanza.name === "iq" ? this.#open(stanza) : undefined;
    return iq !== undefined && isLast(iq) ? iq : undefined;
  }

  /** From another node: no request, nor a second answer to one. */
  #isDue({ session, stanza }: Deliver): boolean {
    const iq = this.#open(stanza);
    if (iq?.id === undefined || !isLast(iq)) return true;
    const target = this.#options.jids.get(iq.from ?? "")?.full ?? "";
    return this.#requests.close({ sid: session.sid, target, id: iq.id });
  }

  /** A request has left; only its asker's node will know that it has. */
  #asked(now: Now, { stanza, from = stanza.from ?? "", target, peer, transit }: Forward): void {
    if (isLast(stanza) || (transit !== undefined && !this.#exchange?.minted(transit.id))) return;
    const { id, to = target } = stanza;
    const { sid } = this.#options.directory.local.get(from) ?? {};
    if (sid === undefined || id === undefined) return;
    this.#answerFor(now, this.#requests.sent({ asker: from, target, id, sid, to, peer }));
  }

  #forward(now: Now, effect: Forward, id: StanzaId | undefined): void {
    const { counts, router } = this.#options;
    const outcome = this.#exchange?.forward(effect, id) ?? "unreachable";
    if (outcome === "sent") {
      counts.forwarded.value += 1;
      if (effect.stanza.name === "iq") this.#asked(now, effect);
      return;
    }
    const { stanza, target, transit } = effect;
    if (outcome === "unreachable" && isLast(stanza)) {
      // A link ends when answers fill it beyond measure; before the step is over nobody is out of sight yet.
      const strand: Strand = { ...effect, type: "strand", asker: effect.peer };
      if (!this.#stranded.waitsForSomebody(now.at)) this.#giveUp([strand]);
      return this.#strand(now, strand);
    }
    if (!this.#bounces.isFirst(transit?.id ?? id)) return;
    counts.bounced.value += 1;
    const to = stanza.to ?? target;
    const effects = router.bounce(stanza, effect.from, to, forwardErrors[outcome], transit?.home);
    this.#performAll(now, effects);
  }

  #strand(now: Now, answer: Strand): void {
    this.#giveUp(this.#stranded.put(now.at, answer));
  }

  #giveUp(answers: readonly Strand[]): void {
    const { counts, log } = this.#options;
    counts.lostAnswers.value += answers.length;
    for (const { stanza, target } of answers) {
      log.write("debug", "answer-given-up", { id: stanza.id ?? "", to: target });
    }
  }

  #handleIq(now: Now, effect: Extract<RouterEffect, { type: "handle-iq" }>): void {
    const { directory, host, moment } = this.#options;
    const sessions = directory.local;
    const { handler, request } = effect;
    const asked = { ...request, stanza: request.stanza.copy() };
    const asker = sessions.get(request.from.full);
    const reply = (later: Now, stanza: Stanza): void => {
      const session = sessions.get(request.from.full);
      if (session === undefined || session !== asker) return; // gone, or replaced meanwhile
      const addresses = { from: asked.stanza.to ?? request.from.bare, to: request.from.full };
      this.#perform(later, { type: "deliver", session, stanza, ...addresses });
    };
    const ending: { bare: string; text: string }[] = [];
    const context = host.context(moment(now), (bare, text) => ending.push({ bare, text }));
    this.#answerWith(now, asked.stanza, handler(asked, context), (later, stanza) => {
      reply(later, stanza);
      for (const { bare, text } of ending) this.#endAll(later, bare, text);
    });
  }

  /** Here and, by their nodes, elsewhere. */
  #endAll(now: Now, bare: string, text: string): void {
    const user = this.#options.jids.get(bare);
    if (user === undefined) return;
    this.#endLocal(now, user, text);
    const owners = this.#options.directory.elsewhere(user).map(({ owner }) => owner);
    this.#exchange?.endSessions(new Set(owners), bare, text);
  }

  #endLocal(now: Now, user: Jid, text: string): void {
    const { clients, directory } = this.#options;
    for (const session of [...directory.local.of(user)]) {
      clients.end(now, session, "not-authorized", text);
    }
  }

  /** A handler's answer: at once, or when its work is done; a failed database is an error to the asker. */
  #answerWith(
    now: Now,
    request: Stanza,
    outcome: Stanza | Work<Stanza>,
    reply: (now: Now, stanza: Stanza) => void,
  ): void {
    if ("kind" in outcome) return reply(now, outcome);
    const { work, faults } = this.#options;
    work.start(now, outcome, {
      done: reply,
      failed: (later, error) => {
        faults.database("iq", error);
        const text = "The database does not answer now; try again later";
        const refusal = errorReply(request, "resource-constraint", { text });
        if (refusal !== undefined) reply(later, refusal);
      },
      broken: (later, error) => {
        faults.bug("iq-fault", error);
        const refusal = errorReply(request, "internal-server-error");
        if (refusal !== undefined) reply(later, refusal);
      },
    });
  }
}
