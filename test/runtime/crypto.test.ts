/** Expensive hashing never blocks the loop, and a flood of it leaves the thread pool to others. */
import { stat } from "node:fs/promises";
import { expect, test } from "vitest";
import { bytesFromText } from "../../src/base/bytes.ts";
import { NodeCrypto } from "../../src/runtime/crypto.ts";

const expensive = {
  hash: "sha-512",
  iterations: 50_000,
  password: bytesFromText("pencil"),
  salt: bytesFromText("salt"),
} as const;

test("crypto: while a key is derived the loop turns", async () => {
  let turns = 0;
  let answered = false;
  const crypto = new NodeCrypto(() => (answered = true));
  crypto.deriveKey(1, expensive);
  expect(answered).toBe(false);
  while (!answered) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  // Derived on this thread it would have been one turn or two.
  expect(turns).toBeGreaterThan(10);
});

test("crypto: whoever needs the pool for files gets it before a flood of logins is through", async () => {
  const asked = 12;
  let answered = 0;
  const all = new Promise<void>((resolve) => {
    const crypto = new NodeCrypto(() => {
      answered += 1;
      if (answered === asked) resolve();
    });
    for (let request = 1; request <= asked; request++) crypto.deriveKey(request, expensive);
  });
  await stat(".");
  expect(answered).toBeLessThan(asked / 2);
  await all;
});
