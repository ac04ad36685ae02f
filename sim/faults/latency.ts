/** Latency spike: everything to and from a client takes longer for a while. */
import { atClients, periodOf, type Fault } from "./fault.ts";

export const latency: Fault = {
  kind: "latency",
  hits: "client",
  plan: (random, setting) =>
    atClients("latency", random, setting, () => ({
      ...periodOf(random, setting, 20_000),
      amount: random.pick([50, 500, 3_000]),
    })),
  start: ({ network }, { target, amount }) => network.fabric.delays.begin(target, amount),
  end: ({ network }, { target, amount }) => network.fabric.delays.end(target, amount),
};
