import fc from "fast-check";
import { expect, test } from "vitest";
import { Pipe } from "../../sim/kit/pipe.ts";
import { stream } from "../../sim/kit/random.ts";
import { World } from "../../sim/kit/world.ts";

interface Step {
  readonly kind:
    "write" | "stop" | "read" | "silence" | "speak" | "deafen" | "hear" | "slow" | "fast";
  readonly at: number;
  readonly size: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    "write",
    "write",
    "write",
    "stop",
    "read",
    "silence",
    "speak",
    "deafen",
    "hear",
    "slow",
    "fast",
  ),
  at: fc.nat(2_000),
  size: fc.integer({ min: 1, max: 3_000 }),
});

const percent = fc.nat(100);

test("pipe: whatever happens on the way, bytes arrive whole, once and in order", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.nat(),
      percent,
      percent,
      (steps, seed, cut, loss) => {
        const world = new World();
        let received = "";
        let written = "";
        let rate = Infinity;
        const pipe = new Pipe({
          world,
          random: stream(seed, "pipe"),
          options: { latencyMs: [1, 100], cutChance: cut / 100, windowBytes: 1_000 },
          receive: (segment) => {
            if (segment.type === "bytes") received += segment.data;
            else received += "|";
          },
          onSent: () => undefined,
          extraLatency: () => 0,
          loss: () => loss / 200,
          rate: () => rate,
          windowMin: () => 0,
        });
        for (const { kind, at, size } of steps) {
          world.schedule(at, () => {
            if (kind === "stop") return pipe.setReading(false);
            if (kind === "read") return pipe.setReading(true);
            if (kind === "silence") return pipe.setSilent(true);
            if (kind === "speak") return pipe.setSilent(false);
            if (kind === "deafen") return pipe.setDeaf(true);
            if (kind === "hear") return pipe.setDeaf(false);
            if (kind === "slow") return void (rate = size);
            if (kind === "fast") return void (rate = Infinity);
            const data = String.fromCharCode(97 + (written.length % 26)).repeat(size);
            written += data;
            pipe.send({ type: "bytes", data, secured: false });
          });
        }
        world.runUntil(2_000);
        expect(written.startsWith(received)).toBe(true);
        pipe.send({ type: "fin" });
        pipe.setReading(true);
        pipe.setSilent(false);
        pipe.setDeaf(false);
        world.runUntil(10_000_000);
        expect(received).toBe(`${written}|`);
        expect(pipe.unsentBytes()).toBe(0);
        expect(pipe.idle()).toBe(true);
      },
    ),
  );
});

test("pipe: a receiver that does not read costs one window, the rest waits with the sender", () => {
  const world = new World();
  const pipe = new Pipe({
    world,
    random: stream(1, "pipe"),
    options: { latencyMs: [1, 1], cutChance: 0.5, windowBytes: 1_000 },
    receive: () => undefined,
    onSent: () => undefined,
    extraLatency: () => 0,
    loss: () => 0,
    rate: () => Infinity,
    windowMin: () => 0,
  });
  pipe.setReading(false);
  pipe.send({ type: "bytes", data: "x".repeat(5_000), secured: false });
  world.runUntil(1_000);
  expect(pipe.unsentBytes()).toBe(4_000);
});

test("pipe: a slow line carries what it can each second, and never keeps silent for long", () => {
  const world = new World();
  const bytesPerSecond = 10_000;
  const arrivals: { at: number; bytes: number }[] = [];
  const pipe = new Pipe({
    world,
    random: stream(1, "pipe"),
    options: { latencyMs: [5, 20], cutChance: 0.1, windowBytes: 65_536 },
    receive: (segment) => {
      if (segment.type === "bytes") {
        arrivals.push({ at: world.now(), bytes: segment.data.length });
      }
    },
    onSent: () => undefined,
    extraLatency: () => 0,
    loss: () => 0,
    rate: () => bytesPerSecond,
    windowMin: () => 0,
  });
  pipe.send({ type: "bytes", data: "x".repeat(100_000), secured: false });
  world.runUntil(60_000);
  let received = 0;
  for (const [index, { at, bytes }] of arrivals.entries()) {
    received += bytes;
    expect(received).toBeLessThanOrEqual((at * bytesPerSecond) / 1_000);
    expect(at - (arrivals[index - 1]?.at ?? 0)).toBeLessThan(200);
  }
  expect(received).toBe(100_000);
  // Half a millisecond is lost to rounding up, piece by piece.
  expect(arrivals.at(-1)?.at).toBeLessThan(10_500);
});
