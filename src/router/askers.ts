/**
 * Askers: which node is to have the answer?
 *
 * Two nodes that do not see each other may both have a session of one name, and only one of them has asked; or
 * the asker's node is out of sight when the answer is given, and another has its name. So a session remembers
 * which node has asked, until it answers. That is the one which sent the request (see `server/requests.ts`), or this
 * one, if the request had left here and has come back. What was asked here, or is forgotten, is answered by name.
 *
 * Who asks again under the same name and id from another node has moved there, and what it had asked before was
 * not answered in time: the later one counts.
 */
import type { Peer } from "../cluster/peer.ts";

/** Requests of one session that wait for its answer; the oldest is forgotten. */
export const askersMax = 100;

export class Askers {
  /** By who has asked and the request's id; the oldest first. */
  readonly #waiting = new Map<string, Peer>();

  /** A request of this full JID has come from a node. */
  note(from: string, id: string, peer: Peer): void {
    const key = keyOf(from, id);
    this.#waiting.delete(key);
    this.#waiting.set(key, peer);
    if (this.#waiting.size <= askersMax) return;
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest);
      return;
    }
  }

  /** It is answered: the node that is to have the answer. */
  take(from: string, id: string): Peer | undefined {
    const key = keyOf(from, id);
    const peer = this.#waiting.get(key);
    this.#waiting.delete(key);
    return peer;
  }
}

/** No JID has a line feed. */
function keyOf(from: string, id: string): string {
  return `${from}\n${id}`;
}
