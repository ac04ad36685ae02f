/**
 * Keep-alive: when is a stream that may be idle looked at next?
 *
 * Not to the millisecond: streams that are due about the same time share one moment, a little early, and with
 * it one turn. Thousands of idle clients cost a few turns a second and not thousands.
 */
import { onGrid, type Duration, type Instant } from "../base/time.ts";

/** Short enough that no turn has to look at very many. */
const shareMax: Duration = 250;

/** The moment at which nothing has happened for this long, or up to an eighth of it less. */
export function idleAt(activeAt: Instant, interval: Duration): Instant {
  const share = Math.max(1, Math.min(shareMax, interval >> 3));
  return onGrid(activeAt + interval, share);
}
