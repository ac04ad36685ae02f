/**
 * Core: where streams, sessions, router and work meet.
 *
 * One input of the world goes to the machine it concerns; what that machine asks for is done here or
 * handed on, until only effects for the world are left. This file decides nothing about XMPP: streams
 * and router do.
 */
import { Deadlines, type Scheduled } from "../base/deadlines.ts";
import { isInNetwork } from "../base/ip-network.ts";
import type { Instant, Now } from "../base/time.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Log } from "../ports/log.ts";
import type { Counter } from "../ports/metrics.ts";
import type { ConnectionId, NetworkInput, TlsInfo } from "../ports/network.ts";
import type { QueryFailed, Work } from "../ports/work.ts";
import type { Feature } from "../router/feature.ts";
import { Router, type RouterEffect } from "../router/router.ts";
import type { Session } from "../router/session.ts";
import { Sessions } from "../router/sessions.ts";
import { lookupKeys } from "../storage/accounts.ts";
import { C2sStream, type C2sEffect, type C2sInput, type Delivery } from "../stream/c2s.ts";
import { saslRefusal, type SaslContext, type SaslOutcome } from "../stream/sasl/exchange.ts";
import { mechanisms, offered } from "../stream/sasl/index.ts";
import { JidCache } from "../xmpp/jid.ts";
import { errorReply } from "../xmpp/stanza-error.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import { bind } from "./binding.ts";
import type { Config, Listener } from "./config.ts";
import type { Core, WorldEffect, WorldInput } from "./effects.ts";
import { FeatureHost, type Moment } from "./feature-host.ts";
import { NodeMetrics } from "./metrics.ts";
import { WorkRunner, type Task, type WorkEnds } from "./work-runner.ts";

export interface CoreOptions {
  readonly config: Config;
  readonly features: readonly Feature[];
  readonly version: string;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly onFault: "contain" | "throw";
  readonly falseSaltSecret: Uint8Array;
}

/** One connection: its stream, the session it carries once bound, and the work done for it. */
interface Client extends Scheduled {
  readonly stream: C2sStream;
  readonly remote: string;
  readonly listener: Listener;
  session: Session | undefined;
  /** The client can no longer be reached; what it sent before in the same breath no longer counts. */
  ended: boolean;
  authentication: Task | undefined;
}

/** Requests of all work together that may wait for the world. */
const maxOpenRequests = 20_000;
const maxStanzasBeforeAuth = 10;
const jidCacheSize = 65_536;

export class MeerkatCore implements Core {
  readonly sessions = new Sessions();
  readonly metrics: readonly Counter[];
  readonly #options: CoreOptions;
  readonly #counts = new NodeMetrics();
  readonly #jids = new JidCache(jidCacheSize);
  readonly #router: Router;
  readonly #work: WorkRunner;
  readonly #features: FeatureHost;
  readonly #clients = new Map<ConnectionId, Client>();
  readonly #deadlines = new Deadlines<Client>();
  readonly #listeners: ReadonlyMap<string, Listener>;
  #effects: WorldEffect[] = [];
  #startedAt: Now | undefined;
  #stopAt: Instant | undefined;
  #stopped = false;

  constructor(options: CoreOptions) {
    this.#options = options;
    this.metrics = this.#counts.all();
    const { hosts } = options.config.general;
    this.#router = new Router(hosts, this.sessions, this.#jids, options.features);
    this.#work = new WorkRunner((effect) => this.#effects.push(effect), maxOpenRequests);
    this.#features = new FeatureHost(options);
    this.#listeners = new Map(options.config.listen.map((each) => [each.name, each]));
  }

  deadline(): Instant | undefined {
    const next = this.#deadlines.next();
    if (this.#stopAt === undefined || this.#stopped) return next;
    return next === undefined ? this.#stopAt : Math.min(next, this.#stopAt);
  }

  step(now: Now, input: WorldInput): readonly WorldEffect[] {
    this.#effects = [];
    this.#startedAt ??= now;
    switch (input.type) {
      case "query-answered":
      case "query-failed":
      case "key-derived":
        this.#work.answer(now, input);
        break;
      case "http-requested":
        this.#effects.push(this.#features.serve(input, this.#moment(now)));
        break;
      case "deadline-reached":
        this.#expire(now);
        break;
      case "shutdown-requested":
        this.#shutDown(now);
        break;
      default:
        this.#fromNetwork(now, input);
        break;
    }
    this.#stopIfDone(now);
    return this.#effects;
  }

  // --- connections

  #fromNetwork(now: Now, input: NetworkInput): void {
    if (input.type === "connection-opened") return this.#open(now, input);
    if (input.type === "dial-failed") return;
    const client = this.#clients.get(input.connection);
    if (client === undefined) return;
    this.#stepStream(now, client, input);
    if (input.type !== "connection-closed") return;
    this.#clients.delete(input.connection);
    this.#deadlines.set(client, undefined);
    this.#counts.connections.value -= 1;
  }

