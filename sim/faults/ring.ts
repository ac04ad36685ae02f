/** Ring: every node reaches two neighbours and nobody else. */
import { periodOf, severalRows, type Fault } from "./fault.ts";
import { cutAll, mendAll, pathsAcrossRing } from "../kit/paths.ts";

export const ring: Fault = {
  kind: "ring",
  hits: "ring",
  nodesMin: 4,
  plan: (random, setting) =>
    severalRows("ring", random, 1, () => {
      const target = random.shuffle(setting.nodes.map(({ name }) => name)).join(",");
      return { target, ...periodOf(random, setting, 30_000), amount: 0 };
    }),
  start: ({ network }, { target }) => cutAll(network.fabric, pathsAcrossRing(target)),
  end: ({ network }, { target }) => mendAll(network.fabric, pathsAcrossRing(target)),
};
