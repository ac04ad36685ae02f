/** Link half-open: the connections that two nodes have fall silent; new ones between them are fine. */
import { nodePairOf, periodOf, severalRows, type Fault } from "./fault.ts";
import { pairOf } from "../kit/paths.ts";

export const linkHalfOpen: Fault = {
  kind: "link-half-open",
  hits: "pair",
  nodesMin: 2,
  plan: (random, setting) =>
    severalRows("link-half-open", random, 4, () => ({
      target: nodePairOf(random, setting).join("~"),
      ...periodOf(random, setting, 30_000),
      amount: 0,
    })),
  start: ({ network }, { target }) => void network.silenceBetween(...pairOf(target), true),
  end: ({ network }, { target }) => void network.silenceBetween(...pairOf(target), false),
};