  #open(now: Now, input: Extract<NetworkInput, { type: "connection-opened" }>): void {
    const listener = this.#listeners.get(input.listener);
    if (listener === undefined || this.#stopAt !== undefined) {
      this.#effects.push({ type: "close", connection: input.connection });
      return;
    }
    const { config, entropy } = this.#options;
    const stream = new C2sStream(now, {
      connection: input.connection,
      framing: input.framing,
      hosts: config.general.hosts,
      entropy,
      tls: input.tls,
      tlsMode: listener.kind === "http" ? undefined : listener.tls?.mode,
      mechanisms: (tls) => this.#mechanisms(listener, tls),
      registration: this.#mayRegister(input.remote),
      maxStanzaSize: listener.max_stanza_size,
      maxAuthAttempts: config.auth.max_attempts,
      maxStanzasBeforeAuth,
      negotiationTimeout: listener.c2s_state_timeout,
      maxSendQueue: config.sessions.max_send_queue,
      sendTimeout: config.sessions.send_timeout,
      keepAliveInterval: config.sessions.keepalive_interval,
    });
    const client: Client = {
      stream,
      remote: input.remote,
      listener,
      session: undefined,
      ended: false,
      authentication: undefined,
      deadlineSlot: -1,
    };
    this.#clients.set(input.connection, client);
    this.#deadlines.set(client, stream.deadline());
    this.#counts.connections.value += 1;
    this.#counts.opened.value += 1;
  }

  #mechanisms(listener: Listener, tls: TlsInfo | undefined): readonly string[] {
    return offered(this.#options.config.auth.sasl_mechanisms, {
      tls,
      allowPlaintext: listener.allow_plaintext,
      externalPossible: (tls?.certifiedAddresses?.length ?? 0) > 0,
    });
  }

  #mayRegister(remote: string): boolean {
    const { enabled, ip_access } = this.#options.config.registration;
    return enabled && ip_access.some((network) => isInNetwork(remote, network));
  }

  /** One step of a stream and of all that follows from it; a bug is contained to the stream. */
  #stepStream(now: Now, client: Client, input: C2sInput | NetworkInput): void {
    try {
      for (const effect of client.stream.step(now, input as C2sInput)) {
        this.#fromStream(now, client, effect);
      }
    } catch (error) {
      this.#contain(now, client, error);
    }
    this.#deadlines.set(client, client.stream.deadline());
  }

  #contain(now: Now, client: Client, error: unknown): void {
    this.#fault("stream-fault", error, client.remote);
    const text = "A bug of the server; it has been logged";
    const effects = client.stream.step(now, {
      type: "end",
      condition: "internal-server-error",
      text,
    });
    for (const effect of effects) this.#fromStream(now, client, effect);
  }

  /** A bug of ours: counted and logged, or, in the simulator, the end of the run. */
  #fault(event: string, error: unknown, remote?: string): void {
    if (this.#options.onFault === "throw") throw error;
    this.#counts.faults.value += 1;
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.log.write("error", event, { error: what, remote });
  }

  #fromStream(now: Now, client: Client, effect: C2sEffect): void {
    switch (effect.type) {
      case "stanza-received":
        return this.#stanza(now, client, effect.stanza);
      case "authenticate":
        return this.#authenticate(now, client, effect.mechanism, effect.initial);
      case "respond-to-challenge":
        return client.authentication?.resume(now, { type: "response", data: effect.data });
      case "abort-authentication":
        return this.#drop(client);
      case "bind":
        return this.#bind(now, client, effect.request, effect.resource);
      case "register":
        return this.#register(now, client, effect.request);
      case "undelivered":
        return this.#handBack(now, client, effect.deliveries);
      case "ended":
        return this.#ended(client, effect.reason);
      default:
        this.#effects.push(effect);
    }
  }

  #drop(client: Client): void {
    if (client.authentication !== undefined) client.authentication.dropped = true;
    client.authentication = undefined;
  }

  #ended(client: Client, reason: string): void {
    this.#drop(client);
    client.ended = true;
    const { session } = client;
    if (session === undefined) return;
    if (this.sessions.remove(session)) this.#counts.sessions.value -= 1;
    this.#options.log.write("debug", "session-ended", { jid: session.jid.full, reason });
  }

  // --- authentication and binding

  #authenticate(
    now: Now,
    client: Client,
    mechanism: string,
    initial: Uint8Array | undefined,
  ): void {
    const chosen = mechanisms.get(mechanism);
    const finish = (later: Now, outcome: SaslOutcome): void => {
      client.authentication = undefined;
      this.#authenticated(later, client, mechanism, outcome);
    };
    if (chosen === undefined) {
      return finish(now, { type: "failure", condition: "invalid-mechanism" });
    }
    const ends: WorkEnds<SaslOutcome> = {
      done: finish,
      failed: (later, error) => {
        this.#databaseFailed("authentication", error);
        const text = "The account cannot be looked up now; try again later";
        finish(later, saslRefusal("temporary-auth-failure", text)); // no password was tried
      },
      broken: (later, error) => this.#contain(later, client, error),
      challenged: (later, data) =>
        this.#stepStream(later, client, { type: "challenge-issued", data }),
    };
    // Known before its first step: a challenge may be answered by what the client sent in advance.
    this.#work.start(now, chosen.run(this.#saslContext(client), initial), ends, (task) => {
      client.authentication = task;
    });
  }

  #authenticated(now: Now, client: Client, mechanism: string, outcome: SaslOutcome): void {
    const { remote } = client;
    if (outcome.type === "success") {
      this.#counts.logins.value += 1;
    } else {
      this.#counts.failedLogins.value += 1;
      const { condition } = outcome;
      this.#options.log.write("info", "login-failed", { mechanism, condition, remote });
    }
    this.#stepStream(now, client, { type: "authentication-finished", outcome });
  }

  #saslContext(client: Client): SaslContext {
    const { crypto, entropy, config, falseSaltSecret } = this.#options;
    const { stream, listener } = client;
    const names = this.#mechanisms(listener, stream.tls);
    return {
      host: stream.host,
      crypto,
      entropy,
      tls: stream.tls,
      plusOffered: names.some((name) => name.endsWith("-PLUS")),
      lookup: (username, hash) => lookupKeys(stream.host, username, hash),
      iterations: config.auth.scram_iterations,
      falseSaltSecret,
    };
  }

  #bind(now: Now, client: Client, request: Stanza, resource: string | undefined): void {
    const { stream } = client;
    const outcome = bind({
      now,
      request,
      resource,
      username: stream.username ?? "",
      host: stream.host,
      lang: stream.lang,
      connection: stream.connection,
      sessions: this.sessions,
      limits: this.#options.config.sessions,
      entropy: this.#options.entropy,
    });
    if (outcome.type === "refused") {
      return this.#stepStream(now, client, { type: "bind-refused", reply: outcome.reply });
    }
    if (outcome.replaced !== undefined) {
      this.#endSession(now, outcome.replaced, "conflict", "Replaced by a new login");
    }
    client.session = outcome.session;
    this.sessions.add(outcome.session);
    this.#counts.sessions.value += 1;
    // The stream is bound, then told so in its own words, then reads on: nothing overtakes the answer.
    this.#stepStream(now, client, { type: "deliver", delivery: { stanza: outcome.reply } });
    this.#stepStream(now, client, { type: "bound" });
  }

  #endSession(
    now: Now,
    session: Session,
    condition: "conflict" | "not-authorized",
    text: string,
  ): void {
    const client = this.#clients.get(session.connection);
    if (client !== undefined) this.#stepStream(now, client, { type: "end", condition, text });
  }

  // --- stanzas

  #stanza(now: Now, client: Client, stanza: Stanza): void {
    const { session } = client;
    if (session === undefined || client.ended) return;
    this.#counts.received.value += 1;
    for (const effect of this.#router.route(session, stanza)) this.#fromRouter(now, effect);
  }

  #fromRouter(now: Now, effect: RouterEffect): void {
    const { session } = effect.type === "handle-iq" ? { session: undefined } : effect;
    switch (effect.type) {
      case "deliver": {
        const client = session === undefined ? undefined : this.#clients.get(session.connection);
        if (client === undefined) return;
        this.#counts.delivered.value += 1;
        return this.#stepStream(now, client, { type: "deliver", delivery: effect });
      }
      case "close-stream": {
        const client = session === undefined ? undefined : this.#clients.get(session.connection);
        if (client === undefined) return;
        const { condition, text } = effect;
        return this.#stepStream(now, client, { type: "end", condition, text });
      }
      case "handle-iq":
        return this.#handleIq(now, effect);
    }
  }

  #handleIq(now: Now, effect: Extract<RouterEffect, { type: "handle-iq" }>): void {
    const { handler, request } = effect;
    const asked = { ...request, stanza: request.stanza.copy() };
    const asker = this.sessions.get(request.from.full);
    const reply = (later: Now, stanza: Stanza): void => {
      const session = this.sessions.get(request.from.full);
      if (session === undefined || session !== asker) return; // gone, or replaced meanwhile
      const addresses = { from: asked.stanza.to ?? request.from.bare, to: request.from.full };
      this.#fromRouter(later, { type: "deliver", session, stanza, ...addresses });
    };
    const ending: { bare: string; text: string }[] = [];
    const context = this.#features.context(this.#moment(now), (bare, text) =>
      ending.push({ bare, text }),
    );
    this.#answerWith(now, asked.stanza, handler(asked, context), (later, stanza) => {
      reply(later, stanza);
      for (const { bare, text } of ending) this.#endAll(later, bare, text);
    });
  }

  #endAll(now: Now, bare: string, text: string): void {
    const jid = this.#jids.get(bare);
    if (jid === undefined) return;
    for (const session of [...this.sessions.of(jid)]) {
      this.#endSession(now, session, "not-authorized", text);
    }
  }

  #register(now: Now, client: Client, received: Stanza): void {
    const request = received.copy();
    const reply = (later: Now, stanza: Stanza): void =>
      this.#stepStream(later, client, { type: "deliver", delivery: { stanza } });
    const handler = this.#options.features.find(({ register }) => register !== undefined)?.register;
    if (handler === undefined) {
      const refusal = errorReply(request, "service-unavailable");
      if (refusal !== undefined) reply(now, refusal);
      return;
    }
    const context = this.#features.context(this.#moment(now));
    this.#answerWith(now, request, handler(client.stream.host, request, context), reply);
  }

  /** A handler's answer: at once, or when its work is done; a failed database is an error to the asker. */
  #answerWith(
    now: Now,
    request: Stanza,
    outcome: Stanza | Work<Stanza>,
    reply: (now: Now, stanza: Stanza) => void,
  ): void {
    if ("kind" in outcome) return reply(now, outcome);
    this.#work.start(now, outcome, {
      done: reply,
      failed: (later, error) => {
        this.#databaseFailed("iq", error);
        const text = "The database does not answer now; try again later";
        const refusal = errorReply(request, "resource-constraint", { text });
        if (refusal !== undefined) reply(later, refusal);
      },
      broken: (later, error) => {
        this.#fault("iq-fault", error);
        const refusal = errorReply(request, "internal-server-error");
        if (refusal !== undefined) reply(later, refusal);
      },
    });
  }

  #databaseFailed(asker: string, error: QueryFailed): void {
    this.#counts.databaseFailures.value += 1;
    const { failure, message } = error;
    this.#options.log.write("warning", "database-failed", { asker, failure, detail: message });
  }

  #handBack(now: Now, client: Client, deliveries: readonly Delivery[]): void {
    const to = client.session?.jid.full;
    if (to === undefined) return;
    for (const { stanza, from } of deliveries) {
      this.#counts.bounced.value += 1;
      for (const effect of this.#router.bounce(stanza, from, to)) this.#fromRouter(now, effect);
    }
  }

  // --- time and the end

  #moment(now: Now): Moment {
    const notReady = this.#stopAt === undefined ? undefined : "shutting down";
    return { now, startedAt: this.#startedAt ?? now, notReady };
  }

  #expire(now: Now): void {
    for (let due = this.#deadlines.takeDue(now.at); due !== undefined;) {
      this.#stepStream(now, due, { type: "deadline-reached" });
      due = this.#deadlines.takeDue(now.at);
    }
  }

  /** RFC 6120 §4.9.3.20: every client is told; the drain is bounded by `shutdown_timeout`. */
  #shutDown(now: Now): void {
    if (this.#stopAt !== undefined) return;
    this.#stopAt = now.at + this.#options.config.general.shutdown_timeout;
    const text = "The server is shutting down";
    for (const client of [...this.#clients.values()]) {
      this.#stepStream(now, client, { type: "end", condition: "system-shutdown", text });
    }
  }

  #stopIfDone(now: Now): void {
    if (this.#stopAt === undefined || this.#stopped) return;
    if (this.#clients.size > 0 && now.at < this.#stopAt) return;
    this.#stopped = true;
    this.#effects.push({ type: "stopped" });
  }
}
