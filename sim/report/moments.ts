/**
 * Moments: when did a run go wrong?
 *
 * An oracle says what is wrong at the end, not since when. So it is asked again about beginnings of
 * the same trace:
 *
 * - What is false (a message that came twice) is false the moment it happens: the shortest beginning
 *   after which the oracle says so though the run were cut there.
 * - What is missing is missed at the end alone. Of a beginning the oracle would miss a message as
 *   soon as it was sent, which says nothing; what helps is where it was seen last: the last event
 *   that speaks of its id.
 * - What is missing and has no id (what a node owes who asks for its health) is missing since a
 *   moment before which, had the run ended there, it would not have been.
 */
import { textFromBytes } from "../../src/base/bytes.ts";
import { makeOracles } from "../oracles/index.ts";
import type { Plan } from "../plan.ts";
import type { TraceValue } from "../kit/trace-hash.ts";
import type { TraceEvent } from "../trace.ts";

export interface Wrong {
  readonly oracle: string;
  readonly what: string;
}

export interface Moment extends Wrong {
  readonly at: number;
  readonly place: string;
  /** Counted from 0. */
  readonly event: number;
  /** The first after which it is so, or the last that speaks of what is missing. */
  readonly is: "first" | "last seen";
}

type Found = Pick<Moment, "what" | "event" | "is">;

/** One moment per oracle that failed, the earliest first. */
export function firstMoments(
  plan: Plan,
  events: readonly TraceEvent[],
  failures: readonly Wrong[],
): readonly Moment[] {
  const names = new Set(failures.map(({ oracle }) => oracle));
  const moments = [...names].flatMap((oracle): Moment[] => {
    const final = failures.flatMap((each) => (each.oracle === oracle ? [each.what] : []));
    const says = witness(plan, events, oracle, new Set(final));
    const { length } = events;
    if (length === 0) return [];
    const found =
      firstOf(says, length, true) ?? lastSeen(events, final) ?? firstOf(says, length, false);
    const index = found?.event ?? length - 1;
    const event = events[index];
    const [what = ""] = final;
    if (event === undefined) return [];
    return [
      { oracle, what, is: "first", ...found, at: event.at, place: event.place, event: index },
    ];
  });
  return moments.sort((one, other) => one.event - other.event);
}

/** What the oracle says after so many events, of what it says at the end. */
type Says = (count: number, cut: boolean) => string | undefined;

function witness(
  plan: Plan,
  events: readonly TraceEvent[],
  name: string,
  final: ReadonlySet<string>,
): Says {
  return (count, cut) => {
    const oracle = makeOracles(plan).find((each) => each.name === name);
    if (oracle === undefined) return undefined;
    for (let index = 0; index < count; index++) oracle.see(events[index] as TraceEvent);
    return oracle.judge(cut).failures.find((failure) => final.has(failure));
  };
}

/** After `low` events it says nothing of the kind, after `high` it does, if ever: by bisection. */
function firstOf(says: Says, count: number, cut: boolean): Found | undefined {
  let [low, high] = [0, count];
  let what = says(high, cut);
  if (what === undefined) return undefined;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const words = says(middle, cut);
    if (words === undefined) low = middle;
    else {
      high = middle;
      what = words;
    }
  }
  return { event: high - 1, what, is: "first" };
}

/** As clients make them (sayings.ts): a letter, the login and a number. */
const ids = /[a-z]\/[\w-]+#\d+\/\d+/g;

/** Of those that bear an id, the one that was last seen the soonest. */
function lastSeen(events: readonly TraceEvent[], final: readonly string[]): Found | undefined {
  const about = new Map<string, string>();
  for (const what of final) for (const [id] of what.matchAll(ids)) about.set(id, what);
  let found: Found | undefined;
  for (let event = events.length - 1; event >= 0 && about.size > 0; event--) {
    for (const [id] of textOf(events[event] as TraceEvent).matchAll(ids)) {
      const what = about.get(id);
      if (what !== undefined) found = { event, what, is: "last seen" };
      about.delete(id);
    }
  }
  return found;
}

function textOf({ data }: TraceEvent): string {
  return Object.values(data)
    .map((value: TraceValue) =>
      value instanceof Uint8Array ? textFromBytes(value) : String(value),
    )
    .join(" ");
}
