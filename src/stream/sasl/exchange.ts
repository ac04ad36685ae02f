/**
 * SASL exchange: what a mechanism is, and how it may end (RFC 4422, RFC 6120 §6).
 *
 * A mechanism is a generator: it is given the initial response, may `yield* challenge(…)`, look up
 * credentials and derive keys, and returns an outcome. It never sees the XML around it.
 */
import type { Crypto, HashName } from "../../ports/crypto.ts";
import type { Entropy } from "../../ports/entropy.ts";
import type { TlsInfo } from "../../ports/network.ts";
import type { Work } from "../../ports/work.ts";

/** RFC 6120 §6.5 */
export type SaslFailure =
  | "aborted"
  | "account-disabled"
  | "credentials-expired"
  | "encryption-required"
  | "incorrect-encoding"
  | "invalid-authzid"
  | "invalid-mechanism"
  | "malformed-request"
  | "mechanism-too-weak"
  | "not-authorized"
  | "temporary-auth-failure";

export type SaslOutcome =
  /** `data` goes into `<success/>` (SCRAM's server-final-message). `anonymous` asks for a fresh name. */
  | { readonly type: "success"; readonly username: string; readonly data?: Uint8Array }
  | {
      readonly type: "failure";
      readonly condition: SaslFailure;
      readonly text?: string;
      /** Refused before a password was looked at: no guess, so counted apart from those. */
      readonly guessed?: false;
    };

/** RFC 5802 §3: all that the server keeps of a password. */
export interface ScramKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export interface SaslContext {
  readonly host: string;
  readonly crypto: Crypto;
  readonly entropy: Entropy;
  readonly tls: TlsInfo | undefined;
  /** Are -PLUS mechanisms offered on this stream? Decides what the gs2 flag `y` means (RFC 5802 §6). */
  readonly plusOffered: boolean;
  /** Keys of an account for one hash; undefined: no such account (answer it with `falseKeys`). */
  readonly lookup: (username: string, hash: HashName) => Work<ScramKeys | undefined>;
  /**
   * Iterations for false keys, so chosen that for `share`s spread evenly over 0 ≤ share < 1 each count is
   * as frequent as among the accounts that there are.
   */
  readonly falseIterations: (hash: HashName, share: number) => number;
  /** Node secret from which false salts are made, so that they repeat for a name (no user enumeration). */
  readonly falseSaltSecret: Uint8Array;
}

export interface Mechanism {
  readonly name: string;
  /** Runs the exchange. `initial` is undefined where the client sent none. */
  run(context: SaslContext, initial: Uint8Array | undefined): Work<SaslOutcome>;
}

/** The mechanism cannot be used as the client means to; another may. */
export function saslRefusal(condition: SaslFailure, text: string): SaslOutcome {
  return { type: "failure", condition, text, guessed: false };
}

export function saslFailure(condition: SaslFailure, text?: string): SaslOutcome {
  return text === undefined ? { type: "failure", condition } : { type: "failure", condition, text };
}
