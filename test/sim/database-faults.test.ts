import { expect, test } from "vitest";
import type { DatabaseInput, RequestId } from "../../src/ports/database.ts";
import { Fabric, noNoise } from "../../sim/kit/fabric.ts";
import { stream } from "../../sim/kit/random.ts";
import { World } from "../../sim/kit/world.ts";
import { databaseHost, DatabaseFaults } from "../../sim/ports/database-faults.ts";

/** Asks a hundred times, one request a second, while this trouble lasts. */
function askAHundred(begin: (faults: DatabaseFaults, fabric: Fabric) => void) {
  const world = new World();
  const fabric = new Fabric(() => undefined);
  const tookMs: number[] = [];
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
    fabric,
    queryTimeoutMs: 500,
  });
  const port = faults.port((answer) => {
    expect(answers.has(answer.request)).toBe(false);
    answers.set(answer.request, answer);
    tookMs.push(world.now() - askedAt);
  }, "n1");
  let askedAt = 0;
  begin(faults, fabric);
  const ask = (first: number): void => {
    for (let request = first; request < first + 100; request += 1) {
      askedAt = world.now();
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
  fabric.heal();
  fabric.setNoise(noNoise);
  ask(101);
  const healed = [...answers.values()].slice(100);
  expect(healed.map(({ type }) => type)).toEqual(Array(100).fill("query-answered"));
  return {
    answers,
    carriedOut,
    tookMs: tookMs.slice(0, 100),
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

test("database: it is asked and answers over the network, whose ways are cut each for itself", () => {
  const asked = askAHundred((_, fabric) => fabric.cut("n1", databaseHost));
  expect(asked.count("unavailable")).toBe(100);
  expect(asked.carriedOut.size).toBe(100); // the second hundred
  const answered = askAHundred((_, fabric) => fabric.cut(databaseHost, "n1"));
  expect(answered.count("unavailable")).toBe(100);
  expect(answered.carriedOut.size).toBe(200);
  expect(new Set(answered.tookMs)).toEqual(new Set([500]));
  const others = askAHundred((_, fabric) => fabric.cut("n2", databaseHost));
  expect(others.count("none")).toBe(100);
});

test("database: a long way takes long both ways, and what is lost is sent again", () => {
  const far = askAHundred((_, fabric) => fabric.delays.begin("n1", 100));
  expect(far.count("none")).toBe(100);
  expect(Math.min(...far.tookMs)).toBeGreaterThanOrEqual(202);
  expect(Math.max(...far.tookMs)).toBeLessThanOrEqual(210);
  const lossy = askAHundred((_, fabric) => fabric.setNoise({ loss: 0.2, latencyMs: 0 }));
  const late = lossy.tookMs.filter((took) => took >= 200);
  expect(late.length).toBeGreaterThan(15);
  expect(late.length).toBeLessThan(60);
  // Lost again and again: given up, though it is carried out later.
  expect(lossy.carriedOut.size).toBe(200);
});
