/** Database rejects: it refuses requests for reasons of its own (a serialization failure); nothing was done. */
import { atDatabase, type Fault } from "./fault.ts";

export const databaseRejects: Fault = {
  kind: "database-rejects",
  hits: "database",
  merges: true,
  plan: (random, setting) => atDatabase("database-rejects", random, setting, 10_000),
  start: ({ database }) => database.setRejecting(true),
  end: ({ database }) => database.setRejecting(false),
};
