import fc from "fast-check";
import { expect, test } from "vitest";
import { stream } from "../../sim/kit/random.ts";

const names = ["network/a#1", "network/b#1", "node/n1/entropy", "workload/a", "database"];

/** Draws from the named streams in the order that `schedule` says; what each has drawn. */
function draws(seed: number, schedule: readonly number[]): number[][] {
  const streams = names.map((name) => stream(seed, name));
  const drawn: number[][] = names.map(() => []);
  for (const which of schedule) drawn[which]?.push(streams[which]?.int(1_000_000) ?? -1);
  return drawn;
}

test("random: another order of consumers shifts no stream", () => {
  const schedules = fc.array(fc.nat(names.length - 1), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer(), schedules, fc.infiniteStream(fc.nat()), (seed, schedule, keys) => {
      const shuffled = schedule
        .map((which) => ({ which, key: keys.next().value ?? 0 }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ which }) => which);
      expect(draws(seed, shuffled)).toEqual(draws(seed, schedule));
    }),
  );
});

test("random: one more draw from one stream moves no other", () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(names.length - 1), (seed, extra) => {
      const schedule = names.flatMap((_, which) => [which, which, which]);
      const plain = draws(seed, schedule);
      const more = draws(seed, [extra, ...schedule]);
      plain.forEach((drawn, which) => {
        if (which !== extra) expect(more[which]).toEqual(drawn);
      });
    }),
  );
});

test("random: streams of different names and seeds differ", () => {
  const first = (seed: number, name: string): string => {
    const random = stream(seed, name);
    return Array.from({ length: 4 }, () => random.int(1 << 30)).join();
  };
  const seen = new Set<string>();
  for (let seed = 0; seed < 50; seed++) for (const name of names) seen.add(first(seed, name));
  expect(seen.size).toBe(50 * names.length);
});

test("random: draws keep to their bounds, and every value comes up", () => {
  const random = stream(1, "bounds");
  const seen = new Set<number>();
  for (let count = 0; count < 1_000; count++) {
    const drawn = random.between(-2, 3);
    expect(drawn).toBeGreaterThanOrEqual(-2);
    expect(drawn).toBeLessThanOrEqual(3);
    seen.add(drawn);
  }
  expect(seen.size).toBe(6);
  expect(random.chance(0)).toBe(false);
  expect(random.chance(1)).toBe(true);
  expect(random.shuffle([1, 2, 3, 4]).toSorted()).toEqual([1, 2, 3, 4]);
});
