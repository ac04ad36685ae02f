/** Earliest: of several deadlines, some of which may not exist, which comes first? */
import type { Instant } from "../base/time.ts";

/** Asked after every turn: named parameters make no array. */
export function earliest(
  one: Instant | undefined,
  two: Instant | undefined,
  three: Instant | undefined,
  four: Instant | undefined,
): Instant | undefined {
  const first = Math.min(one ?? Infinity, two ?? Infinity, three ?? Infinity, four ?? Infinity);
  return first === Infinity ? undefined : first;
}
