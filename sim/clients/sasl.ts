/**
 * The client's side of SASL: SCRAM with and without channel binding (RFC 5802, RFC 7677), EXTERNAL and
 * ANONYMOUS. Written from the RFCs, apart from the server's side, so that the two check each other.
 */
import {
  bytesFromText,
  concatBytes,
  fromBase64,
  textFromBytes,
  toBase64,
} from "../../src/base/bytes.ts";
import type { HashName, KeyDerivation } from "../../src/ports/crypto.ts";
import type { TlsInfo } from "../../src/ports/network.ts";
import { lentIdentity, type ClientSasl, type Lie } from "./authentication.ts";

export interface SynchronousCrypto {
  hash(name: HashName, data: Uint8Array): Uint8Array;
  hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array;
  derive(derivation: KeyDerivation): Uint8Array;
}

export interface ScramClientOptions {
  /** `SCRAM-SHA-1`, `-256`, `-512`, each also with `-PLUS`. */
  readonly mechanism: string;
  readonly user: string;
  readonly password: string;
  readonly tls: TlsInfo | undefined;
  /** For -PLUS: which binding; by default the first that the connection has. */
  readonly binding?: keyof TlsInfo["bindings"];
  /** GS2 flag where no channel is bound: `n`, or `y` to say that -PLUS was not seen. */
  readonly flag?: "n" | "y";
  readonly lie?: Lie | undefined;
  readonly random: { bytes(count: number): Uint8Array };
  readonly crypto: SynchronousCrypto;
}

export function scramClient(options: ScramClientOptions): ClientSasl {
  const { mechanism, user, crypto } = options;
  const plus = mechanism.endsWith("-PLUS");
  const hash = mechanism.slice("SCRAM-".length, plus ? -"-PLUS".length : undefined).toLowerCase();
  if (hash !== "sha-1" && hash !== "sha-256" && hash !== "sha-512") {
    throw new TypeError(`not a SCRAM mechanism: ${mechanism}`);
  }
  const { header, binding } = channel(options, plus);
  const nonce = toBase64(options.random.bytes(18)).replaceAll(",", "");
  const bareFirst = `n=${user.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
  let expectedSignature = "";
  return {
    mechanism,
    initial: () => bytesFromText(header + bareFirst),
    respond(data) {
      const serverFirst = textFromBytes(data);
      const [, sentNonce = "", saltText = "", iterations = ""] =
        /^r=([^,]+),s=([^,]+),i=([1-9][0-9]*)/.exec(serverFirst) ?? [];
      const salt = fromBase64(saltText);
      if (salt === undefined || !sentNonce.startsWith(nonce) || sentNonce === nonce)
        return undefined;
      const password = bytesFromText(options.password);
      const salted = crypto.derive({ hash, password, salt, iterations: Number(iterations) });
      const clientKey = crypto.hmac(hash, salted, bytesFromText("Client Key"));
      const storedKey = crypto.hash(hash, clientKey);
      const returned = options.lie === "nonce" ? `${sentNonce}0` : sentNonce;
      const withoutProof = `c=${toBase64(binding)},r=${returned}`;
      const auth = bytesFromText(`${bareFirst},${serverFirst},${withoutProof}`);
      const signature = crypto.hmac(hash, storedKey, auth);
      const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
      const serverKey = crypto.hmac(hash, salted, bytesFromText("Server Key"));
      expectedSignature = toBase64(crypto.hmac(hash, serverKey, auth));
      return bytesFromText(`${withoutProof},p=${toBase64(proof)}`);
    },
    accepts: (data) => expectedSignature !== "" && textFromBytes(data) === `v=${expectedSignature}`,
  };
}

/** RFC 5802 §7: the GS2 header, and what `c=` says. */
function channel(
  options: ScramClientOptions,
  plus: boolean,
): { readonly header: string; readonly binding: Uint8Array } {
  const identity = options.lie === "identity" ? `a=${lentIdentity}` : "";
  if (!plus) {
    const header = `${options.flag ?? "n"},${identity},`;
    return { header, binding: bytesFromText(header) };
  }
  const { "tls-exporter": exporter, "tls-unique": unique } = options.tls?.bindings ?? {};
  const first =
    exporter !== undefined
      ? "tls-exporter"
      : unique !== undefined
        ? "tls-unique"
        : "tls-server-end-point";
  const name = options.binding ?? first;
  const header = `p=${name},${identity},`;
  const data = options.tls?.bindings[name] ?? new Uint8Array(0);
  const told = options.lie === "channel" ? data.toReversed() : data;
  return { header, binding: concatBytes(bytesFromText(header), told) };
}

/** EXTERNAL (RFC 4422 appendix A): the certificate speaks; an identity may be asked for. */
export function externalClient(identity = ""): ClientSasl {
  return {
    mechanism: "EXTERNAL",
    initial: () => bytesFromText(identity),
    respond: () => bytesFromText(identity),
    accepts: () => true,
  };
}

/** ANONYMOUS (RFC 4505) */
export function anonymousClient(): ClientSasl {
  return {
    mechanism: "ANONYMOUS",
    initial: () => new Uint8Array(0),
    respond: () => undefined,
    accepts: () => true,
  };
}
