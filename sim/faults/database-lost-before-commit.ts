/** Lost before commit: the connection dies before the database has done anything. */
import { atDatabase, type Fault } from "./fault.ts";

export const databaseLostBeforeCommit: Fault = {
  kind: "database-lost-before-commit",
  hits: "database",
  merges: true,
  plan: (random, setting) => atDatabase("database-lost-before-commit", random, setting, 5_000),
  start: ({ database }) => database.setLoss("before-commit", true),
  end: ({ database }) => database.setLoss("before-commit", false),
};
