/**
 * Given up: which answer, or bounce, does a node say that it keeps no longer?
 *
 * Its asker was on a node that went out of sight: a node keeps so many and so long, then it says so in its log.
 */
import type { TraceEvent } from "../trace.ts";

/** The id of what it answers; undefined: this event says nothing of the kind. */
export function answerGivenUp({ kind, data }: TraceEvent): string | undefined {
  if (kind !== "logged" || data.event !== "answer-given-up") return undefined;
  return /^id=(.*) to=/.exec(data.detail)?.[1];
}
