/**
 * Model: what of a trace does the report show? Lanes, spans, marks, message lines, table operations.
 *
 * A pure function of the trace file. Bytes, deadlines and queries are only counted (as activity), since a
 * page that shows everything shows nothing; `leftOut` says how much a bound has cost.
 */
import { storyWords } from "../story.ts";
import type { TraceFile, TraceVerdict } from "../trace-file.ts";
import type { TraceEvent } from "../trace.ts";
import { laneFinder, lanesOf, type Lane, type LaneFinder } from "./lanes.ts";
import { messageLines, type MessageLine } from "./messages.ts";
import { firstMoments, type Moment, type Wrong } from "./moments.ts";
import { spansOf, type Span } from "./spans.ts";
import { tableHistory, type TableHistory } from "./table-history.ts";

/** `[lane, at, tone, what]`. */
export type Mark = readonly [lane: number, at: number, tone: Tone, what: string];

export type Tone = "plain" | "good" | "warn" | "bad" | "table";

export interface FaultBand {
  readonly fault: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
  /** Those that it hits; none: everybody. */
  readonly lanes: readonly number[];
}

export interface ReportModel {
  readonly title: string;
  readonly code: string;
  readonly hash: string;
  readonly endMs: number;
  readonly phases: readonly (readonly [at: number, name: string])[];
  readonly lanes: readonly Lane[];
  readonly spans: readonly Span[];
  readonly faults: readonly FaultBand[];
  readonly marks: readonly Mark[];
  readonly messages: readonly MessageLine[];
  readonly tables: TableHistory;
  /** Events per lane in each of `activityColumns` equal parts of the time. */
  readonly activity: readonly (readonly number[])[];
  readonly failures: readonly Wrong[];
  readonly moments: readonly Moment[];
  readonly verdicts: Readonly<Record<string, TraceVerdict>>;
  readonly leftOut: number;
}

const activityColumns = 400;
const marksMax = 12_000;
const failuresMax = 200;

export function reportModel({ head, events, end }: TraceFile): ReportModel {
  const { plan } = head;
  const lanes = lanesOf(plan);
  const laneOf = laneFinder(lanes);
  const endMs = Math.max(1, events.at(-1)?.at ?? 1);
  const marks = marksOf(events, laneOf);
  const failures = end?.failures ?? [];
  const messages = messageLines(plan, events, laneOf);
  return {
    title: `seed ${plan.seed}`,
    code: head.code,
    hash: end?.hash ?? "(not finished)",
    endMs,
    phases: events.flatMap((event) =>
      event.kind === "phase-started" ? [[event.at, event.data.phase] as const] : [],
    ),
    lanes,
    spans: spansOf(events, laneOf, endMs),
    faults: faultBands(events, lanes, endMs),
    marks: marks.slice(0, marksMax),
    messages: messages.lines,
    tables: tableHistory(events),
    activity: activityOf(events, lanes.length, laneOf, endMs),
    failures: failures.slice(0, failuresMax),
    moments: firstMoments(plan, events, failures),
    verdicts: end?.verdicts ?? {},
    leftOut: Math.max(0, marks.length - marksMax) + messages.leftOut,
  };
}

function marksOf(events: readonly TraceEvent[], laneOf: LaneFinder): Mark[] {
  const marks: Mark[] = [];
  for (const event of events) {
    const what = whatOf(event);
    if (what === undefined) continue;
    marks.push([laneOf(event.place), event.at, toneOf(event), what]);
  }
  return marks;
}

function whatOf(event: TraceEvent): string | undefined {
  const { kind, data, place } = event;
  if (kind === "table-written") {
    const { table, key, deleted, seq } = data;
    return `${deleted ? "deletes" : "writes"} ${key} in ${table} (seq ${seq})`;
  }
  if (kind === "table-seen") {
    const { table, owner, seq, fresh, put, gone } = data;
    const changes = `${put.length >> 1} put, ${gone.length} gone`;
    return `${fresh ? "shows" : "sees"} ${table} of ${owner} at seq ${seq}: ${changes}`;
  }
  if (kind === "table-hidden") return `hides ${data.table} of ${data.owner}`;
  // What a node says of its ordinary life is in the spans.
  if (kind === "logged" && data.level === "info") return undefined;
  const told = storyWords(event);
  if (told === undefined) return undefined;
  return place.includes("#") ? `${place} ${told}` : told;
}

function toneOf({ kind, data }: TraceEvent): Tone {
  switch (kind) {
    case "node-crashed":
    case "time-stood-still":
    case "node-killed":
    case "server-misspoke":
    case "fault-started":
      return "bad";
    case "logged":
      return data.level === "error" ? "bad" : "warn";
    case "stream-error-received":
    case "login-refused":
    case "query-failed":
    case "message-bounced":
    case "connection-congested":
    case "peer-down":
    case "node-paused":
    case "node-superseded":
    case "attack-sent":
      return "warn";
    case "table-written":
    case "table-seen":
    case "table-hidden":
      return "table";
    case "login-bound":
    case "node-started":
    case "node-resumed":
    case "peer-up":
    case "fault-ended":
    case "cluster-joined":
      return "good";
    default:
      return "plain";
  }
}

function faultBands(
  events: readonly TraceEvent[],
  lanes: readonly Lane[],
  endMs: number,
): readonly FaultBand[] {
  const open = new Map<string, number[]>();
  const bands: { fault: string; target: string; from: number; to: number; lanes: number[] }[] = [];
  for (const { kind, data, at } of events) {
    if (kind !== "fault-started" && kind !== "fault-ended") continue;
    const { fault, target } = data;
    const key = `${fault} ${target}`;
    if (kind === "fault-started") {
      const hit = new Set(target.split(/[>~|,]/));
      const hits = lanes.flatMap(({ name }, index) => (hit.has(name) ? [index] : []));
      open.set(key, [...(open.get(key) ?? []), bands.length]);
      bands.push({ fault, target, from: at, to: at, lanes: hits });
      continue;
    }
    const band = bands[open.get(key)?.shift() ?? -1];
    if (band !== undefined) band.to = at;
  }
  return bands.map((band) => ({ ...band, to: Math.min(band.to, endMs) }));
}

function activityOf(
  events: readonly TraceEvent[],
  lanes: number,
  laneOf: LaneFinder,
  endMs: number,
): readonly (readonly number[])[] {
  const all = Array.from({ length: lanes }, () => new Array<number>(activityColumns).fill(0));
  for (const { at, place } of events) {
    const row = all[laneOf(place)];
    const column = Math.min(activityColumns - 1, Math.trunc((at * activityColumns) / endMs));
    if (row !== undefined) row[column] = (row[column] ?? 0) + 1;
  }
  return all;
}
