/**
 * Mesh: which nodes are we linked with, and over which connection?
 *
 * Holds one `Link` per name and every connection on its way to one. Connections are told apart here:
 * strangers, of whom few are borne and not for long, until they have proved who they are; then frames go
 * to their link. Nothing is written while inputs are taken in: `flush`, at the end of a core step, writes
 * for each link once what has gathered.
 */
import { assert } from "../base/assert.ts";
import type { BinaryString } from "../base/bytes.ts";
import type { Instant, Now } from "../base/time.ts";
import { WireError } from "./codec.ts";
import { refusedFrame, writeRefusal } from "./handshake.ts";
import { Channel } from "./link-channel.ts";
import { Link, type LinkChannel } from "./link.ts";
import type { MeshContext } from "./mesh-context.ts";
import type {
  ConnectionId,
  DialId,
  Discovered,
  LinkStatus,
  MeshEffect,
  MeshInput,
  MeshOptions,
} from "./mesh-contract.ts";
import { Handshakes } from "./mesh-handshake.ts";
import type { MessageKind } from "./messages.ts";
import { samePeer, type NodeName, type Peer } from "./peer.ts";

export type * from "./mesh-contract.ts";

export class Mesh {
  readonly #options: MeshOptions;
  readonly #context: MeshContext<Link>;
  readonly #handshakes: Handshakes;
  readonly #links = new Map<NodeName, Link>();
  readonly #channels = new Map<ConnectionId, LinkChannel>();
  /** Arrived and not proved, the oldest first. */
  readonly #strangers = new Set<LinkChannel>();
  readonly #dials = new Map<DialId, Link>();
  #toFlush = new Set<Link>();
  /** Links that have lost something in this step: of a stranger nothing must remain. */
  readonly #forgettable = new Set<Link>();
  #effects: MeshEffect[] = [];
  #lastDial = 0;
  #lastSession = 0;
  #left = false;

  #now: Instant = 0;
  /** The cached deadline; what a link hears only moves it back, which is seen when it is reached. */
  #due: Instant = Infinity;
  #dueIsOld = false;
  /** After a pause: nobody is judged before this moment. */
  #judgeFrom: Instant = -Infinity;

  constructor(options: MeshOptions) {
    assert(/^[0-9a-f]{16}$/.test(options.self.boot), "a boot is 16 hex digits");
    assert(options.limits.fragmentBytes <= 64 * 1_024, "fragments have at most 64 KiB");
    this.#options = options;
    this.#context = this.#makeContext();
    this.#handshakes = new Handshakes(this.#context);
  }

