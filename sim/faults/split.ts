/** Split: the nodes fall into groups that cannot reach each other, two groups or as many as nodes. */
import { periodOf, severalRows, type Fault } from "./fault.ts";
import { cutAll, mendAll, pathsBetweenGroups } from "../kit/paths.ts";

export const split: Fault = {
  kind: "split",
  hits: "groups",
  nodesMin: 2,
  plan: (random, setting) =>
    severalRows("split", random, 2, () => {
      const names = random.shuffle(setting.nodes.map(({ name }) => name));
      const count = random.between(2, Math.min(names.length, random.pick([2, 2, 3, 12])));
      const groups = Array.from({ length: count }, (): string[] => []);
      names.forEach((name, index) => {
        groups[index < count ? index : random.int(count)]?.push(name);
      });
      const target = groups.map((group) => group.join(",")).join("|");
      return {
        target,
        ...periodOf(random, setting, random.pick([3_000, 15_000, 40_000])),
        amount: 0,
      };
    }),
  start: ({ network }, { target }) => cutAll(network.fabric, pathsBetweenGroups(target)),
  end: ({ network }, { target }) => mendAll(network.fabric, pathsBetweenGroups(target)),
};
