/** What a name shows of its password's age: nothing, whether there is such an account or not. */
import { expect, test } from "vitest";
import { SimulatedStore } from "../../sim/ports/database.ts";
import type { Now } from "../../src/base/time.ts";
import type { HashName } from "../../src/ports/crypto.ts";
import type { Query } from "../../src/ports/database.ts";
import { Faults } from "../../src/server/faults.ts";
import { countAt, IterationCounts } from "../../src/server/iteration-counts.ts";
import { NodeMetrics } from "../../src/server/metrics.ts";
import { WorkRunner } from "../../src/server/work-runner.ts";
import { registration } from "../../src/storage/accounts.ts";
import { keysOf } from "../../src/stream/sasl/scram.ts";
import { scene } from "../stream/sasl/support.ts";

const host = "capulet.example";
const hashes: readonly HashName[] = ["sha-1", "sha-256", "sha-512"];
const at = (ms: number): Now => ({ at: ms, wall: ms });

/** A host whose accounts have these counts, and what a node knows of it. */
class Scene {
  readonly counts: IterationCounts;
  readonly metrics = new NodeMetrics();
  readonly asked: { request: number; queries: readonly Query[] }[] = [];
  readonly #store = new SimulatedStore(() => 0);
  readonly #work: WorkRunner;
  #accounts = 0;

