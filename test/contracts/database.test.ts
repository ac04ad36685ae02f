/** The contract of the database port over pg-mem, the simulator's engine. */
import { SimulatedStore } from "../../sim/ports/database.ts";
import { databaseContract } from "./database-contract.ts";

const store = new SimulatedStore(() => 1_800_000_000_000);
let requests = 0;

databaseContract("pg-mem", () => ({
  ask: (queries) => Promise.resolve(store.execute((requests += 1), queries)),
}));
