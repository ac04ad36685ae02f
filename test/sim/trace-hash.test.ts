/** A trace's hash: long texts and bytes are taken another way than short ones, which must not be seen. */
import { expect, test } from "vitest";
import { TraceHash } from "../../sim/kit/trace-hash.ts";

/** Around where the other way begins, and where what it copies into is full. */
const lengths = [0, 1, 2, 3, 46, 47, 48, 49, 50, 51, 8_191, 8_192, 8_193, 16_385, 20_001];

function hashOf(mix: (hash: TraceHash) => void): string {
  const hash = new TraceHash();
  mix(hash);
  return hash.text(1);
}

/** The length, then pairs of characters, each mixed as a number is that has no upper half. */
function inPairs(hash: TraceHash, codes: readonly number[]): void {
  hash.mix(codes.length);
  for (let at = 0; at < codes.length; at += 2) {
    hash.mix(((codes[at] ?? 0) | ((codes[at + 1] ?? 0) << 16)) >>> 0);
  }
}

test("trace hash: a text is mixed by pairs of its characters, however long it is", () => {
  for (const length of lengths) {
    const codes = Array.from({ length }, (_, at) => (at * 7_919) % 0x7fff);
    const text = String.fromCharCode(...codes);
    expect(hashOf((hash) => hash.mixText(text))).toBe(hashOf((hash) => inPairs(hash, codes)));
    // A string that is a sum of others, and what comes after.
    const sum = text.slice(0, length >> 1) + text.slice(length >> 1);
    const twice = hashOf((hash) => [sum, "end"].forEach((each) => hash.mixText(each)));
    expect(twice).toBe(hashOf((hash) => [text, "end"].forEach((each) => hash.mixText(each))));
  }
});

test("trace hash: bytes are mixed by fours, however many they are, and each counts", () => {
  for (const length of lengths) {
    const bytes = Uint8Array.from({ length: length }, (_, at) => (at * 31) % 128);
    const words = (hash: TraceHash): void => {
      hash.mix(length);
      for (let at = 0; at < length; at += 4) {
        const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
        hash.mix(a | (b << 8) | (c << 16) | (d << 24));
      }
    };
    const expected = hashOf(words);
    expect(hashOf((hash) => hash.mixBytes(bytes))).toBe(expected);
    if (length === 0) continue;
    bytes[length - 1] = 255;
    expect(hashOf((hash) => hash.mixBytes(bytes))).not.toBe(expected);
  }
});
