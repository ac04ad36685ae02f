/** Node crash: a process dies, or its machine loses power; its successor starts when all is noticed, or never. */
import { nodeOf, oneForGood, periodOf, severalRows, type Fault } from "./fault.ts";

/** `amount` of a row whose machine dies too, or comes back with its clock an hour behind. */
const machineToo = 1;
const clockToo = 2;
const hour = 3_600_000;

export const nodeCrash: Fault = {
  kind: "node-crash",
  hits: "node",
  forGood: true,
  plan: (random, setting) => {
    const rows = severalRows("node-crash", random, 2, () => ({
      target: nodeOf(random, setting),
      ...periodOf(random, setting, 30_000),
      amount: random.pick([0, machineToo, clockToo]),
    }));
    return [...rows, ...oneForGood("node-crash", random, setting, random.pick([0, machineToo]))];
  },
  start: ({ node }, { target, amount }) => {
    if (amount === 0) return node(target)?.kill();
    node(target)?.powerOff();
    if (amount === clockToo) node(target)?.jumpClock(-hour);
  },
  end: ({ node }, { target }) => node(target)?.revive(),
};
