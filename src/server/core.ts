/**
 * Core: where streams, sessions, router and work meet.
 *
 * One input of the world goes to the part it concerns; what that part asks for is done by another or
 * handed on, until only effects for the world are left. This file decides nothing about XMPP: streams
 * and router do.
 *
 *     clients          connections and their streams
 *     authentication   who is it?
 *     session-life     a client becomes a session, and ends
 *     traffic          what sessions send each other, and what features answer
 */
import type { Instant, Now } from "../base/time.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Log } from "../ports/log.ts";
import type { Counter } from "../ports/metrics.ts";
import type { Feature } from "../router/feature.ts";
import { Router } from "../router/router.ts";
import { Directory } from "../router/directory.ts";
import { JidCache } from "../xmpp/jid.ts";
import { Authentication } from "./authentication.ts";
import { ClusterHost, type ClusterHostOptions } from "./cluster-host.ts";
import { clusterMetrics } from "./cluster-metrics.ts";
import { Clients, type Client, type ClientRequest } from "./clients.ts";
import type { Config } from "./config.ts";
import { earliest } from "./earliest.ts";
import type { Core, WorldEffect, WorldInput } from "./effects.ts";
import { Faults } from "./faults.ts";
import { FeatureHost, type Moment } from "./feature-host.ts";
import { lookedUp, NodeMetrics } from "./metrics.ts";
import { SessionLife } from "./session-life.ts";
import { Traffic } from "./traffic.ts";
import { WorkRunner } from "./work-runner.ts";

export interface CoreOptions {
  readonly config: Config;
  readonly features: readonly Feature[];
  readonly version: string;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly onFault: "contain" | "throw";
  readonly falseSaltSecret: Uint8Array;
  readonly onCluster: ClusterHostOptions["onCluster"];
}

/** Requests of all work together that may wait for the world. */
const maxOpenRequests = 20_000;
const jidCacheSize = 65_536;

export class MeerkatCore implements Core {
  readonly directory = new Directory();
  readonly metrics: Counter[];
  readonly #options: CoreOptions;
  readonly #counts = new NodeMetrics();
  readonly #work: WorkRunner;
  readonly #features: FeatureHost;
  readonly #clients: Clients;
  readonly #authentication: Authentication;
  readonly #life: SessionLife;
  readonly #traffic: Traffic;
  readonly #cluster: ClusterHost | undefined;
  #effects: WorldEffect[] = [];
  #startedAt: Now | undefined;
  #stopAt: Instant | undefined;
  /** The clients have gone, or have had their time. */
  #drained = false;
  #stopped = false;

