import { expect, test } from "vitest";
import type { DatabaseInput, RequestId } from "../../src/ports/database.ts";
import { stream } from "../../sim/kit/random.ts";
import { World } from "../../sim/kit/world.ts";
import { DatabaseFaults } from "../../sim/ports/database-faults.ts";

/** Asks a hundred times, one request a second, while this trouble lasts. */
function askAHundred(begin: (faults: DatabaseFaults) => void) {
  const world = new World();
  const carriedOut = new Set<RequestId>();
  const answers = new Map<RequestId, DatabaseInput>();
  const faults = new DatabaseFaults({
    world,
    engine: {
      execute: (request) => {
        carriedOut.add(request);
        return { type: "query-answered", request, results: [] };
      },
    },
    random: stream(1, "database"),
    latencyMs: [1, 5],
    queryTimeoutMs: 500,
  });
  const port = faults.port((answer) => {
    expect(answers.has(answer.request)).toBe(false);
    answers.set(answer.request, answer);
  }, "n1");
  begin(faults);
  const ask = (first: number): void => {
    for (let request = first; request < first + 100; request += 1) {
      port.query(request, []);
      world.runUntil(world.now() + 1_000);
    }
  };
  ask(1);
  const failures = [...answers.values()].map((answer) =>
    answer.type === "query-failed" ? answer.failure : "none",
  );
  expect(answers.size).toBe(100);
  faults.heal();
  ask(101);
  const healed = [...answers.values()].slice(100);
  expect(healed.map(({ type }) => type)).toEqual(Array(100).fill("query-answered"));
  return {
    answers,
    carriedOut,
    count: (kind: string) => failures.filter((f) => f === kind).length,
  };
}

test("database: what it rejects has not happened; the rest has", () => {
  const { answers, carriedOut, count } = askAHundred((faults) => faults.setRejecting(true));
  expect(count("rejected")).toBeGreaterThan(20);
  expect(count("none")).toBeGreaterThan(20);
  expect(count("rejected") + count("none")).toBe(100);
  for (const [request, { type }] of answers) {
    expect(carriedOut.has(request)).toBe(type === "query-answered");
  }
});

test("database: a node without a free connection has nothing carried out, the others have", () => {
  const here = askAHundred((faults) => faults.setExhausted("n1", true));
  expect(here.count("unavailable")).toBe(100);
  expect(here.carriedOut.size).toBe(100); // the second hundred
  const elsewhere = askAHundred((faults) => faults.setExhausted("n2", true));
  expect(elsewhere.count("none")).toBe(100);
});

test("database: a connection that dies before the commit does nothing, after it everything", () => {
  const before = askAHundred((faults) => faults.setLoss("before-commit", true));
  const after = askAHundred((faults) => faults.setLoss("after-commit", true));
  expect(before.count("unavailable")).toBeGreaterThan(20);
  expect(before.carriedOut.size).toBe(200 - before.count("unavailable"));
  expect(after.count("unavailable")).toBeGreaterThan(20);
  expect(after.carriedOut.size).toBe(200);
});
