/**
 * Link: what connects this node with one other name, over time.
 *
 *     down → connecting → handshaking → up ⇄ broken → down
 *
 * A link is up while a session has a connection and broken while it has none; a session that is not
 * back within the grace, or whose peer has begun anew or has left, ends. Both sides dial, but only while
 * they have nothing better: neither a connection in use nor a handshake under way. `mesh-handshake.ts`
 * decides who a connection belongs to and whether it may replace the one in use.
 */
import { assert } from "../base/assert.ts";
import { readerOf, uint, WireError, type WireReader } from "./codec.ts";
import { readRefused, sessionOf, type GivenUp, type Hello } from "./handshake.ts";
import type { Channel } from "./link-channel.ts";
import { Dialling } from "./link-dialling.ts";
import type { LinkQueue } from "./link-queues.ts";
import { LinkSession } from "./link-session.ts";
import { onGrid, type Duration, type Instant } from "../base/time.ts";
import type { DialId, LinkState, LinkStatus } from "./mesh-contract.ts";
import type { MeshContext } from "./mesh-context.ts";
import { ignorableFrom, kinds, type MessageKind } from "./messages.ts";
import type { BinaryString } from "../base/bytes.ts";
import { peerText, samePeer, type NodeName, type Peer } from "./peer.ts";
import { commonVersion } from "./protocol.ts";
import { controlFrame, frameBytesMax, type FrameReader } from "./wire.ts";

export type LinkChannel = Channel<Link>;

interface OwnDial {
  readonly id: DialId;
  readonly startedAt: Instant;
  /** Since the connection is open. */
  channel: LinkChannel | undefined;
}

const nothingGivenUp: GivenUp = { session: "", received: 0 };

/** All links of a process beat at the same moments: in one turn. */
function nextBeat(now: Instant, interval: Duration): Instant {
  return onGrid(now + interval, interval);
}

export class Link {
  readonly name: NodeName;
  readonly #context: MeshContext<Link>;

  readonly dialling: Dialling;
  session: LinkSession | undefined;
  /** Of the protocol, in one session. */
  #version = 0;
  inUse: LinkChannel | undefined;
  /** Our own dial, until it is welcomed or comes to nothing. */
  dial: OwnDial | undefined;
  /** An arrived connection that waits for the end of our own dial. */
  parked: { readonly channel: LinkChannel; readonly at: Instant } | undefined;
  /** Arrived connections whose dialler has not proved itself yet. */
  readonly answering = new Set<LinkChannel>();

  lastGivenUp = nothingGivenUp;
  /** Connections accepted, or entered as their dialler, with this boot of the peer. */
  accepted = 0;
  #boot = "";

  #heardAt: Instant = 0;
  #beatAt: Instant = 0;
  #wroteAt: Instant = 0;
  #graceEndsAt: Instant = 0;
  #superseded: { readonly since: Instant; told: boolean } | undefined;
  /** Of the peer's last heartbeat, for the next one of ours to give back. */
  #peerBeat = { sentAt: 0, receivedAt: 0 };

  #rttMs: number | undefined;
  #lastError: string | undefined;
  readonly #counts = { sessions: 0, connections: 0, sent: 0, received: 0, resent: 0 };

  constructor(context: MeshContext<Link>, name: NodeName) {
    this.#context = context;
    this.name = name;
    this.dialling = new Dialling(context, name);
  }

  get state(): LinkState {
    if (this.session !== undefined) return this.inUse === undefined ? "broken" : "up";
    if (this.answering.size > 0 || this.dial?.channel !== undefined) return "handshaking";
    return this.dial !== undefined || this.#mayDial() ? "connecting" : "down";
  }

  /** Something waits for the peer's window or for a connection. */
  get hasBacklog(): boolean {
    const { session } = this;
    if (session === undefined) return false;
    return session.queues.length > 0 || (this.inUse === undefined && session.unackedBytes > 0);
  }

