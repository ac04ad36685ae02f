/** Transcripts: `npm run transcripts` plays the histories of test/transcripts/ and writes their results. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { play } from "../scenarios/player.ts";
import { parseTranscript, writeTranscript } from "../scenarios/transcript.ts";
import { runPorts } from "./ports.ts";

const folder = join(import.meta.dirname, "..", "..", "test", "transcripts");
const wanted = process.argv.slice(2);
const all = readdirSync(folder).filter((name) => name.endsWith(".txt"));
let failed = false;

for (const word of wanted.filter((each) => !all.some((name) => name.includes(each)))) {
  failed = true;
  console.log(`No transcript has "${word}" in its name`);
}
for (const name of all.toSorted()) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
  const file = join(folder, name);
  const text = readFileSync(file, "utf8");
  try {
    const transcript = parseTranscript(text);
    const { results, failures } = play(transcript, runPorts());
    const written = writeTranscript(transcript, results);
    if (written !== text) writeFileSync(file, written);
    console.log(`${written === text ? "same   " : "written"} ${name}`);
    for (const { oracle, what } of failures) console.log(`        ${oracle}: ${what}`);
    failed ||= failures.length > 0;
  } catch (error) {
    failed = true;
    console.log(`failed  ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
process.exitCode = failed ? 1 : 0;
