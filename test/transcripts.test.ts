/**
 * Transcripts: histories of a cluster as text (test/transcripts/), played on the real server and compared.
 *
 * A difference is a change of behaviour: judge it, then write it down with `npm run transcripts`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runPorts } from "../sim/cli/ports.ts";
import { play } from "../sim/scenarios/player.ts";
import { parseTranscript, writeTranscript } from "../sim/scenarios/transcript.ts";
import { fenced } from "./sim/fenced.ts";

const folder = join(import.meta.dirname, "transcripts");
const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));

test("transcripts: there are at least twelve histories", () => {
  expect(names.length).toBeGreaterThanOrEqual(12);
});

test.each(names)("transcript: %s", { timeout: 30_000 }, (name) => {
  const text = readFileSync(join(folder, name), "utf8");
  const transcript = parseTranscript(text);
  const { results, failures, judged } = fenced(() => play(transcript, runPorts()));
  expect(writeTranscript(transcript, results)).toBe(text);
  expect(failures).toEqual([]);
  expect(judged).toBeGreaterThan(0);
});
