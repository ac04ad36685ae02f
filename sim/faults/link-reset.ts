/** Link reset: what lies between two nodes drops their connections, perhaps in the middle of a frame, and tells both or one. */
import { momentOf, nodePairOf, severalRows, type Fault } from "./fault.ts";
import { pairOf } from "../kit/paths.ts";

/** `amount` of a row of which only the first of the two hears. */
const toldToOne = 1;

export const linkReset: Fault = {
  kind: "link-reset",
  hits: "pair",
  nodesMin: 2,
  plan: (random, setting) =>
    severalRows("link-reset", random, 8, () => {
      const startAt = momentOf(random, setting);
      const target = nodePairOf(random, setting).join("~");
      return { target, startAt, endAt: startAt, amount: random.pick([0, toldToOne]) };
    }),
  start: ({ network }, { target, amount }) => {
    if (amount === toldToOne) network.resetAt(...pairOf(target));
    else network.resetBetween(...pairOf(target));
  },
  end: () => undefined,
};
