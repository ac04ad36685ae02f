/**
 * Trace file: how is a trace written down, so that all views can be functions of it?
 *
 * Versioned JSON Lines, described in docs/reference/trace.md: a head with the plan and the version of the
 * code, one self-describing event a line, an end with the hash and what the oracles said. What was read
 * gives the same hash as what was written. A file without its end was cut short, and may be read too.
 */
import { bytesFromText, fromBase64, toBase64 } from "../src/base/bytes.ts";
import { planProblem } from "./plan-problem.ts";
import type { Plan } from "./plan.ts";
import type { TraceValue } from "./kit/trace-hash.ts";
import { Trace, traceVersion, type TraceEvent, type TraceSink } from "./trace.ts";

/** Of lines and values; what kinds of events there are has a version of its own, `traceVersion`. */
export const traceFileVersion = 1;

export interface TraceHead {
  readonly trace: "meerkat";
  readonly version: typeof traceFileVersion;
  readonly kinds: number;
  readonly code: string;
  readonly plan: Plan;
}

export interface TraceEnd {
  readonly end: true;
  readonly hash: string;
  readonly events: number;
  readonly failures: readonly { readonly oracle: string; readonly what: string }[];
  readonly verdicts: Readonly<Record<string, TraceVerdict>>;
}

export interface TraceVerdict {
  readonly judged: number;
  readonly unknown: number;
  readonly counts: string;
}

export interface TraceFile {
  readonly head: TraceHead;
  readonly events: readonly TraceEvent[];
  /** Undefined: whoever wrote it did not finish. */
  readonly end: TraceEnd | undefined;
}

export class TraceFileProblem extends Error {
  override readonly name = "TraceFileProblem";
}

export function traceHeadLine(plan: Plan, code: string): string {
  const head: TraceHead = {
    trace: "meerkat",
    version: traceFileVersion,
    kinds: traceVersion,
    code,
    plan,
  };
  return JSON.stringify(head);
}

export function traceEventLine({ at, place, kind, data }: TraceEvent): string {
  const written: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(data) as [string, TraceValue][]) {
    written[name] = valueWritten(value);
  }
  return JSON.stringify({ at, place, kind, data: written });
}

export function traceEndLine(end: Omit<TraceEnd, "end">): string {
  const { hash, events, failures, verdicts } = end;
  return JSON.stringify({ end: true, hash, events, failures, verdicts });
}

/** Throws a `TraceFileProblem` that names the line. */
export function readTrace(lines: Iterable<string>): TraceFile {
  let head: TraceHead | undefined;
  let end: TraceEnd | undefined;
  const events: TraceEvent[] = [];
  let number = 0;
  /** Whoever wrote it may have died within the last line. */
  let cut: TraceFileProblem | undefined;
  for (const line of lines) {
    number += 1;
    if (line === "") continue;
    if (cut !== undefined) throw cut;
    const value = parsed(line, number);
    if (value instanceof TraceFileProblem) {
      if (head === undefined) throw value;
      cut = value;
      continue;
    }
    if (head === undefined) {
      head = headRead(value);
    } else if (end !== undefined) {
      throw new TraceFileProblem(`line ${number}: there is more after the end`);
    } else if (value["end"] === true) {
      end = value as unknown as TraceEnd;
    } else {
      events.push(eventRead(value, number));
    }
  }
  if (head === undefined) throw new TraceFileProblem("line 1: a trace begins with its head");
  return { head, events, end };
}

/** Plays events to sinks as a run did; the hash is that of the run. */
export function replayTrace(events: Iterable<TraceEvent>, sinks: readonly TraceSink[]): string {
  let at = 0;
  const trace = new Trace(() => at, sinks);
  for (const event of events) {
    ({ at } = event);
    trace.record(event.place, event.kind, event.data as never);
  }
  return trace.hash();
}

/** Empty strings past the last line feed are no lines. */
export function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf("\n", start);
    const stop = feed === -1 ? text.length : feed;
    yield text.slice(start, stop);
    start = stop + 1;
  }
}

export interface TraceDifference {
  /** Counted from 1. */
  readonly line: number;
  readonly before: string | undefined;
  /** Undefined: this one has ended. */
  readonly one: string | undefined;
  readonly other: string | undefined;
}

