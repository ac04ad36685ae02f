/** Reconnect storm: a router between all clients and all nodes restarts, and everybody logs in at once. */
import { hostsOf } from "../kit/paths.ts";
import { momentOf, severalRows, type Fault } from "./fault.ts";

export const reconnectStorm: Fault = {
  kind: "reconnect-storm",
  hits: "clients",
  plan: (random, setting) =>
    severalRows("reconnect-storm", random, 2, () => {
      const startAt = momentOf(random, setting);
      const target = setting.clients.map(({ name }) => name).join(",");
      return { target, startAt, endAt: startAt, amount: 0 };
    }),
  start: ({ network }, { target }) => {
    for (const client of hostsOf(target)) network.reset(client);
  },
  end: () => undefined,
};
