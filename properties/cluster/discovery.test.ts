/**
 * Laws of discovery: machines, their statements and a database that fails before or after it has done what
 * was asked; processes that die, leave and come back under their names with clocks set anyhow.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  Discovery,
  type DiscoveryEffect,
  type DiscoveryInput,
} from "../../src/cluster/discovery.ts";
import type { Query, SqlRow } from "../../src/ports/database.ts";
import { QueryFailed, type Work, type WorkAnswer } from "../../src/ports/work.ts";
import { discoveryWork } from "../../src/server/discovery-host.ts";
import { SimulatedStore } from "../../sim/ports/database.ts";

const cluster = "c";
const timing = {
  ...{ quickInterval: 50, quickFor: 300, slowInterval: 100, retryAfter: 10, expireAfter: 900 },
};
const names = ["a", "b", "c", "d"];
/** More steps of one process in a row, while the clock stands, than any reason needs. */
const busyMax = 100;

type Fate = "done" | "lost-before" | "lost-after";

/** What happens next; each thing that is not possible just then is skipped. */
type Event =
  | { readonly type: "start"; readonly name: number; readonly skew: number }
  | { readonly type: "kill" | "leave" | "link-down"; readonly at: number }
  /** The next statement of a process that waits for the database. */
  | { readonly type: "answer"; readonly at: number; readonly fate: Fate }
  /** Somebody restores an old backup, or empties the table. */
  | { readonly type: "lose-rows" }
  | { readonly type: "pass"; readonly milliseconds: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("start" as const),
      name: fc.nat(2),
      skew: fc.integer({ min: -1_000_000, max: 1_000_000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom("kill" as const, "leave" as const, "link-down" as const),
      at: fc.nat(9),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant("answer" as const),
      at: fc.nat(9),
      fate: fc.constantFrom<Fate>("done", "done", "done", "lost-before", "lost-after"),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: "lose-rows" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("pass" as const),
      milliseconds: fc.integer({ min: 1, max: 700 }),
    }),
  },
);

class Process {
  readonly discovery: Discovery;
  readonly name: string;
  readonly boot: string;
  readonly skew: number;
  /** The statement that the database is to execute next. */
  asked: readonly Query[] | undefined;
  work: Work<DiscoveryInput> | undefined;
  incarnation: number | undefined;
  wasReady = false;
  lists = 0;
  leaving = false;
  ended: "left" | "superseded" | undefined;
  /** How often it has stepped since the clock has moved. */
  busy = { at: 0, steps: 0 };

  constructor(name: string, boot: string, skew: number) {
    const address = `${name}.example:7000`;
    this.name = name;
    this.boot = boot;
    this.skew = skew;
    this.discovery = new Discovery({
      cluster,
      name,
      boot,
      address,
      source: { type: "sql" },
      timing,
    });
  }
}

class World {
  now = 1_000;
  readonly store = new SimulatedStore(() => 1_700_000_000_000 + this.now);
  processes: Process[] = [];
  #boots = 0;
  #requests = 0;
  /** What happened that a reader of a failure wants to know, and what the laws saw. */
  readonly seen = { superseded: 0, retaken: 0, failed: 0, left: 0 };

  happen(event: Event): void {
    switch (event.type) {
      case "start":
        return this.start(names[event.name] ?? "a", event.skew);
      case "pass":
        return this.pass(event.milliseconds);
      case "lose-rows":
        return void this.#sql("test_lose_rows", "DELETE FROM discovery_nodes");
      default: {
        const process = this.processes[event.at % Math.max(1, this.processes.length)];
        if (process === undefined) return;
        if (event.type === "answer") return this.answer(process, event.fate);
        if (event.type === "kill") return this.#drop(process);
        if (event.type === "leave") process.leaving = true;
        return this.step(process, { type: event.type });
      }
    }
  }

