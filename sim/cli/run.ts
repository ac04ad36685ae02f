/** Run and replay: one history, its summary, and whatever else of it was asked for. */
import type { RunOptions } from "../run.ts";
import { storyLine, wireLine } from "../story.ts";
import { differenceText, firstDifference } from "../trace-file.ts";
import type { TraceSink } from "../trace.ts";
import { codeVersion } from "./code-version.ts";
import { runIntoFile, runRecorded } from "./record.ts";
import { runSafely, type SafeOutcome } from "./run-safely.ts";
import {
  moment,
  repeatLine,
  subjectOfFlags,
  subjectOfRepro,
  UsageError,
  type Subject,
  type SubjectFlags,
} from "./subject.ts";
import { summaryJson, summaryLines } from "./summary.ts";

interface ShownFlags {
  readonly trace?: string;
  readonly story?: boolean;
  readonly wire?: boolean;
  readonly json?: boolean;
}

export function run(
  word: string | undefined,
  flags: SubjectFlags & ShownFlags & { readonly twice?: boolean },
): void {
  const subject = subjectOfFlags(flags, word);
  refuseBoth(flags);
  if (flags.twice === true) {
    if (flags.story ?? flags.wire ?? flags.json ?? flags.trace) {
      throw new UsageError("--twice compares two runs and prints nothing else of them");
    }
    return runTwice(subject);
  }
  const played = play(subject, flags, {});
  if (flags.json !== true) compare(subject, played);
  show(subject, played, flags);
}

export function replay(word: string, flags: ShownFlags & { readonly until?: string }): void {
  const subject = subjectOfRepro(word);
  refuseBoth(flags);
  const until = flags.until === undefined ? undefined : moment(flags.until);
  const played = play(subject, flags, until === undefined ? {} : { until });
  const quiet = flags.json === true;
  const cut = until !== undefined && until <= played.outcome.stats.simulatedMs;
  if (cut && !quiet) {
    console.log(`stopped at ${until} ms: nothing that was still to come is judged`);
  }
  if (!quiet && !cut) compare(subject, played);
  show(subject, played, flags);
}

/** A program that reads JSON would stumble over the story. */
function refuseBoth({ json, story, wire }: ShownFlags): void {
  if (json === true && (story ?? wire)) {
    throw new UsageError("--json prints the summary alone: say it without --story and --wire");
  }
}

interface Played {
  readonly outcome: SafeOutcome;
  readonly code: string;
}

function play(subject: Subject, flags: ShownFlags, options: Partial<RunOptions>): Played {
  const sinks: TraceSink[] = [];
  if (flags.wire === true) sinks.push(printWire);
  else if (flags.story === true) sinks.push(printStory);
  const code = codeVersion();
  const all = { ...options, sinks };
  const outcome =
    flags.trace === undefined
      ? runSafely(subject.plan, all)
      : runIntoFile(subject.plan, code, flags.trace, all);
  return { outcome, code };
}

/** The same history as the repro's? A seed may stand for another plan in other code. */
function compare({ code, hash, source }: Subject, played: Played): void {
  if (hash !== "" && hash !== played.outcome.hash) {
    const why =
      code === played.code
        ? "though the code is the same: something is not deterministic"
        : `the code was ${code === "" ? "not said" : code}, now it is ${played.code}`;
    console.log(`another trace than the repro's ${hash} (${why})`);
  }
  const same = hash === played.outcome.hash;
  if (code !== "" && code !== played.code && source.type === "seed" && !same) {
    console.log("a seed stands for the same plan only in the code that made the repro");
  }
}

function show(subject: Subject, { outcome, code }: Played, flags: ShownFlags): void {
  const repeat = repeatLine(subject.source, code, outcome.hash);
  const summary = { plan: subject.plan, outcome, repeat };
  if (flags.json === true) {
    console.log(JSON.stringify(summaryJson(summary)));
  } else {
    for (const line of summaryLines(summary)) console.log(line);
    if (outcome.thrown === undefined) console.log(`trace ${outcome.hash}`);
  }
  // Where it was: no oracle can say so.
  if (outcome.thrown !== undefined) console.error(outcome.thrown);
  if (outcome.failures.length > 0) process.exitCode = 1;
}

function runTwice(subject: Subject): void {
  const { plan } = subject;
  const code = codeVersion();
  const first = runRecorded(plan, code);
  const second = runRecorded(plan, code);
  compare(subject, { outcome: first.outcome, code });
  const difference = firstDifference(first.lines, second.lines);
  if (difference === undefined) {
    console.log(`equal: ${first.outcome.stats.traced} events, trace ${first.outcome.hash}`);
    return;
  }
  console.log(differenceText(difference, ["first run", "second run"]));
  process.exitCode = 1;
}

function printStory(event: Parameters<TraceSink>[0]): void {
  const line = storyLine(event);
  if (line !== undefined) console.log(line);
}

function printWire(event: Parameters<TraceSink>[0]): void {
  const line = wireLine(event) ?? storyLine(event);
  if (line !== undefined) console.log(line);
}
