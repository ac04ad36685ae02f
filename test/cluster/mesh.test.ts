import { expect, test } from "vitest";
import { LinksWorld } from "../../properties/cluster/links-world.ts";

test("mesh: two nodes that know of each other are up with one session", () => {
  const world = new LinksWorld({ seed: 1 });
  const [a, b] = [world.add("a"), world.add("b")];
  world.discover("a", "b");
  world.run(1_000);
  expect([world.state("a", "b"), world.state("b", "a")]).toEqual(["up", "up"]);
  for (let count = 0; count < 100; count += 1) world.say(a, "b");
  world.say(b, "a");
  world.run(100);
  expect(world.seen.map(({ received }) => received.length)).toEqual([101, 2]);
  expect(world.seen.length).toBe(2);
  expect(world.broken).toEqual([]);
});
