/** SASL of a test's client, over Node's cryptography and what Node's TLS says of the channel. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { plainClient, type ClientSasl } from "../../sim/clients/authentication.ts";
import { anonymousClient, externalClient, scramClient } from "../../sim/clients/sasl.ts";
import type { HashName } from "../../src/ports/crypto.ts";
import type { TlsInfo } from "../../src/ports/network.ts";

const names: Readonly<Record<HashName, string>> = {
  "sha-1": "sha1",
  "sha-256": "sha256",
  "sha-512": "sha512",
};
const lengths: Readonly<Record<HashName, number>> = { "sha-1": 20, "sha-256": 32, "sha-512": 64 };

const crypto = {
  hash: (name: HashName, data: Uint8Array) => createHash(names[name]).update(data).digest(),
  hmac: (name: HashName, key: Uint8Array, data: Uint8Array) =>
    createHmac(names[name], key).update(data).digest(),
  derive: ({ hash, password, salt, iterations }: Parameters<typeof derive>[0]) =>
    derive({ hash, password, salt, iterations }),
};

function derive(wanted: {
  hash: HashName;
  password: Uint8Array;
  salt: Uint8Array;
  iterations: number;
}): Uint8Array {
  const { hash, password, salt, iterations } = wanted;
  return pbkdf2Sync(password, salt, iterations, lengths[hash], names[hash]);
}

export interface SaslOptions {
  readonly mechanism: string;
  readonly user: string;
  readonly password: string;
  readonly tls: TlsInfo | undefined;
  readonly binding?: keyof TlsInfo["bindings"] | undefined;
}

export function saslFor(options: SaslOptions): ClientSasl {
  const { mechanism, user, password, tls, binding } = options;
  if (mechanism === "PLAIN") return plainClient(user, password);
  if (mechanism === "ANONYMOUS") return anonymousClient();
  if (mechanism === "EXTERNAL") return externalClient();
  return scramClient({
    mechanism,
    user,
    password,
    tls,
    ...(binding === undefined ? {} : { binding }),
    random: { bytes: (count) => randomBytes(count) },
    crypto,
  });
}

/** The client's view of the channel (RFC 5929, RFC 9266). */
export function tlsInfoOf(socket: TLSSocket | undefined): TlsInfo | undefined {
  if (socket === undefined) return undefined;
  const protocol = socket.getProtocol() ?? "";
  const certificate = socket.getPeerX509Certificate();
  const unique = protocol === "TLSv1.2" ? socket.getFinished() : undefined;
  return {
    protocol,
    cipher: socket.getCipher().name,
    bindings: {
      ...(certificate === undefined
        ? {}
        : { "tls-server-end-point": createHash("sha256").update(certificate.raw).digest() }),
      ...(unique === undefined ? {} : { "tls-unique": unique }),
      ...(protocol === "TLSv1.3"
        ? {
            "tls-exporter": socket.exportKeyingMaterial(
              32,
              "EXPORTER-Channel-Binding",
              Buffer.alloc(0),
            ),
          }
        : {}),
    },
  };
}
