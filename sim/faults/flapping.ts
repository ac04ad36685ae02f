/** Flapping: two nodes lose each other and find each other again, over and over. */
import { nodePairOf, periodOf, severalRows, type Fault } from "./fault.ts";
import { bothWays, cutAll, mendAll, pairOf } from "../kit/paths.ts";

export const flapping: Fault = {
  kind: "flapping",
  nodesMin: 2,
  plan: (random, setting) =>
    severalRows("flapping", random, 2, () => {
      const target = nodePairOf(random, setting).join("~");
      const amount = random.pick([300, 1_500, 4_000, 12_000]);
      return { target, ...periodOf(random, setting, 40_000), amount };
    }),
  start: ({ network, after }, { target, startAt, endAt, amount }) => {
    const paths = bothWays(pairOf(target));
    const period = Math.max(50, amount);
    for (let at = 0; startAt + at < endAt; at += 2 * period) {
      const open = Math.min(at + period, endAt - startAt);
      after(at, () => cutAll(network.fabric, paths));
      after(open, () => mendAll(network.fabric, paths));
    }
  },
  end: () => undefined,
};
