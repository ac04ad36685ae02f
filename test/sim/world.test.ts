import fc from "fast-check";
import { expect, test } from "vitest";
import { TimeStandsStill, World } from "../../sim/kit/world.ts";

test("world: events run in order of time, and of scheduling at the same time", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 200 }), (times) => {
      const world = new World();
      const seen: { at: number; index: number }[] = [];
      times.forEach((at, index) => world.schedule(at, () => seen.push({ at: world.now(), index })));
      world.runUntil(100);
      const expected = times
        .map((at, index) => ({ at, index }))
        .toSorted((a, b) => a.at - b.at || a.index - b.index);
      expect(seen).toEqual(expected);
    }),
  );
});

test("world: the clock stands at an event's time while it runs, and at the end afterwards", () => {
  const world = new World();
  const seen: number[] = [];
  world.schedule(10, () => world.after(5, () => seen.push(world.now())));
  world.schedule(21, () => seen.push(world.now()));
  world.runUntil(20);
  expect(seen).toEqual([15]);
  expect(world.now()).toBe(20);
});

test("world: what should have run already runs now, not in the past", () => {
  const world = new World();
  const seen: number[] = [];
  world.schedule(10, () => world.schedule(3, () => seen.push(world.now())));
  world.runUntil(20);
  expect(seen).toEqual([10]);
});

test("world: a circle at one instant is a failure, not a hang", () => {
  const world = new World({ eventsPerInstantMax: 100 });
  const again = (): void => world.after(0, again);
  world.schedule(1, again);
  expect(() => world.runUntil(2)).toThrow(TimeStandsStill);
});

test("world: many events spread over time are no circle", () => {
  const world = new World({ eventsPerInstantMax: 100 });
  let ran = 0;
  const again = (): void => {
    ran += 1;
    world.after(1, again);
  };
  world.schedule(0, again);
  world.runUntil(10_000);
  expect(ran).toBe(10_001);
});

test("world: after stop nothing runs", () => {
  const world = new World();
  let ran = 0;
  world.schedule(1, () => world.stop());
  world.schedule(2, () => (ran += 1));
  world.runUntil(10);
  expect(ran).toBe(0);
});
