/** Scram: the client's side of SCRAM-SHA-1 (RFC 5802), without channel binding. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** Every account of a bench has the same password and salt: the dear part is done once. */
const saltedPasswords = new Map<string, Buffer>();

export class ScramClient {
  readonly #bare: string;
  readonly #password: string;

  constructor(user: string, password: string) {
    this.#bare = `n=${user},r=${randomBytes(12).toString("base64")}`;
    this.#password = password;
  }

  first(): string {
    return `n,,${this.#bare}`;
  }

  final(challenge: string): string {
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(challenge) ?? [];
    if (nonce === undefined || salt === undefined) throw new Error(`odd challenge: ${challenge}`);
    const salted = saltedPassword(this.#password, salt, Number(iterations));
    const clientKey = hmac(salted, "Client Key");
    const storedKey = createHash("sha1").update(clientKey).digest();
    const withoutProof = `c=biws,r=${nonce}`;
    const signature = hmac(storedKey, `${this.#bare},${challenge},${withoutProof}`);
    const proof = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0));
    return `${withoutProof},p=${Buffer.from(proof).toString("base64")}`;
  }
}

function saltedPassword(password: string, salt: string, iterations: number): Buffer {
  const key = `${salt},${iterations},${password}`;
  let salted = saltedPasswords.get(key);
  if (salted === undefined) {
    salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), iterations, 20, "sha1");
    saltedPasswords.set(key, salted);
  }
  return salted;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha1", key).update(text).digest();
}
