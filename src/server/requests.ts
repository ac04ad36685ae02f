/**
 * Requests: who has asked somebody on another node, and has no answer yet?
 *
 * Every IQ request has one answer (RFC 6120 §8.2.3). So that one node can see to it, a request is with one node at
 * a time, and the asker's node knows with which: only that node sends it anywhere, and a node that has not the
 * session gives it back (`Router.reroute`), as a link that dies does. It is *open* from its leaving until an answer
 * comes, it comes back, or its asker goes:
 *
 *     leaves --> open, at a peer --[an answer, from whomever]-----------------------> delivered
 *                     |----------[it comes back]-----------> looked up: leaves again, goes to a session here,
 *                     |                                      or is refused: that is its answer
 *                     |----------[the peer is no more, or has been out of sight, or the asker has too many]
 *                     '-------------------------------------> answered here, with an error
 *
 * What is not open has its answer: a second one goes nowhere, and neither does a request that comes back too late.
 * Whatever a link loses when it dies (see `stranded.ts`), a time after that its requests are answered here. Who was
 * given a request and lives alone answers it, as on a single node: a client may take its time.
 */
import { second, type Duration, type Instant } from "../base/time.ts";
import { samePeer, type Peer } from "../cluster/peer.ts";

/** What an answer says of its request, and a request of itself. */
export interface RequestName {
  /** Of the asker's session: its successor has asked nothing. */
  readonly sid: string;
  /** Full JID of whose session was asked. */
  readonly target: string;
  readonly id: string;
}

export interface Request extends RequestName {
  /** Full JID of who asked. */
  readonly asker: string;
  /** The addressee, as the asker spelled it. */
  readonly to: string;
  /** Where it is. */
  readonly peer: Peer;
}

/** A link that died, and what was open at its other end. */
interface Loss {
  readonly peer: Peer;
  readonly at: Instant;
  until: Instant;
  readonly requests: readonly Request[];
}

/** Of one asker; then its oldest is answered. */
export const requestsMax = 1_000;
/** A node out of sight may be back by then, with the answer. */
export const requestPatience: Duration = 30 * second;
/** So long after a link was lost what it lost has come, if its node came back in time. */
const returns = 4;
export const returnPatience: Duration = returns * requestPatience;

export class Requests {
  /** By the asker's session, the oldest first. */
  readonly #open = new Map<string, Map<string, Request>>();
  #losses: Loss[] = [];
  readonly #patience: Duration;

  constructor(patience = requestPatience) {
    this.#patience = patience;
  }

  /** It has left for another node. What is answered in its place, if its asker has too many. */
  sent(request: Request): readonly Request[] {
    let own = this.#open.get(request.sid);
    if (own === undefined) this.#open.set(request.sid, (own = new Map()));
    const key = keyOf(request);
    own.delete(key);
    own.set(key, request);
    if (own.size <= requestsMax) return [];
    for (const oldest of own.values()) return this.#close([oldest]);
    return [];
  }

  /** An answer to it has come, or itself. False: it has its answer. */
  close({ sid, ...name }: RequestName): boolean {
    const own = this.#open.get(sid);
    if (own?.delete(keyOf(name)) !== true) return false;
    if (own.size === 0) this.#open.delete(sid);
    return true;
  }

  /** The asker has gone. */
  sessionEnded(sid: string): void {
    this.#open.delete(sid);
  }

  /** It is out of sight, and has not left. */
  peerLost(at: Instant, peer: Peer): void {
    const requests = this.#openAt(peer);
    if (requests.length > 0) this.#losses.push({ peer, at, until: at + this.#patience, requests });
  }

  /** It is in sight: who has its name and is another process is no more. The requests that nobody will answer. */
  peerBack(peer: Peer): readonly Request[] {
    const gone: Request[] = [];
    for (const loss of this.#losses) {
      if (samePeer(loss.peer, peer)) loss.until = loss.at + returns * this.#patience;
      else if (loss.peer.name === peer.name) gone.push(...this.peerGone(loss.peer));
    }
    return gone;
  }

  /** It will not be back. The requests that nobody will answer. */
  peerGone(peer: Peer): readonly Request[] {
    return this.#close(this.#openAt(peer));
  }

  deadline(): Instant | undefined {
    if (this.#losses.length === 0) return undefined;
    return Math.min(...this.#losses.map(({ until }) => until));
  }

  /** Those that nobody is waited for any more to answer. */
  expire(at: Instant): readonly Request[] {
    if (this.#losses.length === 0) return [];
    const late = this.#losses.filter(({ until }) => until <= at);
    this.#losses = this.#losses.filter(({ until }) => until > at);
    return late.flatMap(({ requests }) => this.#close(requests));
  }

  #openAt(peer: Peer): readonly Request[] {
    const open: Request[] = [];
    for (const own of this.#open.values()) {
      for (const request of own.values()) if (samePeer(request.peer, peer)) open.push(request);
    }
    return open;
  }

  /** Those of them that are still open, and still there. */
  #close(requests: readonly Request[]): readonly Request[] {
    const open = requests.filter(
      (request) => this.#open.get(request.sid)?.get(keyOf(request)) === request,
    );
    for (const request of open) this.close(request);
    return open;
  }
}

/** No JID has a line feed. */
function keyOf({ target, id }: Omit<RequestName, "sid">): string {
  return `${target}\n${id}`;
}
