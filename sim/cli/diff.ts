/** Diff: where do two trace files begin to differ? */
import { differenceText, firstDifference, linesOf } from "../trace-file.ts";
import { readTraceText, textOfFile } from "./subject.ts";

export function diff(one: string, other: string): void {
  const texts = [textOfFile(one), textOfFile(other)] as const;
  const files = [readTraceText(one, texts[0]), readTraceText(other, texts[1])] as const;
  const codes = [files[0].head.code, files[1].head.code] as const;
  if (codes[0] !== codes[1]) console.log(`written by code ${codes[0]} and ${codes[1]}`);
  const plans = [JSON.stringify(files[0].head.plan), JSON.stringify(files[1].head.plan)];
  if (plans[0] !== plans[1]) console.log("of different plans");
  const difference = firstDifference(events(texts[0]), events(texts[1]));
  if (difference === undefined) {
    console.log(`the same ${files[0].events.length} events`);
    return;
  }
  // The heads were compared above.
  console.log(differenceText({ ...difference, line: difference.line + 1 }, [one, other]));
  process.exitCode = 1;
}

function* events(text: string): Generator<string> {
  const lines = linesOf(text);
  lines.next();
  yield* lines;
}
