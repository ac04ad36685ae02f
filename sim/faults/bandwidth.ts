/** Bandwidth: a client's line carries little for a while, in both directions. */
import { atClients, periodOf, rateMin, type Fault } from "./fault.ts";

export const bandwidth: Fault = {
  kind: "bandwidth",
  hits: "client",
  amountMin: rateMin,
  plan: (random, setting) =>
    atClients("bandwidth", random, setting, () => ({
      ...periodOf(random, setting, 20_000),
      amount: random.pick([4_000, 20_000, 100_000]),
    })),
  start: ({ network }, { target, amount }) => network.fabric.rates.begin(target, amount),
  end: ({ network }, { target, amount }) => network.fabric.rates.end(target, amount),
};
