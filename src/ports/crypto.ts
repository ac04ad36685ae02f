/** Crypto: hashes are plain functions; what takes milliseconds is an effect with an answer. */
import type { RequestId } from "./database.ts";

export type HashName = "sha-1" | "sha-256" | "sha-512";

/** PBKDF2 with HMAC (RFC 8018), which is SCRAM's Hi() (RFC 5802 §2.2); as long as the hash. */
export interface KeyDerivation {
  readonly hash: HashName;
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

export type CryptoInput = {
  readonly type: "key-derived";
  readonly request: RequestId;
  readonly key: Uint8Array;
};

export interface CryptoEffect {
  readonly type: "derive-key";
  readonly request: RequestId;
  readonly derivation: KeyDerivation;
}

export interface Crypto {
  hash(name: HashName, data: Uint8Array): Uint8Array;
  hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Compares in constant time; false for different lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** The answer arrives later as a `key-derived` input; never blocks the loop. */
  deriveKey(request: RequestId, derivation: KeyDerivation): void;
}
