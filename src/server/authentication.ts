/**
 * Authentication: a stream's SASL exchange as a piece of work, from its first step to its outcome; and
 * who has failed too often to be told one (`login-limits.ts`).
 */
import type { Now } from "../base/time.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Log } from "../ports/log.ts";
import { lookupKeys } from "../storage/accounts.ts";
import {
  saslRefusal,
  type Mechanism,
  type SaslContext,
  type SaslOutcome,
} from "../stream/sasl/exchange.ts";
import { mechanisms } from "../stream/sasl/index.ts";
import type { Client, Clients } from "./clients.ts";
import type { Config } from "./config.ts";
import type { Faults } from "./faults.ts";
import { IterationCounts } from "./iteration-counts.ts";
import { LoginLimits } from "./login-limits.ts";
import type { NodeMetrics } from "./metrics.ts";
import type { WorkEnds, WorkRunner } from "./work-runner.ts";

export interface AuthenticationOptions {
  readonly config: Config;
  readonly crypto: Crypto;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly falseSaltSecret: Uint8Array;
  readonly counts: NodeMetrics;
  readonly faults: Faults;
  readonly work: WorkRunner;
  readonly clients: Clients;
}

type SaslRefused = Extract<SaslOutcome, { type: "failure" }>;

const limited = saslRefusal(
  "temporary-auth-failure",
  "Too many failed logins from your address; try again later",
);

/** Addresses whose failed logins are remembered. */
const addressesMax = 65_536;

export class Authentication {
  readonly #options: AuthenticationOptions;
  readonly #limits: LoginLimits;
  readonly #iterations: IterationCounts;

  constructor(options: AuthenticationOptions) {
    this.#options = options;
    const { max_failed_logins_per_address: max, failed_logins_period } = options.config.auth;
    this.#limits = new LoginLimits({ max, period: failed_logins_period, addressesMax });
    const { scram_iterations: configured } = options.config.auth;
    this.#iterations = new IterationCounts({ ...options, configured });
  }

  start(now: Now, client: Client, mechanism: string, initial: Uint8Array | undefined): void {
    const chosen = mechanisms.get(mechanism);
    if (!this.#limits.allows(now.at, client.remote)) {
      return this.#finish(now, client, mechanism, limited); // nothing is looked up
    }
    if (chosen === undefined) {
      const failure = { type: "failure", condition: "invalid-mechanism" } as const;
      return this.#finish(now, client, mechanism, failure);
    }
    this.#iterations.whenKnown(now, client.stream.host, (later) => {
      if (!client.ended) this.#run(later, client, chosen, initial);
    });
  }

  #run(now: Now, client: Client, mechanism: Mechanism, initial: Uint8Array | undefined): void {
    const { faults, work, clients } = this.#options;
    const finish = (later: Now, outcome: SaslOutcome): void => {
      client.authentication = undefined;
      this.#finish(later, client, mechanism.name, outcome);
    };
    const ends: WorkEnds<SaslOutcome> = {
      done: finish,
      failed: (later, error) => {
        faults.database("authentication", error);
        const text = "The account cannot be looked up now; try again later";
        finish(later, saslRefusal("temporary-auth-failure", text)); // no password was tried
      },
      broken: (later, error) => clients.contain(later, client, error),
      challenged: (later, data) => clients.step(later, client, { type: "challenge-issued", data }),
    };
    // Known before its first step: a challenge may be answered by what the client sent in advance.
    work.start(now, mechanism.run(this.#context(client), initial), ends, (task) => {
      client.authentication = task;
    });
  }

  respond(now: Now, client: Client, data: Uint8Array): void {
    client.authentication?.resume(now, { type: "response", data });
  }

  drop(client: Client): void {
    if (client.authentication !== undefined) client.authentication.dropped = true;
    client.authentication = undefined;
  }

  #finish(now: Now, client: Client, mechanism: string, outcome: SaslOutcome): void {
    const { counts, clients } = this.#options;
    const told = this.#limits.allows(now.at, client.remote) ? outcome : limited;
    if (told === limited) counts.limitedLogins.value += 1;
    else if (told.type === "success") counts.logins.value += 1;
    else this.#failed(now, client, mechanism, told);
    clients.step(now, client, { type: "authentication-finished", outcome: told });
  }

  #failed(now: Now, { remote }: Client, mechanism: string, failure: SaslRefused): void {
    const { counts, log, config } = this.#options;
    const { condition, guessed = true } = failure;
    counts.failedLogins.value += 1;
    log.write("info", "login-failed", { mechanism, condition, remote });
    if (!guessed || !this.#limits.failed(now.at, remote)) return;
    const max = config.auth.max_failed_logins_per_address;
    log.write("warning", "logins-limited", { remote, max });
  }

  #context(client: Client): SaslContext {
    const { crypto, entropy, falseSaltSecret, clients } = this.#options;
    const { stream, listener } = client;
    const names = clients.mechanisms(listener, stream.tls);
    return {
      host: stream.host,
      crypto,
      entropy,
      tls: stream.tls,
      plusOffered: names.some((name) => name.endsWith("-PLUS")),
      lookup: (username, hash) => lookupKeys(stream.host, username, hash),
      falseIterations: (hash, share) => this.#iterations.at(stream.host, hash, share),
      falseSaltSecret,
    };
  }
}
