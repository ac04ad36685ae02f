/** Vanish: a client's host dies without a word; it comes back later as a new login. */
import { atClients, momentOf, type Fault } from "./fault.ts";

export const vanishes: Fault = {
  kind: "vanish",
  hits: "client",
  plan: (random, setting) =>
    atClients("vanish", random, setting, () => {
      const startAt = momentOf(random, setting);
      return { startAt, endAt: startAt, amount: 0 };
    }),
  start: ({ vanish }, { target }) => vanish(target),
  end: () => undefined,
};
