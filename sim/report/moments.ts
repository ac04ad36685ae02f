/**
 * Moments: when did a run first go wrong?
 *
 * An oracle says what is wrong at the end, not since when. So it is asked again about beginnings of the
 * same trace: the shortest (by bisection) after which it already says one of the things that it says at the
 * end. For a duplicate that is its second arrival, for a lost message the moment from which nothing could save it
 * any more, for tables that differ at the end the end.
 */
import { makeOracles } from "../oracles/index.ts";
import type { Plan } from "../plan.ts";
import type { TraceEvent } from "../trace.ts";

export interface Wrong {
  readonly oracle: string;
  readonly what: string;
}

export interface Moment extends Wrong {
  readonly at: number;
  readonly place: string;
  /** The event after which the oracle first says so, counted from 0. */
  readonly event: number;
}

/** One moment per oracle that failed, the earliest first. */
export function firstMoments(
  plan: Plan,
  events: readonly TraceEvent[],
  failures: readonly Wrong[],
): readonly Moment[] {
  const names = new Set(failures.map(({ oracle }) => oracle));
  const moments = [...names].flatMap((oracle): Moment[] => {
    const final = failures.filter((failure) => failure.oracle === oracle);
    const found = search(plan, events, oracle, new Set(final.map(({ what }) => what)));
    const [first] = final;
    const index = found?.event ?? events.length - 1;
    const event = events[index];
    if (event === undefined || first === undefined) return [];
    const what = found?.what ?? first.what;
    return [{ oracle, what, at: event.at, place: event.place, event: index }];
  });
  return moments.sort((one, other) => one.event - other.event);
}

function search(
  plan: Plan,
  events: readonly TraceEvent[],
  oracle: string,
  final: ReadonlySet<string>,
): { readonly event: number; readonly what: string } | undefined {
  // Between them: after `low` events it says nothing of the kind, after `high` it does.
  let low = 0;
  let high = events.length;
  let what = said(plan, events, high, oracle, final);
  if (what === undefined) return undefined;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const words = said(plan, events, middle, oracle, final);
    if (words === undefined) low = middle;
    else {
      high = middle;
      what = words;
    }
  }
  return { event: high - 1, what };
}

function said(
  plan: Plan,
  events: readonly TraceEvent[],
  count: number,
  name: string,
  final: ReadonlySet<string>,
): string | undefined {
  const oracle = makeOracles(plan).find((each) => each.name === name);
  if (oracle === undefined) return undefined;
  for (let index = 0; index < count; index++) oracle.see(events[index] as TraceEvent);
  return oracle.judge().failures.find((failure) => final.has(failure));
}
