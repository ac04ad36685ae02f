/** Node pause: a process stands still for a while (garbage, a debugger, a moved machine) and goes on. */
import { nodeOf, periodOf, severalRows, type Fault } from "./fault.ts";

export const nodePause: Fault = {
  kind: "node-pause",
  hits: "node",
  merges: true,
  plan: (random, setting) =>
    severalRows("node-pause", random, 3, () => ({
      target: nodeOf(random, setting),
      ...periodOf(random, setting, random.pick([1_500, 8_000, 25_000])),
      amount: 0,
    })),
  start: ({ node }, { target }) => node(target)?.pause(),
  end: ({ node }, { target }) => node(target)?.resume(),
};
