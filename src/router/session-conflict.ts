/**
 * Session conflict: two sessions have one full JID; which one stays?
 *
 * They were bound on two nodes within the time that a record travels, or on two sides of a split. All
 * nodes must give the same answer from the records alone, whoever asks; the loser's node ends it.
 *
 *     one session twice (same sid, after a hand-over)   attached, then the greater gen, then the node's name
 *     two sessions                                      the greater (stamp, node's name, sid)
 *
 * A change of this rule is a change of the table's schema: nodes that decide differently would close both.
 */
import type { NodeName } from "../cluster/peer.ts";
import type { SessionRecord } from "./session-record.ts";

export interface Claimant extends Pick<SessionRecord, "stamp" | "sid" | "gen" | "attached"> {
  readonly node: NodeName;
}

/** Does the first one stay? Asked of two different claimants, whichever comes first. */
export function survives(one: Claimant, other: Claimant): boolean {
  if (one.sid === other.sid) {
    if (one.attached !== other.attached) return one.attached;
    if (one.gen !== other.gen) return one.gen > other.gen;
    return one.node > other.node;
  }
  if (one.stamp !== other.stamp) return one.stamp > other.stamp;
  if (one.node !== other.node) return one.node > other.node;
  return one.sid > other.sid;
}