  constructor() {
    this.#work = new WorkRunner((effect) => {
      if (effect.type === "query") this.asked.push(effect);
    }, 100);
    const log = { write: () => undefined };
    const faults = new Faults({ log, counts: this.metrics, onFault: "throw" });
    this.counts = new IterationCounts({ work: this.#work, faults, configured: 20_000 });
  }

  register(count: number, iterations: number): void {
    for (let i = 0; i < count; i++) {
      const one = new Uint8Array(20).fill((this.#accounts += 1));
      const keys = { salt: one, iterations, storedKey: one, serverKey: one };
      const all = { "sha-1": keys, "sha-256": keys, "sha-512": keys };
      this.#store.execute(0, registration(host, `user-${this.#accounts}`, all));
    }
  }

  /** The database answers all that it was asked. */
  answer(now: Now): void {
    for (const { request, queries } of this.asked.splice(0)) {
      this.#work.answer(now, this.#store.execute(request, queries));
    }
  }

  fail(now: Now): void {
    for (const { request } of this.asked.splice(0)) {
      const failed = { type: "query-failed", failure: "unavailable", detail: "away" } as const;
      this.#work.answer(now, { ...failed, request });
    }
  }
}

/** The count that a login with a name that nobody has is shown, as `keysOf` makes it. */
function shown(counts: IterationCounts, name: string, hash: HashName): number {
  const { context } = scene({
    host,
    falseIterations: (asked, share) => counts.at(host, asked, share),
  });
  const work = keysOf(hash, context, name, name);
  const end = work.next();
  if (end.done !== true) throw new TypeError("the lookup of a scene needs no world");
  expect(end.value.known).toBe(false);
  return end.value.keys.iterations;
}

test("iteration counts: names that nobody has show each count as often as accounts do", () => {
  const node = new Scene();
  node.register(6, 4_096);
  node.register(3, 10_000);
  node.register(1, 20_000);
  node.counts.whenKnown(at(0), host, () => undefined);
  node.answer(at(1));
  const names = 4_000;
  const times = new Map<number, number>();
  for (let i = 0; i < names; i++) {
    const counts = new Set(hashes.map((hash) => shown(node.counts, `ghost-${i}`, hash)));
    expect(counts.size).toBe(1); // an account's password was set for all mechanisms at once
    for (const count of counts) times.set(count, (times.get(count) ?? 0) + 1);
  }
  const parts = [4_096, 10_000, 20_000].map((count) => (times.get(count) ?? 0) / names);
  // Four standard deviations of 4,000 draws.
  expect(Math.abs((parts[0] ?? 0) - 0.6)).toBeLessThan(0.031);
  expect(Math.abs((parts[1] ?? 0) - 0.3)).toBeLessThan(0.029);
  expect(Math.abs((parts[2] ?? 0) - 0.1)).toBeLessThan(0.019);
  expect(shown(node.counts, "ghost-1", "sha-1")).toBe(shown(node.counts, "ghost-1", "sha-1"));
});

test("iteration counts: the count does not follow from the salt, which everybody sees", () => {
  const node = new Scene();
  node.register(1, 4_096);
  node.register(1, 10_000);
  node.counts.whenKnown(at(0), host, () => undefined);
  node.answer(at(0));
  const bits = [0, 0];
  for (let i = 0; i < 1_000; i++) {
    const { context } = scene({
      host,
      falseIterations: (hash, share) => node.counts.at(host, hash, share),
    });
    const end = keysOf("sha-256", context, `ghost-${i}`, "").next();
    if (end.done !== true) throw new TypeError("the lookup of a scene needs no world");
    const { salt, iterations } = end.value.keys;
    if (iterations !== 4_096) continue;
    bits[(salt[0] ?? 0) >> 7] = (bits[(salt[0] ?? 0) >> 7] ?? 0) + 1;
  }
  const [low = 0, high = 0] = bits;
  expect(Math.abs(low - high) / (low + high)).toBeLessThan(0.18);
});

test("iteration counts: an empty host shows what is configured", () => {
  const node = new Scene();
  node.counts.whenKnown(at(0), host, () => undefined);
  node.answer(at(0));
  expect(shown(node.counts, "ghost", "sha-1")).toBe(20_000);
});

test("iteration counts: the first logins wait for one question, later ones do not wait", () => {
  const node = new Scene();
  node.register(1, 4_096);
  const done: string[] = [];
  node.counts.whenKnown(at(0), host, () => done.push("first"));
  node.counts.whenKnown(at(1), host, () => done.push("second"));
  expect(done).toEqual([]);
  expect(node.asked).toHaveLength(1);
  node.answer(at(5));
  expect(done).toEqual(["first", "second"]);
  node.counts.whenKnown(at(6), host, () => done.push("third"));
  expect(node.asked).toHaveLength(0);
  node.register(3, 10_000);
  node.counts.whenKnown(at(700_000), host, () => done.push("fourth"));
  node.counts.whenKnown(at(700_001), host, () => done.push("fifth"));
  expect(done.slice(2)).toEqual(["third", "fourth", "fifth"]);
  expect(node.asked).toHaveLength(1);
  expect(node.counts.at(host, "sha-1", 0.9)).toBe(4_096);
  node.answer(at(700_010));
  expect(node.counts.at(host, "sha-1", 0.9)).toBe(10_000);
});

test("iteration counts: a database that is away holds nobody up, and what is known stays", () => {
  const node = new Scene();
  node.register(1, 4_096);
  const done: string[] = [];
  node.counts.whenKnown(at(0), host, () => done.push("first"));
  node.fail(at(5_000));
  expect(done).toEqual(["first"]);
  node.counts.whenKnown(at(5_001), host, () => done.push("second"));
  node.answer(at(5_002));
  node.counts.whenKnown(at(900_000), host, () => done.push("third"));
  node.fail(at(905_000));
  expect(done).toEqual(["first", "second", "third"]);
  expect(node.counts.at(host, "sha-1", 0.5)).toBe(4_096);
  node.counts.whenKnown(at(906_000), host, () => done.push("fourth"));
  expect(node.asked).toHaveLength(0);
  expect(node.metrics.databaseFailures.value).toBe(2);
});

test("iteration counts: shares from 0 to 1 run through the counts in order", () => {
  const found = [
    { hash: "sha-1", iterations: 9, accounts: 1 },
    { hash: "sha-256", iterations: 7, accounts: 5 },
    { hash: "sha-1", iterations: 5, accounts: 3 },
  ] as const;
  const shares = [0, 0.74, 0.76, 0.999, 1];
  expect(shares.map((share) => countAt(found, "sha-1", share))).toEqual([5, 5, 9, 9, 9]);
  expect(countAt(found, "sha-512", 0)).toBeUndefined();
});
