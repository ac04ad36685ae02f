/**
 * Client certificates with XMPP addresses (RFC 6120 §13.7.1.4) and the authority that signed them,
 * written in DER by hand: no package at hand writes an otherName.
 */
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";

const oid = {
  commonName: "550403",
  ecdsaWithSha256: "2a8648ce3d040302",
  basicConstraints: "551d13",
  subjectAltName: "551d11",
  xmppAddr: "2b06010505070805",
};

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  const head = [tag, ...(length < 0x80 ? [length] : long)];
  return Buffer.concat([Buffer.from(head), content]);
}
const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const identifier = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const utf8 = (text: string) => der(0x0c, Buffer.from(text));
const time = (text: string) => der(0x17, Buffer.from(text));
const nameOf = (text: string) =>
  sequence(der(0x31, sequence(identifier(oid.commonName), utf8(text))));
const algorithm = sequence(identifier(oid.ecdsaWithSha256));

interface Signed {
  readonly cert: string;
  readonly key: string;
}

function certificate(
  subject: string,
  issuer: { name: string; key: KeyObject } | undefined,
  extension: Buffer,
): Signed & { privateKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(issuer === undefined ? 1 : 2)),
    algorithm,
    nameOf(issuer?.name ?? subject),
    sequence(time("200101000000Z"), time("491231235959Z")),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(extension)),
  );
  const signature = sign("sha256", body, issuer?.key ?? privateKey);
  const whole = sequence(body, algorithm, der(0x03, Buffer.of(0), signature));
  const base64 = (whole.toString("base64").match(/.{1,64}/g) ?? []).join("\n");
  const cert = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { cert, key, privateKey };
}

export interface Authority {
  readonly cert: string;
  issue(addresses: readonly string[]): Signed;
}

export function makeAuthority(name = "Test Authority"): Authority {
  const isAuthority = der(0x04, sequence(der(0x01, Buffer.of(0xff))));
  const root = certificate(
    name,
    undefined,
    sequence(identifier(oid.basicConstraints), isAuthority),
  );
  return {
    cert: root.cert,
    issue(addresses) {
      const names = addresses.map((address) =>
        der(0xa0, identifier(oid.xmppAddr), der(0xa0, utf8(address))),
      );
      const extension = sequence(
        identifier(oid.subjectAltName),
        der(0x04, sequence(der(0x82, Buffer.from("client.example")), ...names)),
      );
      return certificate("Juliet", { name, key: root.privateKey }, extension);
    },
  };
}
