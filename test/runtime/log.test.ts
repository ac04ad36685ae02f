import { expect, test } from "vitest";
import type { LogLevel } from "../../src/ports/log.ts";
import { PinoLog, type LogThreshold } from "../../src/runtime/log.ts";

const levels: readonly LogLevel[] = ["debug", "info", "warning", "error"];

function written(threshold: LogThreshold): Record<string, unknown>[] {
  const lines: string[] = [];
  const log = new PinoLog(threshold, { write: (line: string) => void lines.push(line) });
  for (const level of levels) log.write(level, "client-logged-in", { user: "juliet", attempts: 2 });
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("log: a line is JSON with level, time, event and fields", () => {
  const [line] = written("warning");
  expect(line).toEqual({
    level: "warning",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
    event: "client-logged-in",
    user: "juliet",
    attempts: 2,
  });
});

test("log: the threshold lets through what is at least as grave, `none` nothing", () => {
  const shown = (threshold: LogThreshold) => written(threshold).map(({ level }) => level);
  expect(shown("debug")).toEqual(levels);
  expect(shown("info")).toEqual(levels.slice(1));
  expect(shown("error")).toEqual(["error"]);
  expect(shown("none")).toEqual([]);
});
