/**
 * Crypto of the simulator: the pure functions of node:crypto. Key derivation is memoised, since
 * simulated users share few passwords and salts and it would otherwise be most of a run's cost.
 */
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { HashName, KeyDerivation } from "../../src/ports/crypto.ts";

const names: Readonly<Record<HashName, string>> = {
  "sha-1": "sha1",
  "sha-256": "sha256",
  "sha-512": "sha512",
};
const lengths: Readonly<Record<HashName, number>> = { "sha-1": 20, "sha-256": 32, "sha-512": 64 };
const memoMax = 10_000;

export class PureCrypto {
  readonly #derived = new Map<string, Uint8Array>();

  hash(name: HashName, data: Uint8Array): Uint8Array {
    return createHash(names[name]).update(data).digest();
  }

  hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
    return createHmac(names[name], key).update(data).digest();
  }

  equal(a: Uint8Array, b: Uint8Array): boolean {
    return Buffer.compare(a, b) === 0;
  }

  derive({ hash, password, salt, iterations }: KeyDerivation): Uint8Array {
    const key = [hash, iterations, hex(password), hex(salt)].join(" ");
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    if (this.#derived.size >= memoMax) this.#derived.clear();
    const derived = pbkdf2Sync(password, salt, iterations, lengths[hash], names[hash]);
    this.#derived.set(key, derived);
    return derived;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
