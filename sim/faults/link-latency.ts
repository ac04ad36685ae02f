/** Link latency: what two nodes send each other takes longer, perhaps longer than a heartbeat's limit. */
import { nodePairOf, periodOf, severalRows, type Fault } from "./fault.ts";
import { pathName } from "../kit/fabric.ts";
import { bothWays, pairOf } from "../kit/paths.ts";

export const linkLatency: Fault = {
  kind: "link-latency",
  hits: "pair",
  nodesMin: 2,
  plan: (random, setting) =>
    severalRows("link-latency", random, 3, () => ({
      target: nodePairOf(random, setting).join("~"),
      ...periodOf(random, setting, 30_000),
      amount: random.pick([30, 300, 1_500, 8_000]),
    })),
  start: ({ network }, { target, amount }) => {
    for (const path of bothWays(pairOf(target)))
      network.fabric.delays.begin(pathName(...path), amount);
  },
  end: ({ network }, { target, amount }) => {
    for (const path of bothWays(pairOf(target)))
      network.fabric.delays.end(pathName(...path), amount);
  },
};
