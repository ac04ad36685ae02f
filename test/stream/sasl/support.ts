/** What the SASL tests share: a context with counted hashes, and a runner for both sides. */
import { scramClient, type ScramClientOptions } from "../../../sim/clients/sasl.ts";
import type { ClientSasl } from "../../../sim/clients/authentication.ts";
import { PureCrypto } from "../../../sim/ports/crypto.ts";
import { bytesFromText } from "../../../src/base/bytes.ts";
import type { HashName } from "../../../src/ports/crypto.ts";
import type { TlsInfo } from "../../../src/ports/network.ts";
import type { WorkAnswer } from "../../../src/ports/work.ts";
import type {
  Mechanism,
  SaslContext,
  SaslOutcome,
  ScramKeys,
} from "../../../src/stream/sasl/exchange.ts";
import { makeScramKeys } from "../../../src/stream/sasl/scram.ts";

export const pure = new PureCrypto();
export const salt = bytesFromText("a salt of 16 byt");

export const overTls: TlsInfo = {
  protocol: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  bindings: {
    "tls-exporter": bytesFromText("exported keying material"),
    "tls-server-end-point": bytesFromText("hash of the certificate"),
  },
};

export function keysFor(hash: HashName, password: string, iterations: number): ScramKeys {
  const derivation = { hash, password: bytesFromText(password), salt, iterations };
  return makeScramKeys(pure, hash, pure.derive(derivation), salt, iterations);
}

/** One account, "juliet" with "r0m30", on a host that counts what a login costs. */
export function scene(overrides: Partial<SaslContext> = {}): {
  readonly context: SaslContext;
  readonly counts: Record<"hash" | "hmac" | "lookup" | "derive", number>;
} {
  const counts = { hash: 0, hmac: 0, lookup: 0, derive: 0 };
  const context: SaslContext = {
    host: "capulet.example",
    tls: overTls,
    plusOffered: true,
    falseIterations: () => 100,
    falseSaltSecret: bytesFromText("secret"),
    entropy: { bytes: (count) => new Uint8Array(count).fill(7) },
    crypto: {
      hash: (name, data) => (counts.hash++, pure.hash(name, data)),
      hmac: (name, key, data) => (counts.hmac++, pure.hmac(name, key, data)),
      equal: (a, b) => pure.equal(a, b),
      deriveKey: () => undefined,
    },
    *lookup(username, hash) {
      counts.lookup++;
      return username === "juliet" ? keysFor(hash, "r0m30", 100) : undefined;
    },
    ...overrides,
  };
  return { context, counts };
}

export interface Login {
  readonly outcome: SaslOutcome;
  readonly challenges: readonly Uint8Array[];
  /** Did the client accept the server's proof? */
  readonly trusted: boolean;
}

/** Runs both sides to the end. `initial` false: the client waits for an empty challenge first. */
export function login(
  mechanism: Mechanism,
  context: SaslContext,
  client: ClientSasl,
  counts?: Record<"derive", number>,
  initial = true,
): Login {
  const challenges: Uint8Array[] = [];
  const work = mechanism.run(context, initial ? client.initial() : undefined);
  let step = work.next();
  while (step.done !== true) {
    const request = step.value;
    let answer: WorkAnswer;
    if (request.type === "challenge") {
      challenges.push(request.data);
      const first = request.data.length === 0 && !initial && challenges.length === 1;
      const data = first ? client.initial() : client.respond(request.data);
      answer = { type: "response", data: data ?? bytesFromText("*") };
    } else if (request.type === "derive-key") {
      if (counts !== undefined) counts.derive++;
      answer = { type: "key", key: pure.derive(request.derivation) };
    } else {
      throw new TypeError("no database here");
    }
    step = work.next(answer);
  }
  const outcome = step.value;
  const data = outcome.type === "success" ? outcome.data : undefined;
  return { outcome, challenges, trusted: data !== undefined && client.accepts(data) };
}

export function scramAs(
  mechanism: string,
  user: string,
  password: string,
  more: Partial<ScramClientOptions> = {},
): ClientSasl {
  return scramClient({
    mechanism,
    user,
    password,
    tls: overTls,
    crypto: pure,
    random: { bytes: (count) => new Uint8Array(count).fill(9) },
    ...more,
  });
}
