/** The hash of keys: keys that were chosen to have one hash have it in no process that keeps its secret. */
import { expect, test } from "vitest";
import { KeyHash, knownHash } from "../../src/cluster/key-hash.ts";

const seedOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const binary = (...words: readonly number[]): string =>
  words.map((word) => String.fromCharCode(word & 0xff, word >>> 8)).join("");

/** As many keys as one likes, all of one hash for who knows it: a factor is made nothing. */
function chosen(hash: KeyHash): readonly string[] {
  const start = "mallory@localhost/12";
  const of = (second: number): number => hash.ofText(start + binary(1, second));
  const other = (second: number): number => hash.ofText(start + binary(2, second));
  let second = 0;
  while (of(second) !== other(second)) second += 1;
  return Array.from({ length: 5_000 }, (_, first) => start + binary(first, second));
}

test("key hash: keys of one hash are found by who knows it, and have a thousand hashes where it is secret", () => {
  const keys = chosen(knownHash);
  const hashes = (hash: KeyHash): number => new Set(keys.map((key) => hash.ofText(key))).size;
  expect(hashes(knownHash)).toBe(1);
  for (const fill of [1, 2, 3]) expect(hashes(new KeyHash(seedOf(fill)))).toBeGreaterThan(1_000);
});

test("key hash: the seed decides, every byte of a key counts, and so does its length", () => {
  const [one, same, other] = [
    new KeyHash(seedOf(1)),
    new KeyHash(seedOf(1)),
    new KeyHash(seedOf(2)),
  ];
  for (const key of ["", "a", "ab", "abc", "abcd", "abcde", "x".repeat(5_000)]) {
    const hash = one.ofText(key);
    expect(same.ofText(key)).toBe(hash);
    if (key !== "") expect(other.ofText(key)).not.toBe(hash);
    for (let at = 0; at < Math.min(key.length, 9); at += 1) {
      const changed = `${key.slice(0, at)}~${key.slice(at + 1)}`;
      expect(one.ofText(changed), `${key} ${at}`).not.toBe(hash);
    }
    expect(one.ofText(`${key}\0`)).not.toBe(hash);
  }
});

test("key hash: many keys that resemble each other are spread over the slots", () => {
  const hash = new KeyHash(seedOf(5));
  const slots = new Set<number>();
  for (let number = 0; number < 65_536; number += 1) {
    const key = `user${number}@example.org/phone`;
    slots.add(hash.ofText(key) >>> 16);
  }
  expect(slots.size).toBeGreaterThan(0.6 * 65_536); // by chance: 63 of 100
});
