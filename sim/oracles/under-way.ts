/**
 * Under way: how much longer than in a clean network may a node's word be on its way to another?
 *
 * Where noise never ends, a link that loses one piece several times in a row is silent until the other side
 * gives it up after `heartbeatTimeout`; it is dialled anew, and what was not acknowledged is sent again.
 */
import type { Plan } from "../plan.ts";

export function sentAgainWithinMs({ topology }: Plan): number {
  const { network, cluster } = topology;
  return network.noise === undefined ? 0 : (cluster?.heartbeatTimeout ?? 0);
}
