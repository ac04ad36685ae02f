/** Bridge: two groups cannot reach each other, but one node reaches both. */
import { periodOf, severalRows, type Fault } from "./fault.ts";
import { cutAll, mendAll, pathsBetweenGroups } from "../kit/paths.ts";

export const bridge: Fault = {
  kind: "bridge",
  hits: "groups",
  nodesMin: 3,
  plan: (random, setting) =>
    severalRows("bridge", random, 2, () => {
      const [, ...names] = random.shuffle(setting.nodes.map(({ name }) => name));
      const size = random.between(1, names.length - 1);
      const target = `${names.slice(0, size).join(",")}|${names.slice(size).join(",")}`;
      return { target, ...periodOf(random, setting, 30_000), amount: 0 };
    }),
  start: ({ network }, { target }) => cutAll(network.fabric, pathsBetweenGroups(target)),
  end: ({ network }, { target }) => mendAll(network.fabric, pathsBetweenGroups(target)),
};
