/** All nodes restart: a power cut, or a full stop and start; they all come up within a moment. */
import { periodOf, severalRows, type Fault } from "./fault.ts";

export const allNodesRestart: Fault = {
  kind: "all-nodes-restart",
  hits: "nodes",
  plan: (random, setting) =>
    severalRows("all-nodes-restart", random, 1, () => ({
      target: "all",
      ...periodOf(random, setting, 8_000),
      amount: random.int(3),
    })),
  start: ({ nodes }, { amount }) => {
    for (const node of nodes()) {
      if (amount === 0) node.kill();
      else if (amount === 1) node.powerOff();
      else node.stop(true);
    }
  },
  end: ({ nodes, after }) => {
    nodes().forEach((node, index) => after(index * 37, () => node.revive()));
  },
};
