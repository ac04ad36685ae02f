/** Database slow: every answer takes longer, perhaps longer than the time limit. */
import { atDatabase, type Fault } from "./fault.ts";

export const databaseSlow: Fault = {
  kind: "database-slow",
  hits: "database",
  merges: true,
  plan: (random, setting) => atDatabase("database-slow", random, setting, 15_000),
  start: ({ database }, { amount }) => database.setExtraLatency(amount),
  end: ({ database }) => database.setExtraLatency(0),
};
