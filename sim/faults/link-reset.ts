/** Link reset: a router between two nodes forgets their connections, perhaps in the middle of a frame. */
import { momentOf, nodePairOf, severalRows, type Fault } from "./fault.ts";
import { pairOf } from "../kit/paths.ts";

export const linkReset: Fault = {
  kind: "link-reset",
  hits: "pair",
  nodesMin: 2,
  plan: (random, setting) =>
    severalRows("link-reset", random, 8, () => {
      const startAt = momentOf(random, setting);
      return { target: nodePairOf(random, setting).join("~"), startAt, endAt: startAt, amount: 0 };
    }),
  start: ({ network }, { target }) => void network.resetBetween(...pairOf(target)),
  end: () => undefined,
};