  start(name: string, skew: number): void {
    const process = new Process(name, `boot-${(this.#boots += 1)}`, skew);
    this.processes.push(process);
    this.step(process, { type: "deadline-reached" });
  }

  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const due = this.processes
        .map((process) => ({ process, at: process.discovery.deadline() ?? Infinity }))
        .filter(({ at }) => at <= end)
        .toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.now = Math.max(this.now, due.at);
      this.step(due.process, { type: "deadline-reached" });
    }
    this.now = end;
  }

  answer(process: Process, fate: Fate): void {
    const { asked, work } = process;
    if (asked === undefined || work === undefined) return;
    process.asked = undefined;
    if (fate !== "lost-before") {
      const input = this.store.execute((this.#requests += 1), asked);
      if (fate === "done") {
        return this.#go(
          process,
          input.type === "query-answered"
            ? { type: "rows", results: input.results }
            : { type: "failed", failure: input.failure, detail: input.detail },
        );
      }
    }
    this.#go(process, { type: "failed", failure: "unavailable", detail: "lost" });
  }

  step(process: Process, input: DiscoveryInput): void {
    if (process.busy.at !== this.now) process.busy = { at: this.now, steps: 0 };
    process.busy.steps += 1;
    expect(process.busy.steps, `${process.name} asks again and again`).toBeLessThan(busyMax);
    const peersBefore = process.discovery.peers;
    const now = { at: this.now, wall: 1_700_000_000_000 + this.now + process.skew };
    for (const effect of process.discovery.step(now, input)) this.#perform(process, effect);
    const { discovery } = process;
    if (input.type === "request-failed") {
      this.seen.failed += 1;
      expect(discovery.peers, "an outage changes no list").toBe(peersBefore);
    }
    // Something will go on: an answer, a deadline, or it is over.
    if (process.ended === undefined && process.work === undefined) {
      expect(discovery.deadline(), "nothing waits for ever").toBeDefined();
    }
    if (process.ended === undefined) {
      const ready = discovery.notReady(this.now) === undefined;
      expect(ready || !process.wasReady, "once ready, ready").toBe(true);
      process.wasReady = ready;
    }
  }

  #perform(process: Process, effect: DiscoveryEffect): void {
    switch (effect.type) {
      case "request":
        expect(process.work, "one request at a time").toBeUndefined();
        expect(process.ended, "nothing is asked after the end").toBeUndefined();
        process.work = discoveryWork(effect.request);
        return this.#go(process, undefined);
      case "identified":
        expect(process.incarnation, "identified once").toBeUndefined();
        process.incarnation = effect.incarnation;
        return;
      case "peers-discovered":
        expect(process.incarnation, "somebody before the first list").toBeDefined();
        expect(effect.peers.map(({ name }) => name)).not.toContain(process.name);
        process.lists += 1;
        return;
      case "superseded": {
        this.seen.superseded += 1;
        expect(effect.by.name).toBe(process.name);
        expect(effect.by.boot).not.toBe(process.boot);
        expect(effect.by.incarnation).toBeGreaterThanOrEqual(process.incarnation ?? Infinity);
        process.ended = "superseded";
        return;
      }
      case "left":
        this.seen.left += 1;
        expect(process.leaving, "left because it was asked to").toBe(true);
        process.ended = "left";
        return;
      case "log":
        return;
    }
  }

  /** Takes the work of a process to its next statement or its end. */
  #go(process: Process, answer: WorkAnswer | undefined): void {
    const { work } = process;
    if (work === undefined) return;
    let input: DiscoveryInput;
    try {
      const step = answer === undefined ? work.next() : work.next(answer);
      if (step.done !== true) {
        if (step.value.type !== "query") throw new TypeError(step.value.type);
        process.asked = step.value.queries;
        return;
      }
      input = step.value;
    } catch (error) {
      if (!(error instanceof QueryFailed)) throw error;
      input = { type: "request-failed", detail: error.message };
    }
    process.work = undefined;
    if (input.type === "registered") this.#registered(process, input);
    this.step(process, input);
  }

  #registered(
    process: Process,
    { incarnation, number }: { incarnation: number; number: number },
  ): void {
    expect(number).toBeGreaterThanOrEqual(1);
    expect(number).toBeLessThanOrEqual(names.length);
    if (process.incarnation !== undefined) {
      this.seen.retaken += 1;
      expect(incarnation, "a process keeps its incarnation").toBe(process.incarnation);
    }
  }

  #drop(process: Process): void {
    this.processes = this.processes.filter((each) => each !== process);
  }

  rows(): readonly SqlRow[] {
    return this.#sql("test_rows", "SELECT * FROM discovery_nodes");
  }

  #sql(name: string, text: string): readonly SqlRow[] {
    const queries = [{ statement: { name, text }, values: [] }];
    const input = this.store.execute((this.#requests += 1), queries);
    return input.type === "query-answered" ? (input.results[0] ?? []) : [];
  }

  /** The faults end: every request is answered, for long enough. */
  settle(milliseconds: number): void {
    const end = this.now + milliseconds;
    while (this.now < end) {
      for (const process of this.processes) {
        while (process.asked !== undefined) this.answer(process, "done");
      }
      this.pass(10);
    }
  }
}