  /** Nothing is left to remember. */
  get idle(): boolean {
    return this.#isQuiet() && this.#context.now >= this.dialling.until;
  }

  #isQuiet(): boolean {
    const quiet = this.session === undefined && this.dial === undefined && !this.dialling.listed;
    return quiet && this.parked === undefined && this.answering.size === 0;
  }

  send(kind: MessageKind, body: BinaryString): number | undefined {
    const { session } = this;
    if (session === undefined) return undefined;
    const { queueBytes } = this.#context.options.limits;
    const { bytes } = session.queues;
    if (bytes > 2 * queueBytes) {
      this.end(`${bytes} bytes wait for the peer, twice the limit`, false);
      return undefined;
    }
    const queue = session.send(kind, body);
    if (!queue.full && queue.bytes > queue.bytesMax) {
      queue.full = true;
      this.#tellQueue("queue-full", session, queue);
    }
    return queue.sent;
  }

  /** Writes what the window allows. */
  flush(): void {
    const { session, inUse } = this;
    if (session === undefined) return;
    if (inUse === undefined) return session.queues.stanzas.settle();
    const { chunks } = this.#context.options;
    for (;;) {
      const out = session.write(chunks, this.#context.now);
      if (out === "") break;
      this.#write(inUse, out);
    }
    if (session.ackIsDue()) this.#write(inUse, session.ack());
    const { tables, stanzas } = session.queues;
    stanzas.settle();
    if (tables.full) this.#lookWhetherDrained(session, tables);
    if (stanzas.full) this.#lookWhetherDrained(session, stanzas);
  }

  #lookWhetherDrained(session: LinkSession, queue: LinkQueue): void {
    if (queue.bytes >= queue.bytesMax / 2) return;
    queue.full = false;
    this.#tellQueue("queue-drained", session, queue);
  }

  #tellQueue(type: "queue-full" | "queue-drained", session: LinkSession, which: LinkQueue): void {
    const queue = which === session.queues.tables ? "tables" : "stanzas";
    this.#context.emit({ type, peer: session.peer, queue });
  }

  /** Bytes of whatever kind on the connection in use: a sign of life. */
  heard(): void {
    this.#heardAt = this.#context.now;
  }

  receive(frame: FrameReader): void {
    const { session } = this;
    if (session === undefined) return;
    const { peer } = session;
    if (frame.number > 0) {
      this.#counts.received += 1;
      const body = session.receive(frame);
      if (session.ackIsDue()) this.#context.wake(this);
      if (body !== undefined) {
        this.#context.emit({ type: "message-received", peer, kind: frame.kind, body });
      }
      return;
    }
    const reader = readerOf(frame.body);
    if (frame.kind === kinds.bye) {
      session.acknowledged(reader.uint());
      this.end("the peer has left", true);
      this.dialling.left();
      return;
    }
    if (frame.kind === kinds.refused) {
      const { detail } = readRefused(frame.body.bytes);
      this.#log("warning", "refused-by-peer", { detail });
      return;
    }
    if (frame.kind === kinds.ask) {
      session.askedForAck();
      if (session.ackIsDue()) this.#context.wake(this);
      return;
    }
    if (frame.kind >= ignorableFrom) return;
    if (frame.kind !== kinds.ack && frame.kind !== kinds.beat) {
      throw new WireError(`A frame of kind ${frame.kind} is not to be sent here`);
    }
    if (session.acknowledged(reader.uint(), this.#context.now)) this.#context.wake(this);
    if (frame.kind === kinds.ack) return;
    this.#beatReceived(reader, session);
  }

  #beatReceived(reader: WireReader, session: LinkSession): void {
    const { now } = this.#context;
    const [sentAt, echo, held] = [reader.uint(), reader.uint(), reader.uint()];
    this.#peerBeat = { sentAt, receivedAt: now };
    if (echo > 0 && echo + held <= now) this.#rttMs = now - echo - held;
    this.#context.emit({ type: "beat-received", peer: session.peer, body: reader.rest() });
  }

  // Sessions and their connections

  /** What our hello says of this peer now. */
  known(): Pick<Hello, "session" | "received" | "lastGivenUp" | "accepted"> {
    const { session, lastGivenUp, accepted } = this;
    return { session: session?.id ?? "", received: session?.received ?? 0, lastGivenUp, accepted };
  }

  /** The peer has proved itself on this connection: it is the one in use from here on. */
  enter(channel: LinkChannel, own: Hello, peer: Hello): void {
    const context = this.#context;
    const resumed = own.session !== "" && own.session === peer.session;
    this.#forget(channel);
    if (!resumed || !this.#isOf(peer.peer)) {
      const final = this.session !== undefined && !samePeer(this.session.peer, peer.peer);
      this.end(
        final ? "another process has its name" : "the peer knows no such session",
        final,
        peer,
      );
    }
    if (this.#boot !== peer.peer.boot) {
      this.#boot = peer.peer.boot;
      this.accepted = 0;
      this.lastGivenUp = nothingGivenUp;
    }
    this.accepted += 1;
    const before = this.inUse;
    this.inUse = channel;
    channel.stage = "open";
    channel.enteredAt = context.now;
    channel.reader.maxBytes = frameBytesMax;
    if (before !== undefined) context.drop(before, "a later connection replaces it");
    this.#closeRivals();
    this.dialling.notRefused();
    this.#superseded = undefined;
    this.#lastError = undefined;
    this.heard();
    this.#counts.connections += 1;
    this.#beatAt = nextBeat(context.now, context.options.timing.heartbeatInterval);
    this.#wroteAt = context.now;
    if (this.session === undefined) this.#begin(channel, own, peer);
    else {
      this.session.resume(peer.received);
      this.#log("debug", "link-resumed");
    }
    context.wake(this);
  }

  #isOf(peer: Peer): boolean {
    return this.session !== undefined && samePeer(this.session.peer, peer);
  }

  #begin(channel: LinkChannel, own: Hello, peer: Hello): void {
    const context = this.#context;
    const id = channel.role === "dialler" ? sessionOf(own, peer) : sessionOf(peer, own);
    const ordinal = context.nextSession();
    const { limits } = context.options;
    this.session = new LinkSession({ id, peer: peer.peer, ordinal, limits });
    this.#peerBeat = { sentAt: 0, receivedAt: 0 };
    this.#counts.sessions += 1;
    const version = commonVersion(own, peer);
    assert(version !== undefined, "a hello without a common version is refused");
    this.#version = version;
    this.#log("debug", "link-up", { remote: channel.remote, version });
    context.emit({ type: "peer-up", peer: peer.peer, session: ordinal, version });
  }

  /** What else was under way is pointless now; other diallers' proofs are judged when they come. */
  #closeRivals(): void {
    const { parked, dial } = this;
    this.dial = undefined;
    if (parked !== undefined) this.#context.drop(parked.channel, "our own dial was welcomed");
    if (dial !== undefined) this.#context.abandon(dial.id, dial.channel, "the peer's was welcomed");
  }

  /** Ends the session, if there is one: one `peer-down`, with what was not received. */
  end(reason: string, final: boolean, told?: Pick<Hello, "lastGivenUp">): void {
    const { session, inUse } = this;
    if (session === undefined) return;
    this.session = undefined;
    this.inUse = undefined;
    this.#count(session);
    if (session.received > 0) {
      // A session in which nothing came says nothing, and must not hide what the one before it says.
      this.lastGivenUp = { session: session.id, received: session.received };
    }
    if (inUse !== undefined) this.#context.drop(inUse, reason);
    const received = told?.lastGivenUp.session === session.id ? told.lastGivenUp.received : 0;
    const undelivered = session.undelivered(received);
    this.#log("debug", "link-down", { reason, final, undelivered: undelivered.length }, session);
    const { peer, ordinal } = session;
    this.#context.emit({ type: "peer-down", peer, session: ordinal, reason, final, undelivered });
    // † An open handshake has offered the peer a session that is no more.
    for (const channel of [...this.answering, this.dial?.channel]) {
      if (channel?.own?.hello.session === session.id) {
        this.#context.drop(channel, "the session that it offered has ended");
      }
    }
    if (!final) this.dialling.keepTrying();
    this.dialling.notRefused();
  }

  /** Whatever the link knows of this connection, it is over. */
  dropped(channel: LinkChannel, reason: string): void {
    if (channel === this.inUse) return this.#lose(reason);
    const own = this.dial?.channel === channel;
    this.#forget(channel);
    if (own) this.dialFailed(false, reason);
  }

  #forget(channel: LinkChannel): void {
    this.answering.delete(channel);
    if (this.parked?.channel === channel) this.parked = undefined;
    if (this.dial?.channel === channel) this.dial = undefined;
  }

  #lose(reason: string): void {
    const { now, options } = this.#context;
    const stable =
      this.inUse !== undefined && now - this.inUse.enteredAt >= options.timing.lateTick;
    this.inUse = undefined;
    if (this.session === undefined) return;
    this.#lastError = reason;
    this.#log("info", "link-broken", { reason });
    this.#graceEndsAt = now + options.timing.linkGrace;
    this.dialling.keepTrying();
    if (stable) this.dialling.soon();
    else this.dialling.later();
  }

  // Dialling

  #mayDial(): boolean {
    const wanted = this.dialling.wanted || this.session !== undefined;
    const nothingBetter = this.inUse === undefined && this.dial === undefined;
    const noHandshake = this.answering.size === 0 && this.parked === undefined;
    return wanted && nothingBetter && noHandshake && this.dialling.address !== undefined;
  }

  #startDial(address: string): void {
    const id = this.#context.newDial(this);
    this.dial = { id, startedAt: this.#context.now, channel: undefined };
    this.#context.emit({ type: "dial", dial: id, address });
  }

  dialConnected(channel: LinkChannel): void {
    if (this.dial !== undefined) this.dial.channel = channel;
    this.dialling.notRefused();
  }

  /** Our dial has come to nothing: answers whoever waits for that, or tries again later. */
  dialFailed(refused: boolean, reason: string): void {
    this.dial = undefined;
    this.#lastError = reason;
    this.#log("debug", "dial-failed", { reason });
    this.dialling.later();
    if (!refused) this.dialling.notRefused();
    else if (this.session !== undefined && this.dialling.refused()) {
      this.end("its host refuses connections", false);
    }
    const { parked } = this;
    this.parked = undefined;
    if (parked !== undefined) this.#context.answer(parked.channel, this);
  }

  /** Closes our own dial in favour of the peer's. */
  yieldDial(reason: string): void {
    const { dial } = this;
    this.dial = undefined;
    if (dial !== undefined) this.#context.abandon(dial.id, dial.channel, reason);
  }

  /** The peer has proved itself and says that a successor of ours is up there. */
  refusedFor(successor: Peer): void {
    const { now, options } = this.#context;
    this.#superseded ??= { since: now, told: false };
    const { since, told } = this.#superseded;
    if (told || now - since < options.timing.supersededAfter) return;
    this.#superseded.told = true;
    this.#context.emit({ type: "superseded", by: successor });
  }

  // Time

  /** Earliest moment at which something is due; judgements wait until `judgeFrom`. */
  dueAt(judgeFrom: Instant): Instant {
    const { timing } = this.#context.options;
    let due = Infinity;
    if (this.inUse !== undefined) {
      due = Math.min(this.#beatAt, Math.max(judgeFrom, this.#heardAt + timing.heartbeatTimeout));
    } else if (this.session !== undefined) due = Math.max(judgeFrom, this.#graceEndsAt);
    if (this.dial !== undefined) {
      due = Math.min(due, Math.max(judgeFrom, this.dial.startedAt + timing.handshakeTimeout));
    }
    if (this.parked !== undefined) due = Math.min(due, this.parked.at + timing.parkedFor);
    if (this.#isQuiet()) due = Math.min(due, Math.max(this.dialling.until, this.#context.now)); // forget it
    return this.#mayDial() ? Math.min(due, this.dialling.at) : due;
  }

  settle(judging: boolean): void {
    const { now, options } = this.#context;
    const { timing } = options;
    if (this.inUse !== undefined) {
      if (judging && now >= this.#heardAt + timing.heartbeatTimeout) {
        this.#context.drop(this.inUse, `nothing received for ${now - this.#heardAt} ms`);
      } else if (now >= this.#beatAt) this.#beat();
    } else if (this.session !== undefined && judging && now >= this.#graceEndsAt) {
      this.end(`not back within ${timing.linkGrace} ms: ${this.#lastError ?? ""}`, false);
    }
    const { dial } = this;
    if (dial !== undefined && judging && now >= dial.startedAt + timing.handshakeTimeout) {
      this.yieldDial("no answer");
      this.dialFailed(false, `no answer within ${timing.handshakeTimeout} ms`);
    }
    if (this.parked !== undefined && now >= this.parked.at + timing.parkedFor) {
      this.yieldDial("the peer's dial has waited long enough");
      this.dialFailed(false, "the peer's dial was faster");
    }
    const { address, at } = this.dialling;
    if (this.#mayDial() && now >= at && address !== undefined) this.#startDial(address);
  }

  /** After a pause: the peer has certainly not heard us for so long. */
  unheardFor(): number {
    return this.inUse === undefined ? 0 : this.#context.now - this.#wroteAt;
  }

  #beat(): void {
    const { session, inUse } = this;
    const { now, options } = this.#context;
    this.#beatAt = nextBeat(now, options.timing.heartbeatInterval);
    if (session === undefined || inUse === undefined) return;
    const { sentAt, receivedAt } = this.#peerBeat;
    const held = sentAt > 0 ? now - receivedAt : 0;
    const clocks = uint(now) + uint(sentAt) + uint(held);
    const body = session.tellReceived() + clocks + options.beatBody(session.peer);
    this.#write(inUse, controlFrame(kinds.beat, body));
  }

  /** The drain is done: what the window allows, then our last frame. What waits still is handed back. */
  leave(): void {
    const { session } = this;
    this.flush();
    if (session !== undefined && this.inUse !== undefined) {
      this.#write(this.inUse, controlFrame(kinds.bye, session.tellReceived()));
    }
    this.end("we leave", true);
  }

  #write(channel: LinkChannel, data: BinaryString): void {
    this.#wroteAt = this.#context.now;
    this.#context.emit({ type: "write", connection: channel.connection, data });
  }

  // What people see

  #count(session: LinkSession): void {
    this.#counts.sent += session.framesSent;
    this.#counts.resent += session.framesResent;
  }

  fail(reason: string): void {
    this.#lastError = reason;
  }

  status(): LinkStatus {
    const { session } = this;
    const { address } = this.dialling;
    const { sessions, connections, sent, received, resent } = this.#counts;
    return {
      name: this.name,
      ...(session === undefined ? {} : { peer: session.peer, version: this.#version }),
      ...(address === undefined ? {} : { address }),
      state: this.state,
      ...(this.#rttMs === undefined ? {} : { rttMs: this.#rttMs }),
      queuedMessages: session?.queues.length ?? 0,
      queuedBytes: session?.queues.bytes ?? 0,
      unackedBytes: session?.unackedBytes ?? 0,
      ...{ sessions, connections },
      framesSent: sent + (session?.framesSent ?? 0),
      framesReceived: received,
      framesResent: resent + (session?.framesResent ?? 0),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  #log(
    level: "debug" | "info" | "warning",
    event: string,
    fields: Readonly<Record<string, string | number | boolean>> = {},
    session = this.session,
  ): void {
    const peer = session === undefined ? this.name : peerText(session.peer);
    this.#context.emit({ type: "log", level, event, fields: { peer, ...fields } });
  }
}
