import fc from "fast-check";
import { expect, test } from "vitest";
import { runRecorded } from "../../sim/cli/record.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import {
  differenceText,
  firstDifference,
  linesOf,
  readTrace,
  replayTrace,
  traceEventLine,
  traceHeadLine,
} from "../../sim/trace-file.ts";
import type { TraceEvent } from "../../sim/trace.ts";

const plan = planFromSeed(3, { ...profiles.small, clients: 5 });
const { outcome, lines } = runRecorded(plan, "1.2.3");

test("trace file: what was read gives the hash of what was written", () => {
  const file = readTrace(linesOf(lines.map((line) => `${line}\n`).join("")));
  expect(replayTrace(file.events, [])).toBe(outcome.hash);
  expect(file.end?.hash).toBe(outcome.hash);
  expect(file.end?.events).toBe(file.events.length);
  expect(file.head.plan).toEqual(plan);
  expect(file.head.code).toBe("1.2.3");
});

test("trace file: any event comes back as it was, byte by byte", { timeout: 30_000 }, () => {
  // Lone surrogates, too.
  const text = fc.uint16Array({ maxLength: 20 }).map((units) => String.fromCharCode(...units));
  const event = fc.oneof(
    fc.uint8Array().map((bytes) => one("bytes-received", { connection: 1, bytes })),
    fc
      .string({ unit: "binary" })
      .map((data) => one("bytes-sent", { connection: Number.MAX_SAFE_INTEGER, data })),
    fc.array(text).map((jids) => one("sessions-observed", { jids })),
    fc.boolean().map((silent) => one("node-killed", { silent })),
    // A power of two past 2^53 is exact, and would read as another integer to a reader of doubles.
    fc.constantFrom(2 ** 53, -(2 ** 60)).map((by) => one("clock-jumped", { by })),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), (events) => {
      const read = readTrace([traceHeadLine(plan, ""), ...events.map(traceEventLine)]);
      expect(JSON.stringify(read.events.map(plainly))).toBe(JSON.stringify(events.map(plainly)));
      expect(read.end).toBeUndefined();
    }),
    { numRuns: 50 },
  );
});

test("trace file: bytes are readable where they are text, and integers past 2^53 are digits", () => {
  const bytes = Uint8Array.from("<a/>\n", (char) => char.charCodeAt(0));
  expect(traceEventLine(one("bytes-received", { connection: 1, bytes }))).toContain(
    '"bytes":{"text":"<a/>\\n"}',
  );
  const odd = Uint8Array.of(0x16, 0x03, 0xff);
  expect(traceEventLine(one("bytes-received", { connection: 1, bytes: odd }))).toContain(
    '"bytes":{"base64":"FgP/"}',
  );
  expect(traceEventLine(one("clock-jumped", { by: 2 ** 60 }))).toContain(
    '"by":{"integer":"1152921504606846976"}',
  );
});

test("trace file: what is wrong with a file is said with its line", () => {
  const head = traceHeadLine(plan, "");
  const problems: [readonly string[], string][] = [
    [[], "line 1: a trace begins with its head"],
    [["{"], "line 1: not JSON"],
    [['{"trace":"other"}'], 'line 1: a trace begins with {"trace":"meerkat", …}'],
    [[head.replace('"version":1', '"version":9')], "line 1: a trace of version 9, this code"],
    [[head, "[]"], "line 2: not an object"],
    [[head, '{"at":1}'], "line 2: not an event (at, place, kind, data)"],
    [
      [head, '{"at":1,"place":"n1","kind":"logged","data":{"level":{}}}'],
      "line 2: `level` is no value of a trace",
    ],
    [[head, '{"at":1,', '{"end":true}'], "line 2: not JSON"],
    [[head, '{"end":true}', '{"at":1}'], "line 3: there is more after the end"],
  ];
  for (const [file, message] of problems) expect(() => readTrace(file)).toThrow(message);
});

test("trace file: one that was cut short, even within a line, is read up to there", () => {
  const whole = lines.slice(0, 20);
  const { events, end } = readTrace([...whole, (lines[20] ?? "").slice(0, 30)]);
  expect(events).toEqual(readTrace(whole).events);
  expect(end).toBeUndefined();
});

test("trace file: the first difference of two traces is the first line that differs, or is missing", () => {
  expect(firstDifference(lines, lines)).toBeUndefined();
  const changed = lines.with(17, "{}");
  expect(firstDifference(lines, changed)).toEqual({
    line: 18,
    before: lines[16],
    one: lines[17],
    other: "{}",
  });
  const shorter = firstDifference(lines.slice(0, 5), lines);
  expect(shorter).toEqual({ line: 6, before: lines[4], one: undefined, other: lines[5] });
  expect(shorter && differenceText(shorter, ["first", "second"])).toContain("first   (has ended)");
});

function one<E extends TraceEvent>(kind: E["kind"], data: E["data"]): TraceEvent {
  return { at: 5, place: "n1", kind, data } as unknown as TraceEvent;
}

/** Bytes as a list: whether they are a `Buffer` is nobody's business. */
function plainly({ data, ...event }: TraceEvent): object {
  const fields = Object.entries(data).map(
    ([name, value]) => [name, value instanceof Uint8Array ? [...value] : value] as const,
  );
  return { ...event, data: Object.fromEntries(fields) };
}
