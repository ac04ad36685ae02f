/**
 * Requests: who has asked somebody on another node, and has no answer yet?
 *
 * Every IQ request has one answer (RFC 6120 §8.2.3). Where a node dies that has received one, nobody knows of it
 * but the node of who asked: so that one remembers what has left for other nodes, and answers in place of a node
 * that has left, has a successor, or has been out of sight for longer than an asker waits. What comes all the same,
 * once a split has healed, would be a second answer, and a request that comes back though it was answered would
 * bring one: both are known by what is kept of those that have an answer. Bounded in number; the oldest are
 * forgotten.
 */
import { second, type Duration, type Instant } from "../base/time.ts";
import { peerText, samePeer, type Peer } from "../cluster/peer.ts";

export interface Request {
  /** Full JIDs of who asked, and of whose session was asked. */
  readonly asker: string;
  readonly target: string;
  readonly id: string;
  /** Of the asker: its successor under this name has asked nothing. */
  readonly sid: string;
  /** The addressee, as the asker spelled it. */
  readonly to: string;
  /** Where it went last; undefined: to a session here. */
  readonly peer: Peer | undefined;
}

export const requestsMax = 4_096;
/** A node out of sight may be back by then, with the answer. */
export const requestPatience: Duration = 30 * second;

type Named = Pick<Request, "asker" | "target" | "id">;

export class Requests {
  /** The oldest first; undefined: it has an answer. */
  readonly #known = new Map<string, Request | undefined>();
  /** Peers out of sight that have received requests, and until when they are waited for; the first first. */
  readonly #lost = new Map<string, { readonly peer: Peer; readonly until: Instant }>();

  get size(): number {
    return this.#known.size;
  }

  /** It has left for another node. */
  sent(request: Request): void {
    this.#keep(keyOf(request), request);
  }

  /** A new request of this id. */
  forget(request: Named): void {
    this.#known.delete(keyOf(request));
  }

  /** It goes to a session here after all, since it was handed back; the other may have received it, too. */
  cameBack(named: Named): void {
    const key = keyOf(named);
    const request = this.#known.get(key);
    if (request !== undefined) this.#keep(key, { ...request, peer: undefined });
  }

  /** Handed back by a link that died, it need not go anywhere else. */
  hasAnswer(named: Named): boolean {
    const key = keyOf(named);
    return this.#known.has(key) && this.#known.get(key) === undefined;
  }

  /** Here is an answer, from whomever. False: it is a second one. */
  answered(named: Named): boolean {
    if (this.hasAnswer(named)) return false;
    const key = keyOf(named);
    if (this.#known.has(key)) this.#keep(key, undefined);
    return true;
  }

  /** It is out of sight, and has not left. */
  peerLost(at: Instant, peer: Peer): void {
    this.#lost.delete(peerText(peer)); // the last one lost is the last one waited for
    if (this.#openAt(peer).length === 0) return;
    this.#lost.set(peerText(peer), { peer, until: at + requestPatience });
  }

  /** It is in sight: who has its name and is another process is no more. The requests that nobody will answer. */
  peerBack(peer: Peer): readonly Request[] {
    this.#lost.delete(peerText(peer));
    const before = [...this.#lost.values()].filter((lost) => lost.peer.name === peer.name);
    return before.flatMap((lost) => this.peerGone(lost.peer));
  }

  /** It will not be back, or is not waited for any more. The requests that nobody will answer. */
  peerGone(peer: Peer): readonly Request[] {
    this.#lost.delete(peerText(peer));
    return this.#openAt(peer);
  }

  deadline(): Instant | undefined {
    for (const { until } of this.#lost.values()) return until;
    return undefined;
  }

  /** Those that nobody is waited for any more to answer. */
  expire(at: Instant): readonly Request[] {
    const late = [...this.#lost.values()].filter(({ until }) => until <= at);
    return late.flatMap(({ peer }) => this.peerGone(peer));
  }

  /** Those that this node has received, and nobody has answered. */
  #openAt(peer: Peer): readonly Request[] {
    const open: Request[] = [];
    for (const request of this.#known.values()) {
      if (request?.peer !== undefined && samePeer(request.peer, peer)) open.push(request);
    }
    return open;
  }

  #keep(key: string, request: Request | undefined): void {
    this.#known.delete(key);
    this.#known.set(key, request);
    if (this.#known.size <= requestsMax) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}

/** No JID has a line feed. */
function keyOf({ asker, target, id }: Named): string {
  return `${asker}\n${target}\n${id}`;
}
