/**
 * Stanza exchange: how do stanzas leave for other nodes, and how are they known when they come?
 *
 * Mints ids, writes and reads frames, and bounds what may wait for one peer: past the bound a stanza is
 * refused, and its sender told, instead of queued.
 */
import type { BinaryString } from "../base/bytes.ts";
import type { Piece } from "../base/chunk.ts";
import { readerOf, text } from "../cluster/codec.ts";
import { kinds, type MessageKind } from "../cluster/messages.ts";
import { peerText, type Peer } from "../cluster/peer.ts";
import { linkLimits } from "../cluster/timing.ts";
import { isAnswer, kindOf } from "../router/kinds.ts";
import type { RouterEffect } from "../router/router.ts";
import type { Session } from "../router/session.ts";
import {
  decodeFrame,
  encodeFrame,
  originOf,
  StanzaIds,
  type StanzaFrame,
  type StanzaId,
} from "../router/stanza-frame.ts";
import type { Stanza } from "../xmpp/stanza.ts";

export type Forward = Extract<RouterEffect, { type: "forward" }>;

/** `full`: too much waits for this peer; `unreachable`: it has no link any more. */
export type ForwardOutcome = "sent" | "full" | "too-large" | "unreachable";

/**
 * Answers and errors are the last word of an exchange: refused, they could not be told to anybody. There are
 * no more of them than of what they answer, and the link itself ends the session at twice the bound.
 */
export function isLast(stanza: Stanza): boolean {
  const kind = kindOf(stanza);
  return kind !== undefined && isAnswer(kind);
}

/** Bytes of a bare JID, or of what a stream error tells. */
const endTextMax = 4_096;

export class StanzaExchange {
  readonly #send: (peer: Peer, kind: MessageKind, body: BinaryString) => boolean;
  readonly #ids: StanzaIds;
  readonly #origins = new WeakMap<Peer, BinaryString>();
  /** Peers that can be reached, by the origin of the ids that they mint. */
  readonly #linked = new Map<BinaryString, Peer>();
  /** Peers whose queues are past their bound, by `peerText`. Empty in all but the worst hours. */
  readonly #full = new Set<string>();

  constructor(self: Peer, send: (peer: Peer, kind: MessageKind, body: BinaryString) => boolean) {
    this.#send = send;
    this.#ids = new StanzaIds(self);
  }

  /** An id for all copies of one stanza. */
  mint(): StanzaId {
    return this.#ids.mint();
  }

  /** Did it begin here? */
  minted(id: StanzaId): boolean {
    return id.origin === this.#ids.origin;
  }

  /** `id`: that of other copies. */
  forward(effect: Forward, id: StanzaId | undefined): ForwardOutcome {
    const { peer, target, stanza, transit } = effect;
    if (this.#full.size > 0 && this.#full.has(peerText(peer)) && !isLast(stanza)) return "full";
    const here = {
      id: transit?.id ?? id ?? this.#ids.mint(),
      maybe: transit?.maybe ?? false,
      hops: transit === undefined ? 0 : transit.hops + 1,
      target,
    };
    const body = encodeFrame(here, stanza, effect, this.#ids.origin);
    if (body.length > linkLimits.messageBytes) return "too-large";
    const sent = this.#send(peer, kinds.stanza, body);
    return sent ? "sent" : "unreachable";
  }

  /** Asks the nodes that have sessions of this user to end them. */
  endSessions(peers: ReadonlySet<Peer>, bare: string, reason: string): void {
    const body = text(bare) + text(reason);
    for (const peer of peers) this.#send(peer, kinds.endSessions, body);
  }

  /** Throws `WireError`. */
  readEnd(body: Piece): { readonly bare: string; readonly reason: string } {
    const wire = readerOf(body);
    return { bare: wire.text(endTextMax), reason: wire.text(endTextMax) };
  }

  /** One of `via`, or one of ours that has come back. Throws `WireError` for what is no frame. */
  read(body: Piece, via?: Peer): StanzaFrame {
    const sender = via === undefined ? this.#ids.origin : this.#originOf(via);
    return decodeFrame(body, sender, via, this.#linked);
  }

  #originOf(peer: Peer): BinaryString {
    const known = this.#origins.get(peer);
    if (known !== undefined) return known;
    const origin = originOf(peer);
    this.#origins.set(peer, origin);
    return origin;
  }

  /** Notes that a stanza reaches a session; false if it has reached it before. */
  arrive(session: Session, id: StanzaId, maybe: boolean): boolean {
    return session.arrivals.add(this.#ids.number(id), maybe);
  }

  peerUp(peer: Peer): void {
    this.#linked.set(this.#originOf(peer), peer);
  }

  peerDown(peer: Peer): void {
    this.#linked.delete(this.#originOf(peer));
    this.setFull(peer, false);
  }

  setFull(peer: Peer, full: boolean): void {
    if (full) this.#full.add(peerText(peer));
    else this.#full.delete(peerText(peer));
  }
}
