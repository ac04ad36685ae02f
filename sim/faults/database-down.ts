/** Database down: it refuses every request at once. */
import { atDatabase, type Fault } from "./fault.ts";

export const databaseDown: Fault = {
  kind: "database-down",
  hits: "database",
  merges: true,
  plan: (random, setting) => atDatabase("database-down", random, setting, 15_000),
  start: ({ database }) => database.setDown(true),
  end: ({ database }) => database.setDown(false),
};
