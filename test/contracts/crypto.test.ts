/** What both crypto ports promise: the same values, and one answer for each derivation. */
import { expect, test } from "vitest";
import { PureCrypto } from "../../sim/ports/crypto.ts";
import { bytesFromText, toHex } from "../../src/base/bytes.ts";
import type { CryptoInput, HashName } from "../../src/ports/crypto.ts";
import { NodeCrypto } from "../../src/runtime/crypto.ts";

const hashes: readonly HashName[] = ["sha-1", "sha-256", "sha-512"];
const pure = new PureCrypto();

function derivation(hash: HashName, iterations: number) {
  return { hash, iterations, password: bytesFromText("pencil"), salt: bytesFromText("salt") };
}

/** Asks for all and resolves when as many answers have come. */
function answers(asked: readonly ReturnType<typeof derivation>[]): Promise<readonly CryptoInput[]> {
  return new Promise((resolve) => {
    const got: CryptoInput[] = [];
    const crypto = new NodeCrypto((input) => {
      got.push(input);
      if (got.length === asked.length) resolve(got);
    });
    asked.forEach((each, index) => crypto.deriveKey(index + 1, each));
  });
}

test.each(hashes)("%s: hash, HMAC and derived key are the same in both", async (hash) => {
  const node = new NodeCrypto(() => undefined);
  const [key, data] = [bytesFromText("key"), bytesFromText("data")];
  expect(toHex(node.hash(hash, data))).toBe(toHex(pure.hash(hash, data)));
  expect(toHex(node.hmac(hash, key, data))).toBe(toHex(pure.hmac(hash, key, data)));
  const [answer] = await answers([derivation(hash, 10)]);
  expect(toHex(answer?.key ?? key)).toBe(toHex(pure.derive(derivation(hash, 10))));
});

test("equal: in value and length", () => {
  for (const crypto of [new NodeCrypto(() => undefined), pure]) {
    expect(crypto.equal(bytesFromText("ab"), bytesFromText("ab"))).toBe(true);
    expect(crypto.equal(bytesFromText("ab"), bytesFromText("ac"))).toBe(false);
    expect(crypto.equal(bytesFromText("ab"), bytesFromText("abc"))).toBe(false);
  }
});

test("each of many derivations is answered once, also one that is refused", async () => {
  const asked = Array.from({ length: 20 }, (_, index) => derivation("sha-1", index === 7 ? 0 : 5));
  const got = await answers(asked);
  expect(got.map(({ request }) => request).toSorted((a, b) => a - b)).toEqual(
    asked.map((_, index) => index + 1),
  );
  const refused = got.find(({ request }) => request === 8)?.key;
  expect(refused?.length).toBe(20);
  expect(toHex(refused ?? new Uint8Array(0))).not.toBe(toHex(pure.derive(derivation("sha-1", 5))));
});
