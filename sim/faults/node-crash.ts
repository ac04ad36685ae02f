/** Node crash: a process dies, or its machine loses power; its successor starts when all is noticed. */
import { nodeOf, periodOf, severalRows, type Fault } from "./fault.ts";

/** `amount` of a row whose machine dies too. */
const machineToo = 1;

export const nodeCrash: Fault = {
  kind: "node-crash",
  plan: (random, setting) =>
    severalRows("node-crash", random, 2, () => ({
      target: nodeOf(random, setting),
      ...periodOf(random, setting, 30_000),
      amount: random.pick([0, machineToo]),
    })),
  start: ({ node }, { target, amount }) => {
    if (amount === machineToo) node(target)?.powerOff();
    else node(target)?.kill();
  },
  end: ({ node }, { target }) => node(target)?.revive(),
};