/** The first line in which two traces differ. */
export function firstDifference(
  one: Iterable<string>,
  other: Iterable<string>,
): TraceDifference | undefined {
  const others = other[Symbol.iterator]();
  let line = 0;
  let before: string | undefined;
  for (const mine of one) {
    line += 1;
    const next = others.next();
    const theirs = next.done === true ? undefined : next.value;
    if (mine !== theirs) return { line, before, one: mine, other: theirs };
    before = mine;
  }
  const next = others.next();
  if (next.done === true) return undefined;
  return { line: line + 1, before, one: undefined, other: next.value };
}

export function differenceText(
  difference: TraceDifference,
  names: readonly [string, string],
): string {
  const { line, before, one, other } = difference;
  const width = Math.max(names[0].length, names[1].length);
  const told = [`first difference in line ${line}`];
  if (before !== undefined) told.push(`  ${"both".padEnd(width)}  ${before}`);
  told.push(`  ${names[0].padEnd(width)}  ${one ?? "(has ended)"}`);
  told.push(`  ${names[1].padEnd(width)}  ${other ?? "(has ended)"}`);
  return told.join("\n");
}

function valueWritten(value: TraceValue): unknown {
  if (value instanceof Uint8Array) {
    const text = readableText(value);
    return text === undefined ? { base64: toBase64(value) } : { text };
  }
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return { integer: String(BigInt(value)) };
  }
  return value;
}

function valueRead(value: unknown): TraceValue | undefined {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return value;
  }
  if (Array.isArray(value)) {
    return value.every((item) => typeof item === "string") ? value : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { text, base64, integer } = value as Record<string, unknown>;
  if (typeof text === "string") return bytesFromText(text);
  if (typeof base64 === "string") return fromBase64(base64);
  return typeof integer === "string" ? Number(BigInt(integer)) : undefined;
}

/** Bytes of printable ASCII, tabs and line ends. */
function readableText(bytes: Uint8Array): string | undefined {
  let text = "";
  for (const byte of bytes) {
    const printable = byte >= 0x20 && byte < 0x7f;
    if (!printable && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** A problem, if the line is not whole. */
function parsed(line: string, number: number): Record<string, unknown> | TraceFileProblem {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return new TraceFileProblem(`line ${number}: not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TraceFileProblem(`line ${number}: not an object`);
  }
  return value as Record<string, unknown>;
}

function headRead(value: Record<string, unknown>): TraceHead {
  if (value["trace"] !== "meerkat") {
    throw new TraceFileProblem('line 1: a trace begins with {"trace":"meerkat", …}');
  }
  const { version, kinds, plan, code } = value;
  if (version !== traceFileVersion) {
    const ours = `this code reads version ${traceFileVersion}`;
    throw new TraceFileProblem(`line 1: a trace of version ${String(version)}, ${ours}`);
  }
  if (kinds !== traceVersion) {
    const ours = `this code knows those of version ${traceVersion}`;
    throw new TraceFileProblem(`line 1: events of version ${String(kinds)}, ${ours}`);
  }
  const problem = planProblem(plan);
  if (problem !== undefined) throw new TraceFileProblem(`line 1: its plan: ${problem}`);
  if (typeof code !== "string") throw new TraceFileProblem("line 1: `code` is missing");
  return value as unknown as TraceHead;
}

function eventRead(value: Record<string, unknown>, number: number): TraceEvent {
  const { at, place, kind, data } = value;
  const shaped =
    Number.isSafeInteger(at) &&
    typeof place === "string" &&
    typeof kind === "string" &&
    typeof data === "object" &&
    data !== null;
  if (!shaped) throw new TraceFileProblem(`line ${number}: not an event (at, place, kind, data)`);
  const read: Record<string, TraceValue> = {};
  for (const [name, written] of Object.entries(data)) {
    const field = valueRead(written);
    if (field === undefined) {
      throw new TraceFileProblem(`line ${number}: \`${name}\` is no value of a trace`);
    }
    read[name] = field;
  }
  return { at, place, kind, data: read } as unknown as TraceEvent;
}
