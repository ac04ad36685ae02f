/**
 * Session: what the server knows of one bound resource.
 *
 * The whole of it is a plain value (`SessionState`), so that it can be stored, sent to another node or
 * kept twice. What ties it to this process, the connection, stands beside it.
 */
import type { Timestamp } from "../base/time.ts";
import type { Peer } from "../cluster/peer.ts";
import type { ConnectionId } from "../ports/network.ts";
import { parseJid, type Jid } from "../xmpp/jid.ts";
import { assert } from "../base/assert.ts";
import { Arrivals } from "./arrivals.ts";
import { Askers } from "./askers.ts";

export interface SessionState {
  /** Full JID. */
  readonly jid: string;
  /** 128 random bits in hex, for the session's life, also across nodes. */
  readonly sid: string;
  /** Bind stamp: the greater of two sessions with one full JID survives. */
  readonly stamp: Timestamp;
  readonly lang: string;
  /** Grows by one whenever the session moves to another node. */
  readonly gen: number;
  /** Initial presence sent and not yet withdrawn (RFC 6121 §4.2). */
  readonly available: boolean;
  /** RFC 6121 §4.7.2.3: -128 to 127; 0 while unavailable. */
  readonly priority: number;
}

export class Session {
  readonly connection: ConnectionId;
  readonly jid: Jid;
  readonly sid: string;
  readonly stamp: Timestamp;
  readonly lang: string;
  readonly gen: number;
  /** Is a client connected? As long as a session ends with its connection, always. */
  readonly attached = true;
  available = false;
  priority = 0;
  /** What reached it from other nodes; made when the first stanza did. */
  #arrivals: Arrivals | undefined;
  /** Who on other nodes waits for its answers; made when the first request came. */
  #askers: Askers | undefined;

  constructor(
    connection: ConnectionId,
    jid: Jid,
    sid: string,
    stamp: Timestamp,
    lang: string,
    gen = 0,
  ) {
    this.connection = connection;
    this.jid = jid;
    this.sid = sid;
    this.stamp = stamp;
    this.lang = lang;
    this.gen = gen;
  }

  get arrivals(): Arrivals {
    return (this.#arrivals ??= new Arrivals());
  }

  get askers(): Askers {
    return (this.#askers ??= new Askers());
  }

  /** To which other node its answer to this request goes; undefined: that is not remembered. */
  takeAsker(from: string, id: string | undefined): Peer | undefined {
    return id === undefined ? undefined : this.#askers?.take(from, id);
  }

  snapshot(): SessionState {
    const { sid, stamp, lang, gen, available, priority } = this;
    return { jid: this.jid.full, sid, stamp, lang, gen, available, priority };
  }

  /** Makes a session of a snapshot, on the connection that now carries it. */
  static restore(connection: ConnectionId, state: SessionState): Session {
    const jid = parseJid(state.jid);
    assert(jid !== undefined && jid.resource !== "", `a session's JID is full: ${state.jid}`);
    const session = new Session(connection, jid, state.sid, state.stamp, state.lang, state.gen);
    session.available = state.available;
    session.priority = state.priority;
    return session;
  }
}
