/**
 * Stranded: what becomes of an answer whose asker is on a node that cannot be reached just now?
 *
 * A request crosses, the link breaks, and the answer (or the error that tells of a message that came to
 * nothing) finds nobody: RFC 6121 §8.5.3.2 has it ignored, and its asker would never learn. While some peer
 * is out of sight without having left, answers for addresses that nobody has wait here until records come
 * into sight again. Bounded in number, bytes and time; what is given up is told to the caller. No more waits
 * than a link takes at once: it all goes on in one turn, and a link that has too much to send is given up.
 */
import type { Duration, Instant } from "../base/time.ts";
import { minute } from "../base/time.ts";
import { peerText, samePeer, type Peer } from "../cluster/peer.ts";
import type { RouterEffect } from "../router/router.ts";

/**
 * `asker`: the process whose client has asked, where that is known: the answer waits for no other, who may have
 * a session of the same name in a partial split.
 */
export type Strand = Extract<RouterEffect, { type: "strand" }> & { readonly asker?: Peer };

export const strandedLimits = { answers: 1_000, bytes: 1_048_576 };
/** A client that asked longer ago has given up, too; as long a peer that was lost may come back. */
const patience: Duration = 2 * minute;

interface Waiting {
  readonly since: Instant;
  readonly bytes: number;
  readonly strand: Strand;
}

export class Stranded {
  /** Peers out of sight, and since when. */
  readonly #lost = new Map<string, Instant>();
  /** The oldest first. */
  #waiting: Waiting[] = [];
  #bytes = 0;
  readonly #bytesMax: number;

  /** `queueBytes`: what may wait for a peer. */
  constructor(queueBytes = Infinity) {
    this.#bytesMax = Math.min(strandedLimits.bytes, queueBytes / 2);
  }

  peerLost(at: Instant, peer: Peer): void {
    for (const [name, since] of this.#lost) if (at > since + patience) this.#lost.delete(name);
    this.#lost.set(peerText(peer), at);
  }

  /** Is a peer out of sight that may come back? */
  waitsForSomebody(at: Instant): boolean {
    return [...this.#lost.values()].some((since) => at <= since + patience);
  }

  /** Keeps an answer, if somebody is out of sight. Returns what is given up: for want of room, or too old. */
  put(at: Instant, strand: Strand): readonly Strand[] {
    const old = this.#forget(({ since }) => at > since + patience);
    if (!this.waitsForSomebody(at)) return old;
    const stanza = strand.stanza.copy();
    const bytes = stanza.size;
    this.#waiting.push({ since: at, bytes, strand: { ...strand, stanza } });
    this.#bytes += bytes;
    const { answers } = strandedLimits;
    const tooMuch = (): boolean => this.#waiting.length > answers || this.#bytes > this.#bytesMax;
    return [...old, ...this.#forget(tooMuch)];
  }

  /** The oldest, as long as they are to be forgotten. */
  #forget(must: (oldest: Waiting) => boolean): readonly Strand[] {
    const forgotten: Strand[] = [];
    for (let oldest = this.#waiting[0]; oldest && must(oldest); oldest = this.#waiting[0]) {
      this.#waiting.shift();
      this.#bytes -= oldest.bytes;
      forgotten.push(oldest.strand);
    }
    return forgotten;
  }

  /** This peer's records are in sight again: the answers that are for it or `reaches` somebody, in their order. */
  peerBack(
    at: Instant,
    peer: Peer,
    reaches: (fullJid: string) => boolean,
  ): { readonly found: readonly Strand[]; readonly givenUp: readonly Strand[] } {
    this.#lost.delete(peerText(peer));
    if (this.#waiting.length === 0) return nothing;
    const found: Strand[] = [];
    const kept: Waiting[] = [];
    for (const waiting of this.#waiting) {
      const { asker, target } = waiting.strand;
      const goesOn = asker === undefined ? reaches(target) : samePeer(asker, peer);
      if (goesOn) found.push(waiting.strand);
      else kept.push(waiting);
    }
    this.#waiting = kept;
    this.#bytes = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    return { found, givenUp: this.#forget(({ since }) => at > since + patience) };
  }
}

const nothing = { found: [], givenUp: [] } as const;
