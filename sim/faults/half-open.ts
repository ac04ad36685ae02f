/** Half-open: nothing arrives any more and nobody is told; the silence may end. */
import { atClients, periodOf, type Fault } from "./fault.ts";

export const halfOpen: Fault = {
  kind: "half-open",
  hits: "client",
  plan: (random, setting) =>
    atClients("half-open", random, setting, () => ({
      ...periodOf(random, setting, 30_000),
      amount: 0,
    })),
  start: ({ network }, { target }) => void network.silence(target),
  end: ({ network }, { target }) => network.unsilence(target),
};
