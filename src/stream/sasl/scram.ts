/**
 * SCRAM: proof of a password that neither side sends (RFC 5802, RFC 7677).
 *
 * The server keeps salted keys and can neither log in as the user nor be fooled by who knows nothing.
 * An unknown user goes through the same steps with false keys, whose salt repeats for a name, so that
 * nothing tells the two apart (RFC 5802 leaves it to the server). -PLUS binds the exchange to the TLS
 * connection (channel binding). Names and passwords are prepared by PRECIS (RFC 8265), not SASLprep:
 * the same rules as for the addresses that they become; both agree on ASCII.
 */
import { bytesFromText, fromBase64, textFromBytes, isUtf8, toBase64 } from "../../base/bytes.ts";
import type { Crypto, HashName } from "../../ports/crypto.ts";
import type { Entropy } from "../../ports/entropy.ts";
import { challenge, derivedKey, type Work } from "../../ports/work.ts";
import { parseJid, prepareUsername } from "../../xmpp/jid.ts";
import {
  saslFailure,
  saslRefusal,
  type Mechanism,
  type SaslContext,
  type SaslOutcome,
  type ScramKeys,
} from "./exchange.ts";
import { bindingData, parseGs2, unescapeName, type Gs2Header } from "./gs2.ts";

export const hashNames: readonly HashName[] = ["sha-1", "sha-256", "sha-512"];
const keyLength: Readonly<Record<HashName, number>> = { "sha-1": 20, "sha-256": 32, "sha-512": 64 };
const saltLength = 16;
const FIRST = /^n=((?:[^,=\0]|=2C|=3D)+),r=([!-+\--~]+)(?:,|$)/;
const FINAL = /^c=([A-Za-z0-9+/=]+),r=([!-+\--~]+)(?:,[A-Za-z]=[^,\0]*)*,p=([A-Za-z0-9+/=]+)$/;
const longestMessage = 8_192;

export function scram(hash: HashName, plus: boolean): Mechanism {
  const name = `SCRAM-${hash.toUpperCase()}${plus ? "-PLUS" : ""}`;
  return {
    name,
    *run(context, initial) {
      const first = text(initial ?? (yield* challenge(new Uint8Array(0))));
      const header = first === undefined ? undefined : parseGs2(first);
      if (first === undefined || header === undefined) return saslFailure("malformed-request");
      const refused = refuseBinding(header, plus, context);
      if (refused !== undefined) return refused;
      return yield* exchange(hash, context, header, first.slice(header.text.length));
    },
  };
}

function* exchange(
  hash: HashName,
  context: SaslContext,
  header: Gs2Header,
  bareFirst: string,
): Work<SaslOutcome> {
  const fields = FIRST.exec(bareFirst);
  if (fields === null) return saslFailure("malformed-request"); // `m=` too: RFC 5802 §5.1
  const [, sentName = "", clientNonce = ""] = fields;
  const username = prepareUsername(unescapeName(sentName));
  const { keys, known } = yield* keysOf(hash, context, username, sentName);
  const nonce = clientNonce + toBase64(context.entropy.bytes(18));
  const serverFirst = `r=${nonce},s=${toBase64(keys.salt)},i=${keys.iterations}`;
  const final = text(yield* challenge(bytesFromText(serverFirst)));
  const parts = final === undefined ? null : FINAL.exec(final);
  if (final === undefined || parts === null) return saslFailure("malformed-request");
  const [, binding = "", returnedNonce = "", proofText = ""] = parts;
  const proof = fromBase64(proofText);
  const bound = fromBase64(binding);
  const expected = bindingData(header, context.tls);
  if (proof === undefined || bound === undefined) return saslFailure("malformed-request");
  const withoutProof = final.slice(0, final.lastIndexOf(",p="));
  const authMessage = bytesFromText(`${bareFirst},${serverFirst},${withoutProof}`);
  const right = proves(hash, context.crypto, keys, authMessage, proof);
  const sameChannel = expected !== undefined && context.crypto.equal(bound, expected);
  if (!right || !known || !sameChannel || returnedNonce !== nonce || username === undefined) {
    return saslFailure("not-authorized");
  }
  if (!mayActAs(header.authzid, username, context.host)) return saslFailure("invalid-authzid");
  const signature = context.crypto.hmac(hash, keys.serverKey, authMessage);
  return { type: "success", username, data: bytesFromText(`v=${toBase64(signature)}`) };
}

