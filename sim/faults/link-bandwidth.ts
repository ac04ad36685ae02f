/** Link bandwidth: the line between two nodes carries little for a while, so what they say has to wait. */
import { pathName } from "../kit/fabric.ts";
import { bothWays, pairOf } from "../kit/paths.ts";
import { nodePairOf, periodOf, severalRows, rateMin, type Fault } from "./fault.ts";

export const linkBandwidth: Fault = {
  kind: "link-bandwidth",
  hits: "pair",
  nodesMin: 2,
  amountMin: rateMin,
  plan: (random, setting) =>
    severalRows("link-bandwidth", random, 3, () => ({
      target: nodePairOf(random, setting).join("~"),
      ...periodOf(random, setting, 30_000),
      amount: random.pick([8_000, 30_000, 120_000]),
    })),
  start: ({ network }, { target, amount }) => {
    for (const path of bothWays(pairOf(target)))
      network.fabric.rates.begin(pathName(...path), amount);
  },
  end: ({ network }, { target, amount }) => {
    for (const path of bothWays(pairOf(target)))
      network.fabric.rates.end(pathName(...path), amount);
  },
};
