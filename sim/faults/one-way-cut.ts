/** One-way cut: what one node sends to another does not arrive; what comes back does. */
import { nodePairOf, periodOf, severalRows, type Fault } from "./fault.ts";
import { pathOf } from "../kit/paths.ts";

export const oneWayCut: Fault = {
  kind: "one-way-cut",
  hits: "path",
  nodesMin: 2,
  plan: (random, setting) =>
    severalRows("one-way-cut", random, 4, () => {
      // Now and then between a client and its node.
      const [from, to] = random.chance(0.3)
        ? random.shuffle([random.pick(setting.clients).name, random.pick(setting.nodes).name])
        : nodePairOf(random, setting);
      return { target: `${from}>${to}`, ...periodOf(random, setting, 25_000), amount: 0 };
    }),
  start: ({ network }, { target }) => network.fabric.cut(...pathOf(target)),
  end: ({ network }, { target }) => network.fabric.mend(...pathOf(target)),
};
