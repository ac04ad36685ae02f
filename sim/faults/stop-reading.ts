/** Stop reading: a client's process hangs; its kernel takes what fits and no more. */
import { atClients, periodOf, type Fault } from "./fault.ts";

export const stopReading: Fault = {
  kind: "stop-reading",
  hits: "client",
  merges: true,
  plan: (random, setting) =>
    atClients("stop-reading", random, setting, () => ({
      ...periodOf(random, setting, 20_000),
      amount: 0,
    })),
  start: ({ setReading }, { target }) => setReading(target, false),
  end: ({ setReading }, { target }) => setReading(target, true),
};
