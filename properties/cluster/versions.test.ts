/** Versions: nodes of any two releases speak the highest version that both know, or tell both ranges. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { LinkStatus } from "../../src/cluster/mesh.ts";
import { LinksWorld } from "./links-world.ts";

const range = fc.tuple(fc.nat(5), fc.nat(3)).map(([min, more]) => ({ min, max: min + more }));

function linkOf(world: LinksWorld, one: string, other: string): LinkStatus | undefined {
  const links = world.node(one).mesh.status();
  return links.find(({ name }) => name === other);
}

test("versions: two releases speak the highest that both know; else each end names both ranges", () => {
  fc.assert(
    fc.property(fc.nat(), range, range, fc.boolean(), (seed, one, other, bothDial) => {
      const world = new LinksWorld({ seed });
      const [a, b] = [world.add("a", { protocol: one }), world.add("b", { protocol: other })];
      world.discover("a", "b");
      if (!bothDial) world.blockDials("b", "a");
      world.run(2_000);
      const common = Math.min(one.max, other.max);
      const links = [linkOf(world, "a", "b"), linkOf(world, "b", "a")];
      if (common >= Math.max(one.min, other.min)) {
        for (const link of links) expect(link).toMatchObject({ state: "up", version: common });
        world.say(a, "b");
        world.say(b, "a");
        world.run(1_000);
        expect(world.seen.map(({ received }) => received.length)).toEqual([2, 2]);
      } else {
        const told = `${one.min} to ${one.max}, the acceptor ${other.min} to ${other.max}`;
        expect(links[0]?.lastError).toBe(`refused: version: the dialler speaks versions ${told}`);
        expect(links.map((link) => link?.version)).toEqual([undefined, undefined]);
        expect(world.seen).toEqual([]);
      }
      expect(world.broken).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
