/** Node join: a node that was not there at the start comes into the running cluster. */
import { momentOf, type Fault } from "./fault.ts";

export const nodeJoin: Fault = {
  kind: "node-join",
  hits: "joiner",
  plan: (random, setting) =>
    setting.nodes
      .filter(({ joins }) => joins)
      .map(({ name }) => {
        const startAt = momentOf(random, setting);
        return { kind: "node-join", target: name, startAt, endAt: startAt, amount: 0 };
      }),
  start: ({ node }, { target }) => node(target)?.start(),
  end: () => undefined,
};
