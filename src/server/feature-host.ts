/** Feature host: what features are told of the server around them, and their HTTP paths. */
import type { Now } from "../base/time.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { HttpEffect, HttpInput } from "../ports/http.ts";
import type { Feature, FeatureContext } from "../router/feature.ts";
import type { Config } from "./config.ts";
import type { Faults } from "./faults.ts";

export interface FeatureHostOptions {
  readonly config: Config;
  readonly features: readonly Feature[];
  readonly version: string;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  readonly faults: Faults;
  readonly clusterStatus: FeatureContext["clusterStatus"];
}

/** What changes from one request to the next. */
export interface Moment {
  readonly now: Now;
  readonly startedAt: Now;
  /** Why the node should get no new clients; undefined: it is ready. */
  readonly notReady: string | undefined;
}

const plainText = { "content-type": "text/plain; charset=utf-8" };

type Constant = Omit<FeatureContext, keyof Moment | "endSessions">;

export class FeatureHost {
  readonly #features: readonly Feature[];
  readonly #constant: Constant;
  readonly #faults: Faults;
  /** Names of the listeners that serve metrics. */
  readonly #operators: ReadonlySet<string>;

  constructor(options: FeatureHostOptions) {
    const { config, features, version, crypto, entropy, clusterStatus } = options;
    const operators = config.listen.filter((each) => each.kind === "http" && each.metrics);
    this.#operators = new Set(operators.map(({ name }) => name));
    this.#features = features;
    this.#faults = options.faults;
    this.#constant = {
      version,
      hosts: config.general.hosts,
      features,
      crypto,
      entropy,
      scramIterations: config.auth.scram_iterations,
      clusterStatus,
      websocketUrls: (host) => websocketUrls(config, host),
    };
  }

  /** One object a request, its fields spelled out: spreading two others was a fifth of a ping's cost. */
  context(
    moment: Moment,
    endSessions: FeatureContext["endSessions"] = () => undefined,
  ): FeatureContext {
    const constant = this.#constant;
    return {
      now: moment.now,
      startedAt: moment.startedAt,
      notReady: moment.notReady,
      endSessions,
      version: constant.version,
      hosts: constant.hosts,
      features: constant.features,
      crypto: constant.crypto,
      entropy: constant.entropy,
      scramIterations: constant.scramIterations,
      clusterStatus: constant.clusterStatus,
      websocketUrls: constant.websocketUrls,
    };
  }

  serve({ request, listener, method, path, host }: HttpInput, moment: Moment): HttpEffect {
    const forOperators = this.#operators.has(listener);
    const answerer = this.#features.flatMap(
      ({ http, operatorHttp }) => http?.[path] ?? (forOperators ? operatorHttp?.[path] : []) ?? [],
    )[0];
    if (answerer === undefined) {
      const body = "Nothing is served here\n";
      return { type: "respond", request, status: 404, headers: plainText, body };
    }
    if (method !== "GET" && method !== "HEAD") {
      const body = "Only GET and HEAD are answered here\n";
      return { type: "respond", request, status: 405, headers: plainText, body };
    }
    try {
      return { type: "respond", request, ...answerer(host, this.context(moment)) };
    } catch (error) {
      this.#faults.bug("http-fault", error);
      const body = "A bug of the server; it has been logged\n";
      return { type: "respond", request, status: 500, headers: plainText, body };
    }
  }
}

/** The Host header is anybody's text: only a name of ours is repeated. */
function websocketUrls(config: Config, asked: string): readonly string[] {
  const { hosts } = config.general;
  const host = hosts.includes(asked) ? asked : (hosts[0] ?? "localhost");
  return config.listen.flatMap((listener) => {
    if (listener.kind !== "http" || listener.websocket_path === "") return [];
    const scheme = listener.tls === undefined ? "ws" : "wss";
    return [`${scheme}://${host}:${listener.port}${listener.websocket_path}`];
  });
}
