/** Reset: a router forgets a connection, and both ends are told so (RST). */
import { atClients, momentOf, type Fault } from "./fault.ts";

export const reset: Fault = {
  kind: "reset",
  hits: "client",
  plan: (random, setting) =>
    atClients("reset", random, setting, () => {
      const startAt = momentOf(random, setting);
      return { startAt, endAt: startAt, amount: 0 };
    }),
  start: ({ network }, { target }) => void network.reset(target),
  end: () => undefined,
};
