/** Node stop: a process is told to stop, and does so in order; it comes back, or leaves for good. */
import { nodeOf, oneForGood, periodOf, severalRows, type Fault } from "./fault.ts";

export const nodeStop: Fault = {
  kind: "node-stop",
  hits: "node",
  forGood: true,
  plan: (random, setting) => {
    const rows = severalRows("node-stop", random, 2, () => ({
      target: nodeOf(random, setting),
      ...periodOf(random, setting, 20_000),
      amount: 0,
    }));
    return [...rows, ...oneForGood("node-stop", random, setting, 0)];
  },
  start: ({ node }, { target, startAt, endAt }) => node(target)?.stop(endAt > startAt),
  end: ({ node }, { target }) => node(target)?.revive(),
};
