/**
 * Crypto of the simulator: the pure functions of node:crypto, memoised. Simulated users share few passwords
 * and salts, whose derivation would otherwise be most of a run's cost; and what a client hashes, its server
 * hashes too.
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
  readonly #hashed = new Map<string, Uint8Array>();

  hash(name: HashName, data: Uint8Array): Uint8Array {
    return memo(this.#hashed, `hash ${name} ${binary(data)}`, () =>
      createHash(names[name]).update(data).digest(),
    );
  }

  hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
    return memo(this.#hashed, `hmac ${name} ${key.length} ${binary(key)}${binary(data)}`, () =>
      createHmac(names[name], key).update(data).digest(),
    );
  }

  equal(a: Uint8Array, b: Uint8Array): boolean {
    return Buffer.compare(a, b) === 0;
  }

  derive({ hash, password, salt, iterations }: KeyDerivation): Uint8Array {
    const text = `${hash} ${iterations} ${password.length} ${binary(password)}${binary(salt)}`;
    return memo(this.#derived, text, () =>
      pbkdf2Sync(password, salt, iterations, lengths[hash], names[hash]),
    );
  }
}

/** A copy: whoever is given it may write into it. */
function memo(known: Map<string, Uint8Array>, text: string, make: () => Uint8Array): Uint8Array {
  const before = known.get(text);
  if (before !== undefined) return new Uint8Array(before);
  if (known.size >= memoMax) known.clear();
  const made = make();
  known.set(text, made);
  return new Uint8Array(made);
}

function binary({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}
