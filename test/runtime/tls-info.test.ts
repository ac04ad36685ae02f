import { createHash, X509Certificate } from "node:crypto";
import { generate } from "selfsigned";
import { expect, test } from "vitest";
import { serverEndPoint } from "../../src/runtime/tls-info.ts";

test("tls-info: the end point's hash is the signature's, but SHA-256 for older ones [RFC 5929 §4.1]", async () => {
  for (const [keyType, algorithm, hash] of [
    ["rsa", "sha1", "sha256"],
    ["ec", "sha256", "sha256"],
    ["ec", "sha384", "sha384"],
    ["ec", "sha512", "sha512"],
  ] as const) {
    const { cert } = await generate([{ name: "commonName", value: "x" }], { keyType, algorithm });
    const certificate = new X509Certificate(cert);
    const expected = createHash(hash).update(certificate.raw).digest();
    expect(serverEndPoint(certificate), `${keyType} ${algorithm}`).toEqual(expected);
  }
  expect(serverEndPoint(undefined)).toBeUndefined();
});
