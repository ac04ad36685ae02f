/**
 * TLS info: what does a finished handshake prove, for SASL?
 *
 * Channel bindings tie an authentication to this very channel; a client certificate may name JIDs.
 * A binding that would not be safe is left out: `tls-exporter` on TLS 1.2 needs the extended master
 * secret (RFC 9266 §4.2), which Node does not report; TLS 1.3 has no `tls-unique` (RFC 9266 §1).
 */
import { createHash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { TlsInfo } from "../ports/network.ts";
import { derValues, objectIdentifier, type DerValue } from "./der.ts";

const exporterLabel = "EXPORTER-Channel-Binding"; // RFC 9266 §4.1

/** `role`: which end of the handshake we were. */
export function tlsInfo(socket: TLSSocket, role: "client" | "server" = "server"): TlsInfo {
  const protocol = socket.getProtocol() ?? "unknown";
  const serverName = (socket as { servername?: unknown }).servername;
  const certificate =
    role === "server" ? socket.getX509Certificate() : socket.getPeerX509Certificate();
  const endPoint = serverEndPoint(certificate);
  const first = role === "server" && protocol === "TLSv1.2";
  const unique = first ? firstFinished(socket) : undefined;
  const addresses = socket.authorized ? xmppAddresses(socket.getPeerX509Certificate()) : [];
  return {
    protocol,
    cipher: socket.getCipher().name,
    ...(typeof serverName === "string" && serverName !== "" ? { serverName } : {}),
    bindings: {
      ...(protocol === "TLSv1.3"
        ? { "tls-exporter": socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0)) }
        : {}),
      ...(endPoint === undefined ? {} : { "tls-server-end-point": endPoint }),
      ...(unique === undefined ? {} : { "tls-unique": unique }),
    },
    ...(addresses.length === 0 ? {} : { certifiedAddresses: addresses }),
  };
}

/** RFC 5929 §3.1: the first Finished message, which is the client's unless a session was resumed. */
function firstFinished(socket: TLSSocket): Uint8Array | undefined {
  return socket.isSessionReused() ? socket.getFinished() : socket.getPeerFinished();
}

/** By the OID of the signature's algorithm; MD5 and SHA-1 count as SHA-256 (RFC 5929 §4.1). */
const hashes: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.4": "sha256", // md5WithRSA
  "1.2.840.113549.1.1.5": "sha256", // sha1WithRSA
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.113549.1.1.14": "sha224",
  "1.2.840.10045.4.1": "sha256", // ecdsa-with-SHA1
  "1.2.840.10045.4.3.1": "sha224",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};
const rsaPss = "1.2.840.113549.1.1.10";
/** RSASSA-PSS names its hash in its parameters (RFC 4055 §3.1); without one it is SHA-1. */
const pssHashes: Readonly<Record<string, string>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

/** RFC 5929 §4: the hash of our certificate; undefined where none is defined, e.g. for Ed25519. */
export function serverEndPoint(certificate: X509Certificate | undefined): Uint8Array | undefined {
  if (certificate === undefined) return undefined;
  const [, algorithm] = inner(derValues(certificate.raw)[0]);
  const [oid, parameters] = inner(algorithm);
  if (oid === undefined) return undefined;
  const name = objectIdentifier(oid.content);
  const hash = name === rsaPss ? pssHash(parameters) : hashes[name];
  return hash === undefined ? undefined : createHash(hash).update(certificate.raw).digest();
}

function pssHash(parameters: DerValue | undefined): string | undefined {
  const named = inner(parameters).find(({ tag }) => tag === 0xa0);
  const [oid] = inner(inner(named)[0]);
  return oid === undefined ? "sha256" : pssHashes[objectIdentifier(oid.content)];
}

/** The xmppAddr names of a certificate, in its order; none for a certificate that we cannot read. */
export function xmppAddresses(certificate: X509Certificate | undefined): readonly string[] {
  if (certificate === undefined) return [];
  try {
    const [body] = inner(derValues(certificate.raw)[0]);
    const extensions = inner(inner(body).find(({ tag }) => tag === 0xa3))[0];
    return inner(extensions).flatMap((extension) => {
      const fields = inner(extension);
      const [oid] = fields;
      const value = fields.at(-1);
      if (oid === undefined || value === undefined) return [];
      return objectIdentifier(oid.content) === subjectAltName ? addressesIn(value.content) : [];
    });
  } catch {
    return [];
  }
}

const subjectAltName = "2.5.29.17";
const xmppAddr = "1.3.6.1.5.5.7.8.5";

function addressesIn(names: Uint8Array): readonly string[] {
  return inner(derValues(names)[0]).flatMap((name) => {
    if (name.tag !== 0xa0) return []; // otherName
    const [oid, explicit] = inner(name);
    const text = inner(explicit)[0];
    if (oid === undefined || text === undefined || text.tag !== 0x0c) return [];
    return objectIdentifier(oid.content) === xmppAddr
      ? [Buffer.from(text.content).toString("utf8")]
      : [];
  });
}

function inner(value: DerValue | undefined): readonly DerValue[] {
  return value === undefined ? [] : derValues(value.content);
}
