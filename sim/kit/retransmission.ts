/**
 * Retransmission: how long does a packet that is lost, perhaps again and again, wait for its sender's timers?
 */
import type { Duration } from "../../src/base/time.ts";
import type { Random } from "./random.ts";

/**
 * Beyond a round trip, before what was not acknowledged is sent again: Linux's least. Twice as long each
 * further time.
 */
const slackMs = 200;
/** What is lost on a long way may be lost again and again; it comes when the way is short again, and not a run later. */
const longestMs = 5_000;

/** `loss`: probability that a packet is lost; `roundTrip`: as its sender has measured it. */
export function sentAgainAfter(random: Random, loss: number, roundTrip: Duration): Duration {
  if (loss === 0) return 0;
  let waited = 0;
  let timeout = roundTrip + slackMs;
  for (; random.chance(loss); timeout *= 2) waited += timeout;
  return Math.min(waited, longestMs);
}
