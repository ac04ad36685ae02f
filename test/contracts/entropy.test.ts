/** What every source of entropy promises: as many bytes as asked for, none twice, none changed later. */
import { expect, test } from "vitest";
import { stream } from "../../sim/kit/random.ts";
import { toHex } from "../../src/base/bytes.ts";
import type { Entropy } from "../../src/ports/entropy.ts";
import { SystemEntropy } from "../../src/runtime/entropy.ts";

const sources: readonly (readonly [string, () => Entropy])[] = [
  ["the system's", () => new SystemEntropy()],
  ["a simulated node's", () => stream(7, "node/n1/entropy")],
];

test.each(sources)(
  "entropy: %s: every draw has its length, and none is given out twice or changes later",
  (_name, open) => {
    const entropy = open();
    const drawn = Array.from({ length: 2_000 }, (_, at) => entropy.bytes(16 + (at % 17)));
    drawn.push(entropy.bytes(10_000));
    const seen = drawn.map(toHex);
    expect(new Set(seen).size).toBe(drawn.length);
    expect(
      drawn.map(({ length }, at) => length === (at === 2_000 ? 10_000 : 16 + (at % 17))),
    ).toEqual(drawn.map(() => true));
    entropy.bytes(4_096);
    expect(drawn.map(toHex)).toEqual(seen);
    expect(entropy.bytes(0)).toHaveLength(0);
  },
);
