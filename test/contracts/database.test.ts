/** The contract of the database port over pg-mem, the simulator's engine. */
import { SimulatedStore } from "../../sim/ports/database.ts";
import { databaseContract } from "./database-contract.ts";
import { discoveryContract } from "./discovery-contract.ts";

let now = 1_800_000_000_000;
const store = new SimulatedStore(() => now);
let requests = 0;

databaseContract("pg-mem", () => ({
  ask: (queries) => Promise.resolve(store.execute((requests += 1), queries)),
}));

discoveryContract("pg-mem", () => ({
  ask: (queries) => Promise.resolve(store.execute((requests += 1), queries)),
  pass(milliseconds) {
    now += milliseconds;
    return Promise.resolve();
  },
}));
