/** Authentication: a stream's SASL exchange as a piece of work, from its first step to its outcome. */
import type { Now } from "../base/time.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Log } from "../ports/log.ts";
import { lookupKeys } from "../storage/accounts.ts";
import { saslRefusal, type SaslContext, type SaslOutcome } from "../stream/sasl/exchange.ts";
import { mechanisms } from "../stream/sasl/index.ts";
import type { Client, Clients } from "./clients.ts";
import type { Config } from "./config.ts";
import type { Faults } from "./faults.ts";
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

export class Authentication {
  readonly #options: AuthenticationOptions;

  constructor(options: AuthenticationOptions) {
    this.#options = options;
  }

  start(now: Now, client: Client, mechanism: string, initial: Uint8Array | undefined): void {
    const { faults, work, clients } = this.#options;
    const chosen = mechanisms.get(mechanism);
    const finish = (later: Now, outcome: SaslOutcome): void => {
      client.authentication = undefined;
      this.#finish(later, client, mechanism, outcome);
    };
    if (chosen === undefined) {
      return finish(now, { type: "failure", condition: "invalid-mechanism" });
    }
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
    work.start(now, chosen.run(this.#context(client), initial), ends, (task) => {
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
    const { counts, log, clients } = this.#options;
    if (outcome.type === "success") {
      counts.logins.value += 1;
    } else {
      counts.failedLogins.value += 1;
      const { condition } = outcome;
      log.write("info", "login-failed", { mechanism, condition, remote: client.remote });
    }
    clients.step(now, client, { type: "authentication-finished", outcome });
  }

  #context(client: Client): SaslContext {
    const { crypto, entropy, config, falseSaltSecret, clients } = this.#options;
    const { stream, listener } = client;
    const names = clients.mechanisms(listener, stream.tls);
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
}
