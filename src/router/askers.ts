/**
 * Askers: which node is to have the answer?
 *
 * Two nodes that do not see each other may both have a session of one name, and only one of them has asked; or
 * the asker's node is out of sight when the answer is given, and another has its name. So a session remembers by
 * which node a request came to it (only the asker's node sends one, see `server/requests.ts`), until it answers.
 * What was asked here, or is forgotten, is answered by name.
 */
import type { Peer } from "../cluster/peer.ts";
import { samePeer } from "../cluster/peer.ts";

interface Asker {
  /** Full JID of who has asked. */
  readonly from: string;
  /** Of the request. */
  readonly id: string;
  readonly peer: Peer;
}

/** Requests of one session that wait for its answer; the oldest is forgotten. */
export const askersMax = 100;

export class Askers {
  /** The oldest first. */
  readonly #waiting: Asker[] = [];

  /** A request has come, perhaps for the second time. */
  note(asker: Asker): void {
    const { from, id, peer } = asker;
    const known = (each: Asker): boolean =>
      each.id === id && each.from === from && samePeer(each.peer, peer);
    if (this.#waiting.some(known)) return;
    this.#waiting.push(asker);
    if (this.#waiting.length > askersMax) this.#waiting.shift();
  }

  /** It is answered: the node that is to have the answer. Of two that asked the same, the first. */
  take(from: string, id: string): Peer | undefined {
    const index = this.#waiting.findIndex((each) => each.id === id && each.from === from);
    if (index === -1) return undefined;
    return this.#waiting.splice(index, 1)[0]?.peer;
  }
}
