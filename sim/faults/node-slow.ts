/** Node slow: a machine has too little of its core for what it is asked, so that everything waits its turn. */
import { nodeOf, periodOf, severalRows, type Fault } from "./fault.ts";

export const nodeSlow: Fault = {
  kind: "node-slow",
  hits: "node",
  merges: true,
  plan: (random, setting) =>
    severalRows("node-slow", random, 3, () => ({
      target: nodeOf(random, setting),
      ...periodOf(random, setting, random.pick([5_000, 25_000])),
      amount: random.pick([5, 25, 100, 300]),
    })),
  start: ({ node }, { target, amount }) => node(target)?.slowDown(amount),
  end: ({ node }, { target }) => node(target)?.slowDown(0),
};
