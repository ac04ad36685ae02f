/** Effects and inputs: the two unions that make up all traffic between the core and the world. */
import type { Instant, Now } from "../base/time.ts";
import type { Crypto, CryptoEffect, CryptoInput } from "../ports/crypto.ts";
import type { Database, DatabaseEffect, DatabaseInput } from "../ports/database.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Http, HttpEffect, HttpInput } from "../ports/http.ts";
import type { Log } from "../ports/log.ts";
import type { Network, NetworkEffect, NetworkInput } from "../ports/network.ts";
import type { Resolver, ResolverEffect, ResolverInput } from "../ports/resolver.ts";

export type WorldInput =
  | NetworkInput
  | DatabaseInput
  | CryptoInput
  | ResolverInput
  | HttpInput
  /** The instant that `deadline()` named has come. */
  | { readonly type: "deadline-reached" }
  /** SIGTERM: stop accepting, tell clients, drain; `stopped` follows as an effect. */
  | { readonly type: "shutdown-requested" };

export type WorldEffect =
  | NetworkEffect
  | DatabaseEffect
  | CryptoEffect
  | ResolverEffect
  | HttpEffect
  /** Graceful shutdown is complete: nothing more will be asked. */
  | { readonly type: "stopped" };

/** Requests with an id, whose answers come back as inputs. */
export type WorkEffect = DatabaseEffect | CryptoEffect | ResolverEffect;
export type WorkInput = DatabaseInput | CryptoInput | ResolverInput;

export interface Ports {
  readonly network: Network;
  readonly database: Database;
  readonly crypto: Crypto;
  readonly entropy: Entropy;
  readonly http: Http;
  /** Only lists of nodes from DNS or a file need it. */
  readonly resolver?: Resolver;
  readonly log: Log;
}

/** The whole server without its ports' effects: inputs in, effects out. */
export interface Core {
  step(now: Now, input: WorldInput): readonly WorldEffect[];
  /** When `deadline-reached` must be delivered, whatever else happens. */
  deadline(): Instant | undefined;
}
