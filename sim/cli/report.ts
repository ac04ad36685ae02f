/** Report: one page of HTML about one run, made from its trace. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { reportPage } from "../report/page.ts";
import { reproText } from "../repro.ts";
import { linesOf, readTrace } from "../trace-file.ts";
import { codeVersion, root } from "./code-version.ts";
import { runRecorded } from "./record.ts";
import { readTraceText, repeatLine, subjectOfRepro, textOfFile } from "./subject.ts";

export function report(
  word: string,
  flags: { readonly out?: string; readonly json?: boolean },
): void {
  const { page, name, failures } = pageOf(word);
  const file = writeReport(page, flags.out ?? join(root, "build", "sim", `${name}.html`));
  if (flags.json === true) console.log(JSON.stringify({ file, failures }));
  else console.log(`wrote ${file}`);
}

/** Says where it is, as seen from here. */
export function writeReport(page: string, file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, page);
  const shown = relative(process.cwd(), file);
  return shown.startsWith("..") ? file : shown;
}

function pageOf(word: string): { page: string; name: string; failures: number } {
  const trace = traceText(word);
  if (trace !== undefined) {
    const file = readTraceText(word, trace);
    const name = word.replace(/^.*[\\/]/, "").replace(/\.[^.]*$/, "");
    return { page: reportPage(file), name, failures: file.end?.failures.length ?? 0 };
  }
  const { plan, source } = subjectOfRepro(word);
  const code = codeVersion();
  const { lines, outcome } = runRecorded(plan, code);
  const name = reproText({ source, code: "", hash: "" }).replace(/[^\w.-]+/g, "-");
  const page = reportPage(readTrace(lines), repeatLine(source, code, outcome.hash));
  return { page, name, failures: outcome.failures.length };
}

/** A file that begins as traces do. */
function traceText(word: string): string | undefined {
  if (/^(seed:|plan:|-?\d+$)/.test(word)) return undefined;
  const text = textOfFile(word);
  const first = linesOf(text).next();
  return first.done !== true && first.value.includes('"trace":"meerkat"') ? text : undefined;
}