  /** When `step` must next be called, whatever else happens. */
  deadline(): Instant | undefined {
    if (this.#dueIsOld) this.#findDue();
    return this.#due === Infinity ? undefined : this.#due;
  }

  /** Takes one input in, then settles all that is due. */
  step(now: Now, input: MeshInput): readonly MeshEffect[] {
    this.#timePassed(now.at);
    if (!this.#left) this.#takeIn(input);
    else if (input.type === "connection-opened") {
      this.#effects.push({ type: "close", connection: input.connection });
    }
    // A dial that is due at once is due in this step.
    for (let rounds = 0; rounds < 4 && (this.deadline() ?? Infinity) <= now.at; rounds += 1) {
      this.#settle();
    }
    if (this.#forgettable.size > 0) this.#forgetLinks();
    return this.#takeEffects();
  }

  /**
   * Queues a message; it is written at `flush`. Returns its position (1, 2, …) among the session's messages
   * of its class, or undefined when there is no such live session. With `session` (from `peer-up`) it
   * must be that one: effects of one step may end a session and begin the next, and what is sent in
   * answer to the former must not land in the latter.
   */
  send(peer: Peer, kind: MessageKind, body: BinaryString, session?: number): number | undefined {
    const link = this.#links.get(peer.name);
    const live = link?.session;
    if (link === undefined || live === undefined || !samePeer(live.peer, peer)) return undefined;
    if (session !== undefined && session !== live.ordinal) return undefined;
    this.#toFlush.add(link);
    return link.send(kind, body);
  }

  /** Ends the session; its effects come with the next `step` or `flush`. */
  disconnect(peer: Peer, reason: string): void {
    const link = this.#links.get(peer.name);
    if (link?.session === undefined || !samePeer(link.session.peer, peer)) return;
    this.#dueIsOld = true;
    link.end(reason, false);
  }

  /** The end of a core step: writes what the windows allow. */
  flush(now: Now): readonly MeshEffect[] {
    this.#timePassed(now.at);
    if (this.#toFlush.size > 0) {
      const links = this.#toFlush;
      this.#toFlush = new Set();
      for (const link of links) link.flush();
    }
    return this.#takeEffects();
  }

  /** Does anything wait for a peer's window, or for a connection with it? */
  get hasBacklog(): boolean {
    return [...this.#links.values()].some((link) => link.hasBacklog);
  }

  status(): readonly LinkStatus[] {
    return [...this.#links.values()].map((link) => link.status());
  }

  #takeEffects(): readonly MeshEffect[] {
    if (this.#effects.length === 0) return none;
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #takeIn(input: MeshInput): void {
    if (input.type === "bytes-received") {
      const channel = this.#channels.get(input.connection);
      if (channel !== undefined) this.#bytesReceived(channel, input.bytes);
      return;
    }
    this.#dueIsOld = true;
    switch (input.type) {
      case "connection-opened":
        return this.#opened(input);
      case "connection-closed": {
        const channel = this.#channels.get(input.connection);
        if (channel !== undefined) this.#forget(channel, input.reason);
        return;
      }
      case "dial-failed": {
        const link = this.#dials.get(input.dial);
        this.#dials.delete(input.dial);
        return link?.dialFailed(input.refused, input.reason);
      }
      case "peers-discovered":
        return this.#discovered(input.peers);
      case "leave":
        return this.#leave();
      case "deadline-reached":
        return;
    }
  }

  #opened(input: MeshInput & { type: "connection-opened" }): void {
    const { connection, remote, dial, channelBinding } = input;
    const link = dial === undefined ? undefined : this.#dials.get(dial);
    if (dial !== undefined && link === undefined) {
      this.#effects.push({ type: "close", connection }); // given up meanwhile
      return;
    }
    const channel = new Channel<Link>({
      ...{ connection, remote, openedAt: this.#now, channelBinding },
      role: dial === undefined ? "acceptor" : "dialler",
      frameBytes: this.#options.limits.handshakeFrameBytes,
      ...(link === undefined ? {} : { link }),
    });
    this.#channels.set(connection, channel);
    if (dial !== undefined && link !== undefined) {
      this.#dials.delete(dial);
      link.dialConnected(channel);
      return this.#handshakes.open(channel, link, dial);
    }
    this.#strangers.add(channel);
    if (this.#strangers.size > this.#options.limits.openHandshakes) this.#makeRoom();
  }

  /** The oldest that has said nothing, or the oldest: who is one of us needs a moment only. */
  #makeRoom(): void {
    let oldest: LinkChannel | undefined;
    for (const stranger of this.#strangers) {
      oldest ??= stranger;
      if (stranger.stage !== "hello") continue;
      oldest = stranger;
      break;
    }
    if (oldest !== undefined) this.#drop(oldest, "too many open handshakes");
  }

  #bytesReceived(channel: LinkChannel, bytes: Uint8Array): void {
    const { reader, link } = channel;
    if (channel.open) link?.heard();
    reader.push(bytes);
    try {
      while (!channel.closed && reader.next()) {
        if (channel.open) channel.link?.receive(reader);
        else {
          this.#dueIsOld = true;
          this.#handshakes.receive(channel);
          if (channel.open) this.#strangers.delete(channel);
        }
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#malformed(channel, error.message);
    }
  }

  /** The peer does not speak our protocol: what it sent it would send again, so its session ends too. */
  #malformed(channel: LinkChannel, detail: string): void {
    const { connection, link, remote } = channel;
    const data = refusedFrame(writeRefusal("other", detail));
    this.#effects.push({ type: "write", connection, data });
    const fields = { peer: link?.name, remote, detail };
    const stranger = this.#strangers.has(channel) ? ({ stranger: true } as const) : {};
    const event = "link-malformed";
    this.#effects.push({ type: "log", level: "warning", event, fields, ...stranger });
    if (channel.open) link?.end(detail, false);
    this.#drop(channel, detail);
  }

  #discovered(peers: readonly Discovered[]): void {
    const gone = new Set(this.#links.keys());
    for (const { name, address } of peers) {
      if (name === this.#options.self.name) continue;
      gone.delete(name);
      this.#linkOf(name).dialling.discovered(address);
    }
    for (const name of gone) {
      const link = this.#linkOf(name);
      link.dialling.listed = false;
      this.#forgettable.add(link);
    }
  }

  #leave(): void {
    this.#left = true;
    for (const link of this.#links.values()) link.leave();
    for (const channel of this.#channels.values()) this.#drop(channel, "we leave");
    this.#links.clear();
    this.#dials.clear();
    this.#toFlush.clear();
  }

  #linkOf(name: NodeName): Link {
    let link = this.#links.get(name);
    if (link === undefined) this.#links.set(name, (link = new Link(this.#context, name)));
    return link;
  }

  #drop(channel: LinkChannel, reason: string): void {
    if (channel.closed) return;
    this.#effects.push({ type: "close", connection: channel.connection });
    this.#forget(channel, reason);
  }

  #forget(channel: LinkChannel, reason: string): void {
    this.#dueIsOld = true;
    channel.stage = "closed";
    this.#channels.delete(channel.connection);
    this.#strangers.delete(channel);
    const { link } = channel;
    if (link === undefined) return;
    link.dropped(channel, reason);
    this.#forgettable.add(link);
  }

  // Time

  /**
   * Have we been asleep? Then what peers have sent meanwhile waits in the sockets and is read before anyone
   * is judged. After so long that they have given us up, their frames, which they have handed back, must
   * not be read at all: sessions end first.
   */
  #timePassed(now: Instant): void {
    const slept = now - this.#now;
    const due = this.#dueIsOld ? this.#now : this.#due;
    this.#now = now;
    const { timing } = this.#options;
    if (slept <= timing.lateTick || now - due <= timing.lateTick) return;
    this.#judgeFrom = now + timing.lateReading;
    this.#dueIsOld = true;
    const patience = timing.heartbeatTimeout + timing.linkGrace;
    for (const link of this.#links.values()) {
      if (slept > patience || link.unheardFor() > patience) {
        link.end(`we were paused for ${slept} ms`, false);
        link.yieldDial("we were paused");
      }
    }
    if (slept > patience) for (const stranger of this.#strangers) this.#drop(stranger, "too old");
  }

  #findDue(): void {
    this.#dueIsOld = false;
    let due = Infinity;
    if (!this.#left) {
      for (const link of this.#links.values()) due = Math.min(due, link.dueAt(this.#judgeFrom));
    }
    for (const { openedAt } of this.#strangers) {
      const ends = openedAt + this.#options.timing.handshakeTimeout;
      due = Math.min(due, Math.max(this.#judgeFrom, ends));
      break; // the oldest
    }
    this.#due = due;
  }

  #settle(): void {
    this.#dueIsOld = true;
    const judging = this.#now >= this.#judgeFrom;
    const { handshakeTimeout } = this.#options.timing;
    for (const stranger of this.#strangers) {
      if (!judging || this.#now < stranger.openedAt + handshakeTimeout) break;
      this.#drop(stranger, `no handshake within ${handshakeTimeout} ms`);
    }
    for (const link of this.#links.values()) {
      link.settle(judging);
      this.#forgettable.add(link);
    }
  }

  #forgetLinks(): void {
    for (const link of this.#forgettable) {
      if (link.idle && this.#links.get(link.name) === link) this.#links.delete(link.name);
    }
    this.#forgettable.clear();
  }

  #makeContext(): MeshContext<Link> {
    const now = (): Instant => this.#now;
    const { entropy } = this.#options;
    return {
      options: this.#options,
      get now() {
        return now();
      },
      emit: (effect) => this.#effects.push(effect),
      wake: (link) => this.#toFlush.add(link),
      linkOf: (name) => this.#linkOf(name),
      drop: (channel, reason) => this.#drop(channel, reason),
      newDial: (link) => {
        this.#lastDial += 1;
        this.#dials.set(this.#lastDial, link);
        return this.#lastDial;
      },
      abandon: (dial, channel, reason) => {
        this.#dueIsOld = true;
        this.#dials.delete(dial);
        if (channel !== undefined) this.#drop(channel, reason);
      },
      answer: (channel, link) => this.#handshakes.answer(channel, link),
      nextSession: () => (this.#lastSession += 1),
      chance: () => {
        const [high = 0, low = 0] = entropy.bytes(2);
        return (high * 256 + low) / 65_536;
      },
    };
  }
}

const none: readonly MeshEffect[] = [];