/** RFC 5802 §6: `y` means the client saw no -PLUS though it could have used it: somebody took it away. */
function refuseBinding(
  header: Gs2Header,
  plus: boolean,
  context: SaslContext,
): SaslOutcome | undefined {
  const binds = header.binding !== "n" && header.binding !== "y";
  if (binds !== plus) return saslFailure("malformed-request");
  if (header.binding === "y" && context.plusOffered) {
    return saslRefusal("not-authorized", "Channel binding is offered here");
  }
  if (plus && bindingData(header, context.tls) === undefined) {
    return saslRefusal("not-authorized", `No ${header.binding} channel binding on this connection`);
  }
  return undefined;
}

/** RFC 5802 §3: the same two operations whether the keys are an account's or false. */
function proves(
  hash: HashName,
  crypto: Crypto,
  keys: ScramKeys,
  authMessage: Uint8Array,
  proof: Uint8Array,
): boolean {
  const signature = crypto.hmac(hash, keys.storedKey, authMessage);
  const clientKey = new Uint8Array(signature.length);
  for (let i = 0; i < clientKey.length; i++) {
    clientKey[i] = (signature[i] ?? 0) ^ (proof[i] ?? 0);
  }
  const same = crypto.equal(crypto.hash(hash, clientKey), keys.storedKey);
  return same && proof.length === signature.length;
}

/** The account's keys, or false ones made with as many hashes. */
export function* keysOf(
  hash: HashName,
  context: SaslContext,
  username: string | undefined,
  sentName: string,
): Work<{ readonly keys: ScramKeys; readonly known: boolean }> {
  const found = yield* context.lookup(username ?? "", hash);
  const falseKeys = makeFalseKeys(hash, context, username ?? sentName);
  return { keys: found ?? falseKeys, known: found !== undefined };
}

/**
 * One hash gives all that is shown of a name that nobody has, on every node the same (RFC 5802 §9 and
 * docs/decisions/0001): a salt for each mechanism, and one place in the order of iteration counts.
 */
function makeFalseKeys(hash: HashName, context: SaslContext, name: string): ScramKeys {
  const seed = bytesFromText(`${context.host}\0${name}`);
  const bytes = context.crypto.hmac("sha-512", context.falseSaltSecret, seed);
  const at = saltLength * hashNames.indexOf(hash);
  const salt = bytes.subarray(at, at + saltLength);
  const share = shareOf(bytes.subarray(saltLength * hashNames.length));
  const key = bytes.subarray(0, keyLength[hash]);
  const iterations = context.falseIterations(hash, share);
  return { salt, iterations, storedKey: key, serverKey: key };
}

/** Bytes as a number of 0 ≤ share < 1. */
function shareOf(bytes: Uint8Array): number {
  return bytes.subarray(0, 6).reduce((share, byte) => share * 256 + byte, 0) / 2 ** 48;
}

/** The authorization identity, if given, must be the user's own bare JID (RFC 6120 §6.3.8). */
export function mayActAs(authzid: string, username: string, host: string): boolean {
  return authzid === "" || parseJid(authzid)?.full === `${username}@${host}`;
}

/** RFC 5802 §3: what is stored of a salted password. */
export function makeScramKeys(
  crypto: Pick<Crypto, "hash" | "hmac">,
  hash: HashName,
  saltedPassword: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): ScramKeys {
  const clientKey = crypto.hmac(hash, saltedPassword, bytesFromText("Client Key"));
  const serverKey = crypto.hmac(hash, saltedPassword, bytesFromText("Server Key"));
  return { salt, iterations, storedKey: crypto.hash(hash, clientKey), serverKey };
}

export interface KeyMaking {
  readonly crypto: Pick<Crypto, "hash" | "hmac">;
  readonly entropy: Entropy;
  readonly iterations: number;
}

/** Keys of a prepared password for every hash that a client may ask for. */
export function* newScramKeys(
  { crypto, entropy, iterations }: KeyMaking,
  preparedPassword: string,
): Work<Record<HashName, ScramKeys>> {
  const password = bytesFromText(preparedPassword);
  const make = function* (hash: HashName): Work<ScramKeys> {
    const salt = entropy.bytes(saltLength);
    const salted = yield* derivedKey({ hash, password, salt, iterations });
    return makeScramKeys(crypto, hash, salted, salt, iterations);
  };
  return {
    "sha-1": yield* make("sha-1"),
    "sha-256": yield* make("sha-256"),
    "sha-512": yield* make("sha-512"),
  };
}

function text(bytes: Uint8Array): string | undefined {
  return bytes.length <= longestMessage && isUtf8(bytes) ? textFromBytes(bytes) : undefined;
}
