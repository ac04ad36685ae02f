/**
 * Crypto: node:crypto behind the port. Key derivation runs in libuv's pool, a few at a time in order of
 * arrival, so that a flood of logins neither blocks the loop nor keeps files and DNS from the pool.
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import type { Crypto, CryptoInput, HashName, KeyDerivation } from "../ports/crypto.ts";
import type { RequestId } from "../ports/database.ts";

const names: Readonly<Record<HashName, string>> = {
  "sha-1": "sha1",
  "sha-256": "sha256",
  "sha-512": "sha512",
};
const lengths: Readonly<Record<HashName, number>> = { "sha-1": 20, "sha-256": 32, "sha-512": 64 };
/** Of the pool's four threads. */
const atOnceMax = 3;

export function deriveKey(derivation: KeyDerivation): Promise<Uint8Array> {
  const { hash, password, salt, iterations } = derivation;
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, lengths[hash], names[hash], (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

export class NodeCrypto implements Crypto {
  readonly #answer: (input: CryptoInput) => void;
  #waiting: { readonly request: RequestId; readonly derivation: KeyDerivation }[] = [];
  #running = 0;

  constructor(answer: (input: CryptoInput) => void) {
    this.#answer = answer;
  }

  hash(name: HashName, data: Uint8Array): Uint8Array {
    return createHash(names[name]).update(data).digest();
  }

  hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
    return createHmac(names[name], key).update(data).digest();
  }

  equal(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && timingSafeEqual(a, b);
  }

  /** The core bounds how many may wait. */
  deriveKey(request: RequestId, derivation: KeyDerivation): void {
    this.#waiting.push({ request, derivation });
    this.#next();
  }

  #next(): void {
    if (this.#running >= atOnceMax) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#running += 1;
    const { request, derivation } = next;
    const answer = (key: Uint8Array): void => {
      this.#running -= 1;
      this.#answer({ type: "key-derived", request, key });
      this.#next();
    };
    // A derivation that is refused (a stored row with no iterations) gives a key that opens nothing.
    deriveKey(derivation).then(answer, () => answer(randomBytes(lengths[derivation.hash])));
  }
}
