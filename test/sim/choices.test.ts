/** Choices: what a plan draws from one stream says nothing of what it draws from another. */
import { expect, test } from "vitest";
import { faultKinds } from "../../sim/faults/index.ts";
import { choices } from "../../sim/kit/random.ts";

const seeds = 600;

/** The seeds for which this kind's coin, of three in ten, comes up. */
function heads(kind: string): ReadonlySet<number> {
  const all = Array.from({ length: seeds }, (_, index) => index + 1);
  return new Set(all.filter((seed) => choices(seed, `plan/faults/${kind}`).chance(0.3)));
}

test("any two kinds of fault come up together about as often as by chance", () => {
  const coins = faultKinds.map((kind) => ({ kind, on: heads(kind) }));
  const odd: string[] = [];
  for (const one of coins) {
    for (const other of coins) {
      if (one.kind >= other.kind) continue;
      const both = [...one.on].filter((seed) => other.on.has(seed)).length;
      const expected = (one.on.size * other.on.size) / seeds;
      if (both < expected / 2 || both > expected * 2) odd.push(`${one.kind} and ${other.kind}`);
    }
  }
  expect(odd).toEqual([]);
});
