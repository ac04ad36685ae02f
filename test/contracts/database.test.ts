/** The contract of the database port over pg-mem, the simulator's engine. */
import { expect, test } from "vitest";
import { SimulatedStore, tableIn } from "../../sim/ports/database.ts";
import { lookupIn } from "../../sim/ports/lookup.ts";
import { selectIterations } from "../../src/storage/accounts.ts";
import { databaseContract } from "./database-contract.ts";
import { discoveryContract } from "./discovery-contract.ts";
import type { SqlValue } from "../../src/ports/database.ts";
import { selectKeys } from "../../src/storage/accounts.ts";

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

test("pg-mem: what is remembered belongs to one table, and a statement of two is refused", () => {
  expect(tableIn(selectIterations.text)).toBe("scram_keys");
  expect(tableIn("UPDATE accounts SET host = $1 WHERE host IN (SELECT host FROM accounts)")).toBe(
    "accounts",
  );
  expect(() => tableIn("SELECT 1")).toThrow(TypeError);
  const text = "SELECT host FROM accounts WHERE host IN (SELECT host FROM scram_keys)";
  expect(() => store.execute(0, [{ statement: { name: "two_tables", text }, values: [] }])).toThrow(
    TypeError,
  );
});

test("pg-mem: an answer is asked anew once its table was written, also by what was undone", () => {
  const ask = (text: string, ...values: string[]) =>
    store.execute(0, [{ statement: { name: text, text }, values }]);
  const insert = "INSERT INTO accounts (host, username) VALUES ($1, $2)";
  const select = "SELECT username FROM accounts WHERE host = $1";
  expect(ask(select, "anew")).toMatchObject({ results: [[]] });
  ask(insert, "anew", "ann");
  expect(ask(select, "anew")).toMatchObject({ results: [[{ username: "ann" }]] });
  const queries = [
    { statement: { name: insert, text: insert }, values: ["anew", "bob"] },
    { statement: { name: select, text: select }, values: ["anew"] },
    { statement: { name: insert, text: insert }, values: ["anew", "bob"] },
  ];
  expect(store.execute(0, queries)).toMatchObject({ failure: "constraint" });
  expect(ask(select, "anew")).toMatchObject({ results: [[{ username: "ann" }]] });
});

test("pg-mem: what an index of ours finds is what pg-mem itself finds", () => {
  const run = (text: string, ...values: SqlValue[]) =>
    store.execute(0, [{ statement: { name: text, text }, values }]);
  const lookup = "SELECT username, created_at FROM accounts WHERE username = $2 AND host = $1";
  // Not of the form that is looked up, and the same question.
  const scan = `${lookup} AND host = $1 ORDER BY username`;
  expect(lookupIn(lookup)).toBeDefined();
  expect(lookupIn(scan)).toBeUndefined();
  expect(lookupIn(selectKeys.text)).toBeDefined();
  const insert = "INSERT INTO accounts (host, username) VALUES ($1, $2)";
  const names = ["", "a", "A", "a ", "b", "ä", '["a"]'];
  for (const [at, host] of names.entries()) {
    for (const username of names.slice(at)) run(insert, `found ${host}`, username);
    for (const asked of [...names, null]) {
      expect(run(lookup, `found ${host}`, asked)).toEqual(run(scan, `found ${host}`, asked));
    }
  }
  expect(run(lookup, "found b", "b")).toMatchObject({ results: [[{ username: "b" }]] });
  run("DELETE FROM accounts WHERE username = $1", "b");
  expect(run(lookup, "found b", "b")).toMatchObject({ results: [[]] });
});