function checkRows(world: World): void {
  const rows = world.rows();
  const numbers = rows.map((row) => row["node_num"]);
  expect(new Set(numbers).size, "numbers are unique").toBe(numbers.length);
  for (const row of rows) {
    const owner = world.processes.find(({ boot }) => boot === row["boot"]);
    // One that has not heard of its registration is nobody yet.
    if (owner?.incarnation === undefined) continue;
    expect(row["incarnation"], "a row says who its process is").toBe(owner.incarnation);
  }
}

test(
  "discovery: under any failures and deaths rows stay sound, and after them all see each other",
  { timeout: 60_000 },
  () => {
    const total = { superseded: 0, retaken: 0, failed: 0, left: 0 };
    fc.assert(
      fc.property(fc.array(event, { minLength: 20, maxLength: 100 }), (events) => {
        const world = new World();
        for (const each of events) {
          world.happen(each);
          if (each.type === "answer") checkRows(world);
        }
        world.settle(timing.expireAfter + 3 * timing.slowInterval);
        const living = world.processes.filter(({ ended }) => ended === undefined);
        // One process of each name is left: the later one.
        const left = living.map(({ name }) => name).toSorted();
        expect(left).toEqual([...new Set(left)]);
        for (const { name, discovery } of living) {
          const others = left.filter((other) => other !== name);
          expect(
            discovery.peers?.map((peer) => peer.name),
            name,
          ).toEqual(others);
          expect(discovery.notReady(world.now)).toBeUndefined();
          expect(discovery.idNumber(world.now)).toBeDefined();
        }
        // Each has its own row, and (where somebody lives to see to it) nobody else: the dead expired.
        const boots = world.rows().map((row) => row["boot"]);
        if (living.length > 0) {
          expect(boots.toSorted()).toEqual(living.map(({ boot }) => boot).toSorted());
        }
        for (const key of ["superseded", "retaken", "failed", "left"] as const) {
          total[key] += world.seen[key];
        }
      }),
      { numRuns: 60, seed: 7 },
    );
    // The laws were put to the test.
    for (const [key, count] of Object.entries(total)) expect(count, key).toBeGreaterThan(0);
  },
);

test("discovery: of two successive processes of one name the later has the greater incarnation", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), {
        minLength: 2,
        maxLength: 6,
      }),
      (skews) => {
        const world = new World();
        let last = 0;
        for (const skew of skews) {
          world.start("a", skew);
          world.settle(20);
          const process = world.processes.at(-1);
          expect(process?.incarnation).toBeGreaterThan(last);
          last = process?.incarnation ?? 0;
          world.processes = []; // killed
        }
      },
    ),
    { numRuns: 30 },
  );
});
