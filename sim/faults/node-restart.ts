/** Node restart: a process dies and its successor is there at once, before anybody has noticed. */
import { momentOf, nodeOf, severalRows, type Fault } from "./fault.ts";

export const nodeRestart: Fault = {
  kind: "node-restart",
  hits: "node",
  plan: (random, setting) =>
    severalRows("node-restart", random, 3, () => {
      const startAt = momentOf(random, setting);
      const endAt = startAt + random.pick([1, 50, 400, 1_500]);
      return { target: nodeOf(random, setting), startAt, endAt, amount: random.int(2) };
    }),
  start: ({ node }, { target, amount }) => {
    if (amount === 1) node(target)?.powerOff();
    else node(target)?.kill();
  },
  end: ({ node }, { target }) => node(target)?.revive(),
};
