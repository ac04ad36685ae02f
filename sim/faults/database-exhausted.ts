/** Database exhausted: one node's pool is busy and its queue full, so each request fails at once. */
import { nodeOf, periodOf, severalRows, type Fault } from "./fault.ts";

export const databaseExhausted: Fault = {
  kind: "database-exhausted",
  hits: "node",
  merges: true,
  plan: (random, setting) =>
    severalRows("database-exhausted", random, 3, () => ({
      target: nodeOf(random, setting),
      ...periodOf(random, setting, 10_000),
      amount: 0,
    })),
  start: ({ database }, { target }) => database.setExhausted(target, true),
  end: ({ database }, { target }) => database.setExhausted(target, false),
};
