/** Lost after commit: the database has done the work, but its answer never arrives. */
import { atDatabase, type Fault } from "./fault.ts";

export const databaseLostAfterCommit: Fault = {
  kind: "database-lost-after-commit",
  hits: "database",
  merges: true,
  plan: (random, setting) => atDatabase("database-lost-after-commit", random, setting, 5_000),
  start: ({ database }) => database.setLoss("after-commit", true),
  end: ({ database }) => database.setLoss("after-commit", false),
};
