/** Choices: what a run draws from one stream says nothing of what it draws from another. */
import { expect, test } from "vitest";
import { faultKinds } from "../../sim/faults/index.ts";
import { choices } from "../../sim/kit/random.ts";

const seeds = 600;

/** The seeds for which the coin of this stream, of three in ten, comes up. */
function heads(path: string): ReadonlySet<number> {
  const all = Array.from({ length: seeds }, (_, index) => index + 1);
  return new Set(all.filter((seed) => choices(seed, path).chance(0.3)));
}

/** Pairs of which both come up at least twice as often as by chance, or half as often. */
function dependent(paths: readonly string[]): readonly string[] {
  const coins = paths.map((path) => ({ path, on: heads(path) }));
  const odd: string[] = [];
  for (const one of coins) {
    for (const other of coins) {
      if (one.path >= other.path) continue;
      const both = [...one.on].filter((seed) => other.on.has(seed)).length;
      const expected = (one.on.size * other.on.size) / seeds;
      if (both < expected / 2 || both > expected * 2) odd.push(`${one.path} and ${other.path}`);
    }
  }
  return odd;
}

test("any two kinds of fault come up together about as often as by chance", () => {
  expect(dependent(faultKinds.map((kind) => `plan/faults/${kind}`))).toEqual([]);
});

test("so do the first choices of any two logins of a client", () => {
  const logins = Array.from({ length: 12 }, (_, index) => `workload/hostile-7#${index + 1}`);
  expect(dependent(logins)).toEqual([]);
});