  constructor(options: CoreOptions) {
    const { config, features } = options;
    this.#options = options;
    const emit = (effect: WorldEffect): void => void this.#effects.push(effect);
    const counts = this.#counts;
    const faults = new Faults({ log: options.log, counts, onFault: options.onFault });
    const jids = new JidCache(jidCacheSize);
    const { directory } = this;
    const work = new WorkRunner(emit, maxOpenRequests);
    this.metrics = [...this.#counts.all(), openRequests(work)];
    const clusterStatus = (now: Now): unknown => this.#cluster?.status(now.at);
    const host = new FeatureHost({ ...options, faults, clusterStatus });
    const clients = new Clients({
      ...{ config, entropy: options.entropy, counts, faults, emit },
      requested: (now, client, request) => this.#fromClient(now, client, request),
    });
    this.#work = work;
    this.#features = host;
    this.#clients = clients;
    this.#authentication = new Authentication({ ...options, counts, faults, work, clients });
    this.#life = new SessionLife({
      ...{ ...options, counts, clients, directory },
      settle: (now, request) => this.#cluster?.settle(now, request) ?? false,
    });
    this.#traffic = new Traffic({
      router: new Router(config.general.hosts, directory, jids, features),
      moment: (now) => this.#moment(now),
      ...{ directory, jids, features, host, counts, faults, work, clients, log: options.log },
    });
    if (config.cluster === undefined) return;
    const { crypto, entropy, log, onCluster } = options;
    this.#cluster = new ClusterHost({
      ...{ config: config.cluster, crypto, entropy, log, counts, faults, work, directory, emit },
      life: this.#life,
      traffic: this.#traffic,
      superseded: (now) => this.#shutDown(now),
      onCluster,
    });
    const cluster = this.#cluster;
    this.metrics.push(...clusterMetrics(() => cluster.status()));
  }

  deadline(): Instant | undefined {
    if (this.#stopped) return undefined;
    // A node of a cluster has something to do before anybody connects.
    if (this.#startedAt === undefined && this.#cluster !== undefined) return -Infinity;
    const stopAt = this.#drained ? undefined : this.#stopAt;
    const traffic = this.#traffic.deadline();
    return earliest(this.#clients.deadline(), this.#cluster?.deadline(), traffic, stopAt);
  }

  step(now: Now, input: WorldInput): readonly WorldEffect[] {
    this.#effects = [];
    if (this.#startedAt === undefined) {
      this.#startedAt = now;
      this.#cluster?.start(now);
    }
    switch (input.type) {
      case "query-answered":
      case "query-failed":
      case "key-derived":
      case "host-resolved":
      case "file-read":
      case "lookup-failed":
        this.#work.answer(now, input);
        break;
      case "http-requested":
        this.#effects.push(this.#features.serve(input, this.#moment(now)));
        break;
      case "deadline-reached":
        this.#clients.expire(now);
        this.#cluster?.expire(now);
        this.#traffic.expire(now);
        break;
      case "shutdown-requested":
        this.#shutDown(now);
        break;
      default:
        if (this.#cluster?.fromNetwork(now, input) === true) break;
        this.#clients.fromNetwork(now, input, this.#mayOpen());
        break;
    }
    this.#cluster?.flush(now);
    this.#stopIfDone(now);
    return this.#effects;
  }

  #fromClient(now: Now, client: Client, request: ClientRequest): void {
    switch (request.type) {
      case "stanza-received":
        return this.#traffic.stanza(now, client, request.stanza);
      case "authenticate":
        return this.#authentication.start(now, client, request.mechanism, request.initial);
      case "respond-to-challenge":
        return this.#authentication.respond(now, client, request.data);
      case "abort-authentication":
        return this.#authentication.drop(client);
      case "bind":
        return this.#life.bind(now, client, request.request, request.resource);
      case "register":
        return this.#traffic.register(now, client, request.request);
      case "undelivered":
        return this.#traffic.handBack(now, client, request.deliveries);
      case "ended":
        return this.#ended(now, client, request.reason);
    }
  }

  #ended(now: Now, client: Client, reason: string): void {
    this.#authentication.drop(client);
    const held = this.#life.ended(client, reason);
    if (client.session !== undefined) this.#traffic.sessionEnded(client.session);
    if (held.length > 0) this.#traffic.handBack(now, client, held);
  }

  // --- time and the end

  #mayOpen(): boolean {
    return this.#stopAt === undefined && (this.#cluster?.serving ?? true);
  }

  #moment(now: Now): Moment {
    const notReady = this.#stopAt === undefined ? this.#cluster?.notReady(now) : "shutting down";
    return { now, startedAt: this.#startedAt ?? now, notReady };
  }

  /** The drain is bounded by `shutdown_timeout`. */
  #shutDown(now: Now): void {
    if (this.#stopAt !== undefined) return;
    this.#stopAt = now.at + this.#options.config.general.shutdown_timeout;
    this.#clients.shutDown(now);
  }

  /** First the clients, then the cluster, then the process. */
  #stopIfDone(now: Now): void {
    if (this.#stopAt === undefined || this.#stopped) return;
    this.#drained ||= this.#clients.size === 0 || now.at >= this.#stopAt;
    if (!this.#drained || this.#cluster?.leave(now) === false) return;
    this.#stopped = true;
    this.#effects.push({ type: "stopped" });
  }
}

function openRequests(work: WorkRunner): Counter {
  const help = "Requests to the database, to name servers and for keys that wait for their answer.";
  return lookedUp("gauge", "meerkat_requests_open", help, () => work.openCount);
}
