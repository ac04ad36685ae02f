/** Record: runs a plan and writes its trace, to a file or into memory. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Plan } from "../plan.ts";
import { firstMoments } from "../report/moments.ts";
import type { Failure, RunOptions } from "../run.ts";
import { readTrace, traceEndLine, traceEventLine, traceHeadLine } from "../trace-file.ts";
import type { TraceEvent } from "../trace.ts";
import { runSafely, type SafeOutcome } from "./run-safely.ts";

const batchBytes = 1 << 16;

/** The lines of the trace go to `write`, of a run that comes to no end as far as it came. */
export function runWritten(
  plan: Plan,
  code: string,
  write: (line: string) => void,
  options: Partial<RunOptions> = {},
): SafeOutcome {
  write(traceHeadLine(plan, code));
  let events = 0;
  const writeEvent = (event: TraceEvent): void => {
    events += 1;
    write(traceEventLine(event));
  };
  const sinks = [...(options.sinks ?? []), writeEvent];
  const outcome = runSafely(plan, { ...options, sinks });
  const { hash, failures, verdicts } = outcome;
  const counted = Object.entries(verdicts).map(
    ([name, { judged, unknown, counts }]) => [name, { judged, unknown, counts }] as const,
  );
  write(traceEndLine({ hash, events, failures, verdicts: Object.fromEntries(counted) }));
  return outcome;
}

/** With the trace as lines. */
export function runRecorded(
  plan: Plan,
  code: string,
  options: Partial<RunOptions> = {},
): { readonly outcome: SafeOutcome; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const outcome = runWritten(plan, code, (line) => lines.push(line), options);
  return { outcome, lines };
}

/** When it first went wrong in this way. */
export function failedAt(plan: Plan, failure: Failure): number | undefined {
  const { events } = readTrace(runRecorded(plan, "").lines);
  return firstMoments(plan, events, [failure])[0]?.at;
}

/** With the trace in a file, which grows while the run goes on. */
export function runIntoFile(
  plan: Plan,
  code: string,
  file: string,
  options: Partial<RunOptions> = {},
): SafeOutcome {
  const descriptor = openSync(file, "w");
  let batch = "";
  const flush = (): void => {
    writeSync(descriptor, batch);
    batch = "";
  };
  try {
    return runWritten(
      plan,
      code,
      (line) => {
        batch += `${line}\n`;
        if (batch.length > batchBytes) flush();
      },
      options,
    );
  } finally {
    flush();
    closeSync(descriptor);
  }
}
