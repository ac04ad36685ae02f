/**
 * Traffic: what bound clients send, what the router makes of it, and the answers of features.
 *
 * The router says who gets a stanza; here it is given to the stream of that session. What a stream could
 * not send after all comes back here, so that its sender is told.
 */
import type { Now } from "../base/time.ts";
import type { Work } from "../ports/work.ts";
import type { Feature } from "../router/feature.ts";
import type { Router, RouterEffect } from "../router/router.ts";
import type { Session } from "../router/session.ts";
import type { Sessions } from "../router/sessions.ts";
import type { Delivery } from "../stream/c2s.ts";
import type { JidCache } from "../xmpp/jid.ts";
import { errorReply } from "../xmpp/stanza-error.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import type { StreamErrorCondition } from "../xmpp/stream-error.ts";
import type { Client, Clients } from "./clients.ts";
import type { Faults } from "./faults.ts";
import type { FeatureHost, Moment } from "./feature-host.ts";
import type { NodeMetrics } from "./metrics.ts";
import type { WorkRunner } from "./work-runner.ts";

export interface TrafficOptions {
  readonly sessions: Sessions;
  readonly jids: JidCache;
  readonly router: Router;
  readonly features: readonly Feature[];
  readonly host: FeatureHost;
  readonly counts: NodeMetrics;
  readonly faults: Faults;
  readonly work: WorkRunner;
  readonly clients: Clients;
  readonly moment: (now: Now) => Moment;
}

export class Traffic {
  readonly #options: TrafficOptions;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** A stanza from a bound client. */
  stanza(now: Now, client: Client, stanza: Stanza): void {
    const { session } = client;
    if (session === undefined || client.ended) return;
    const { counts, router } = this.#options;
    counts.received.value += 1;
    for (const effect of router.route(session, stanza)) this.#perform(now, effect);
  }

  /** Deliveries that never left: each sender learns of it. */
  handBack(now: Now, client: Client, deliveries: readonly Delivery[]): void {
    const to = client.session?.jid.full;
    if (to === undefined) return;
    const { counts, router } = this.#options;
    for (const { stanza, from } of deliveries) {
      counts.bounced.value += 1;
      for (const effect of router.bounce(stanza, from, to)) this.#perform(now, effect);
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

  endSession(now: Now, session: Session, condition: StreamErrorCondition, text: string): void {
    const { clients } = this.#options;
    const client = clients.of(session);
    if (client !== undefined) clients.step(now, client, { type: "end", condition, text });
  }

  #perform(now: Now, effect: RouterEffect): void {
    switch (effect.type) {
      case "deliver": {
        const { clients, counts } = this.#options;
        const client = clients.of(effect.session);
        if (client === undefined) return;
        counts.delivered.value += 1;
        return clients.step(now, client, { type: "deliver", delivery: effect });
      }
      case "close-stream":
        return this.endSession(now, effect.session, effect.condition, effect.text);
      case "handle-iq":
        return this.#handleIq(now, effect);
    }
  }

  #handleIq(now: Now, effect: Extract<RouterEffect, { type: "handle-iq" }>): void {
    const { sessions, host, moment } = this.#options;
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

  #endAll(now: Now, bare: string, text: string): void {
    const { jids, sessions } = this.#options;
    const jid = jids.get(bare);
    if (jid === undefined) return;
    for (const session of [...sessions.of(jid)]) {
      this.endSession(now, session, "not-authorized", text);
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
