import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Now } from "../../src/base/time.ts";
import { RealTime } from "../../src/runtime/timers.ts";
import type { WorldInput } from "../../src/server/effects.ts";

beforeEach(
  () => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] }),
);
afterEach(() => void vi.useRealTimers());

class StubLoop {
  wanted: number | undefined;
  readonly told: { now: Now; input: WorldInput }[] = [];
  onInput: (now: Now) => void = () => undefined;
  deadline(): number | undefined {
    return this.wanted;
  }
  deliver(now: Now, input: WorldInput): void {
    this.told.push({ now, input });
    this.onInput(now);
  }
}
const shutdown: WorldInput = { type: "shutdown-requested" };

test("timers: the core is woken at its deadline, never before, with integers", () => {
  const loop = new StubLoop();
  const time = new RealTime(loop);
  loop.wanted = time.now().at + 100;
  time.start();
  vi.advanceTimersByTime(99);
  expect(loop.told).toEqual([]);
  loop.onInput = () => (loop.wanted = undefined);
  vi.advanceTimersByTime(2);
  expect(loop.told.map(({ input }) => input.type)).toEqual(["deadline-reached"]);
  expect(Number.isInteger(loop.told[0]?.now.at) && Number.isInteger(loop.told[0]?.now.wall)).toBe(
    true,
  );
  vi.advanceTimersByTime(10_000);
  expect(loop.told).toHaveLength(1);
});

test("timers: an earlier deadline moves the timer, a later one is found when it fires", () => {
  const loop = new StubLoop();
  const time = new RealTime(loop);
  const from = time.now().at;
  loop.wanted = from + 1_000;
  time.deliver(shutdown);
  loop.wanted = from + 100;
  time.deliver(shutdown);
  expect(vi.getTimerCount()).toBe(1);
  loop.wanted = from + 500;
  time.deliver(shutdown);
  vi.advanceTimersByTime(400);
  expect(loop.told).toHaveLength(3);
  loop.onInput = () => (loop.wanted = undefined);
  vi.advanceTimersByTime(101);
  expect(loop.told.at(-1)?.input.type).toBe("deadline-reached");
});

test("timers: a deadline beyond what Node's timers hold does not come at once", () => {
  const loop = new StubLoop();
  const time = new RealTime(loop);
  loop.wanted = time.now().at + 3_000_000_000;
  time.start();
  vi.advanceTimersByTime(2_999_999_999);
  expect(loop.told).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(loop.told).not.toEqual([]);
});

test("timers: inputs raised by ports in mid-step reach the loop, which queues them", () => {
  const loop = new StubLoop();
  const time = new RealTime(loop);
  let raised = false;
  loop.onInput = () => {
    if (raised) return;
    raised = true;
    time.deliver({ type: "connection-drained", connection: 1 });
  };
  time.deliver(shutdown);
  expect(loop.told.map(({ input }) => input.type)).toEqual([
    "shutdown-requested",
    "connection-drained",
  ]);
});

test("timers: after stop nothing is woken", () => {
  const loop = new StubLoop();
  const time = new RealTime(loop);
  loop.wanted = time.now().at + 10;
  time.start();
  time.stop();
  vi.advanceTimersByTime(1_000);
  expect(loop.told).toEqual([]);
});
