/** Earliest: of several deadlines, some of which may not exist, which comes first? */
import type { Instant } from "../base/time.ts";

export function earliest(...deadlines: readonly (Instant | undefined)[]): Instant | undefined {
  let first: Instant | undefined;
  for (const at of deadlines)
    if (at !== undefined && (first === undefined || at < first)) first = at;
  return first;
}
