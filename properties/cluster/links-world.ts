/**
 * Links world: several meshes, virtual time, and a network that does everything a network can do.
 *
 * A connection is two pipes. A pipe keeps order, cuts what it carries anywhere, holds it while the
 * direction is blocked (as TCP does, which sends again after the block), and can go silent for ever. Every
 * node runs a small application that sends numbered texts in every session and checks what it is told;
 * what only the whole picture shows is checked by `links-laws.ts`.
 */
import { bytesFromBinary, binaryFromBytes } from "../../src/base/bytes.ts";
import { Mesh, type MeshEffect, type MeshInput } from "../../src/cluster/mesh.ts";
import type { MeshOptions } from "../../src/cluster/mesh-contract.ts";
import type { MessageKind } from "../../src/cluster/messages.ts";
import { samePeer } from "../../src/cluster/peer.ts";
import {
  Node,
  countsOf,
  stanzaKind,
  writeText,
  type End,
  type Pipe,
  type Segment,
  type SessionSeen,
  type Stranger,
} from "./links-node.ts";
import { linkLimits, linkTiming } from "../../src/cluster/timing.ts";
import { equal, hmac, lowerSlot, randomOf } from "./links-chance.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly mesh?: Partial<MeshOptions>;
  /** Bounds of the latency of a segment, in ms. */
  readonly latency?: readonly [number, number];
  /** The longest piece that arrives at once. */
  readonly pieces?: number;
  readonly bodyBytes?: number;
}

export class LinksWorld {
  now = 1_000;
  readonly nodes = new Map<string, Node>();
  readonly seen: SessionSeen[] = [];
  readonly broken: string[] = [];
  closesAt: { at: number; connection: string }[] = [];
  /** Like `blockDials`, and never healed. */
  readonly walls = new Set<string>();
  readonly random: () => number;
  readonly #options: WorldOptions;
  readonly #events: { at: number; run: () => void }[] = [];
  #lastConnection = 0;
  #incarnation = 1_000;
  readonly #pipes = new Set<Pipe>();
  readonly #blocked = new Set<string>();

  constructor(options: WorldOptions) {
    this.#options = options;
    this.random = randomOf(options.seed);
  }

  // Time

  schedule(at: number, run: () => void): void {
    const event = { at: Math.max(at, this.now), run };
    // Latest first, so that the next is popped from the end; equal moments keep their order.
    this.#events.splice(lowerSlot(this.#events, event), 0, event);
  }

  runUntil(end: number): void {
    for (;;) {
      const next = this.#events.at(-1);
      if (next === undefined || next.at > end) break;
      this.#events.pop();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }

  run(ms: number): void {
    this.runUntil(this.now + ms);
  }

  // Nodes

  add(name: string, more: Partial<MeshOptions> = {}, incarnation?: number): Node {
    this.#incarnation += 1;
    const boot = Array.from({ length: 16 }, () => "0123456789abcdef"[this.#draw(16)]).join("");
    const peer = { name, incarnation: incarnation ?? this.#incarnation, boot };
    const address = `${name}:7000`;
    const options: MeshOptions = {
      self: peer,
      cluster: "mob",
      secret: bytesFromBinary("secret"),
      hmac,
      equal,
      entropy: { bytes: (count) => Uint8Array.from({ length: count }, () => this.#draw(256)) },
      timing: linkTiming,
      limits: linkLimits,
      beatBody: () => "beat",
      chunks: { pull: () => undefined },
      ...this.#options.mesh,
      ...more,
    };
    const node = new Node(peer, new Mesh(options), address);
    this.nodes.set(name, node);
    return node;
  }

  node(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  discover(...names: string[]): void {
    const peers = names.map((name) => ({ name, address: `${name}:7000` }));
    for (const name of names) this.input(this.node(name), { type: "peers-discovered", peers });
  }

  crash(name: string): void {
    const node = this.node(name);
    node.alive = false;
    for (const session of node.current.values()) session.downAt = this.now;
    for (const end of node.ends.values()) this.#closeEnd(end, "the peer's process died");
  }

  pause(name: string, ms: number): void {
    const node = this.node(name);
    node.pausedUntil = Math.max(node.pausedUntil, this.now + ms);
    this.schedule(node.pausedUntil, () => this.#awake(node));
  }

  #awake(node: Node): void {
    if (!node.alive || node.pausedUntil > this.now) return;
    const inputs = node.inbox.splice(0);
    // Whether timers or sockets come first is the event loop's business.
    const tick: MeshInput = { type: "deadline-reached" };
    for (const input of this.random() < 0.5 ? [tick, ...inputs] : [...inputs, tick]) {
      this.input(node, input);
    }
  }

  // Network

  /** Dials in this direction never arrive; connections made by the other side work. */
  blockDials(from: string, to: string): void {
    this.#blocked.add(`dial ${from}>${to}`);
  }

  unblockDials(from: string, to: string): void {
    this.#blocked.delete(`dial ${from}>${to}`);
  }

  block(from: string, to: string): void {
    this.#blocked.add(`${from}>${to}`);
  }

  heal(): void {
    this.#blocked.clear();
    for (const pipe of this.#pipes) this.#pump(pipe);
  }

  unblock(from: string, to: string): void {
    this.#blocked.delete(`${from}>${to}`);
    for (const pipe of this.#pipes) this.#pump(pipe);
  }

  /** Every connection between the two forgets the other end: no bytes, no end. */
  halfOpen(a: string, b: string): void {
    for (const pipe of this.#between(a, b)) pipe.silent = true;
  }

  /** Both ends learn at once; of what is on the way, a part arrives. */
  reset(a: string, b: string): void {
    for (const pipe of this.#between(a, b)) {
      if (!pipe.to.open && !pipe.from.open) continue;
      const first = pipe.waiting[0];
      pipe.waiting.length = 0;
      if (first?.type === "bytes" && !pipe.silent && !this.#blocked.has(pipe.key)) {
        const part = first.data.slice(0, this.#draw(first.data.length + 1));
        if (part !== "") this.#deliver(pipe, { type: "bytes", data: part });
      }
      this.#deliver(pipe, { type: "closed", reason: "reset" });
    }
  }

  /** `a` loses its connections at once; `b` still reads what was on the way, and learns later. */
  abort(a: string, b: string): void {
    for (const { from, key } of this.#between(a, b)) {
      if (key !== `${a}>${b}` || !from.open) continue;
      this.input(from.node, { type: "connection-closed", connection: from.id, reason: "aborted" });
      this.#closeEnd(from, "closed by the peer");
    }
  }

  #between(a: string, b: string): Pipe[] {
    return [...this.#pipes].filter(({ key }) => key === `${a}>${b}` || key === `${b}>${a}`);
  }

  /** A connection from outside: what it is sent goes to `heard`. */
  stranger(to: string, heard: (bytes: string) => void = () => undefined): Stranger {
    const node = this.node(to);
    const id = (this.#lastConnection += 1);
    node.ends.set(id, { node, id, open: true });
    const stranger: Stranger = {
      id,
      closed: false,
      heard,
      send: (data) =>
        this.input(node, { type: "bytes-received", connection: id, bytes: bytesFromBinary(data) }),
      close: () => this.input(node, { type: "connection-closed", connection: id, reason: "gone" }),
    };
    this.#strangers.set(id, stranger);
    this.input(node, { type: "connection-opened", connection: id, remote: "203.0.113.9" });
    return stranger;
  }
  readonly #strangers = new Map<number, Stranger>();

  #dial(from: Node, dial: number, address: string): void {
    const startedAt = this.now;
    const name = address.split(":")[0] ?? "";
    const attempt = (): void => {
      const target = this.nodes.get(name);
      const key = `${from.peer.name}>${name}`;
      const back = `${name}>${from.peer.name}`;
      const ways = [key, back, `dial ${key}`];
      if (this.walls.has(key) || ways.some((way) => this.#blocked.has(way))) {
        if (this.now - startedAt >= 10_000) {
          this.input(from, { type: "dial-failed", dial, refused: false, reason: "timed out" });
        } else this.schedule(this.now + 1_000, attempt);
        return;
      }
      if (target === undefined || !target.alive) {
        this.input(from, { type: "dial-failed", dial, refused: true, reason: "refused" });
        return;
      }
      this.#connect(from, target, dial);
    };
    this.schedule(this.now + this.#latency(), attempt);
  }

  #connect(from: Node, to: Node, dial: number): void {
    const near: End = { node: from, id: (this.#lastConnection += 1), open: true };
    const far: End = { node: to, id: (this.#lastConnection += 1), open: true };
    from.ends.set(near.id, near);
    to.ends.set(far.id, far);
    for (const [a, b] of [
      [near, far],
      [far, near],
    ] as const) {
      const key = `${a.node.peer.name}>${b.node.peer.name}`;
      this.#pipes.add({ from: a, to: b, key, waiting: [], readyAt: 0, silent: false });
    }
    this.input(to, { type: "connection-opened", connection: far.id, remote: from.peer.name });
    this.input(from, {
      type: "connection-opened",
      connection: near.id,
      remote: to.peer.name,
      dial,
    });
  }

  #pipeFrom(end: End): Pipe | undefined {
    for (const pipe of this.#pipes) if (pipe.from === end) return pipe;
    return undefined;
  }

  #write(node: Node, connection: number, data: string): void {
    const stranger = this.#strangers.get(connection);
    if (stranger !== undefined) return stranger.heard(data);
    const end = node.ends.get(connection);
    const pipe = end === undefined ? undefined : this.#pipeFrom(end);
    if (end?.open !== true || pipe === undefined) return;
    for (let at = 0; at < data.length;) {
      const size = 1 + this.#draw(this.#options.pieces ?? 100_000);
      pipe.waiting.push({ type: "bytes", data: data.slice(at, at + size) });
      at += size;
    }
    this.#pump(pipe);
  }

  #close(node: Node, connection: number): void {
    const stranger = this.#strangers.get(connection);
    if (stranger !== undefined) stranger.closed = true;
    const end = node.ends.get(connection);
    if (end !== undefined) this.#closeEnd(end, "closed by the peer");
    this.closesAt.push({ at: this.now, connection: `${node.peer.name}/${connection}` });
  }

  #closeEnd(end: End, reason: string): void {
    if (!end.open) return;
    end.open = false;
    const pipe = this.#pipeFrom(end);
    if (pipe === undefined) return;
    pipe.waiting.push({ type: "closed", reason });
    this.#pump(pipe);
  }

  #pump(pipe: Pipe): void {
    if (pipe.silent) pipe.waiting.length = 0;
    if (pipe.waiting.length === 0 || this.#blocked.has(pipe.key)) return;
    pipe.readyAt = Math.max(pipe.readyAt, this.now + this.#latency());
    this.schedule(pipe.readyAt, () => {
      if (this.#blocked.has(pipe.key) || pipe.silent) return;
      for (const segment of pipe.waiting.splice(0)) this.#deliver(pipe, segment);
    });
  }

  #deliver(pipe: Pipe, segment: Segment): void {
    const { node, id } = pipe.to;
    if (segment.type === "bytes") {
      if (!pipe.to.open) return;
      const bytes = bytesFromBinary(segment.data);
      return this.input(node, { type: "bytes-received", connection: id, bytes });
    }
    this.#pipes.delete(pipe);
    if (!pipe.to.open) return;
    this.input(node, { type: "connection-closed", connection: id, reason: segment.reason });
    this.#closeEnd(pipe.to, "closed by the peer");
  }

  // A node's turn

  input(node: Node, input: MeshInput): void {
    if (!node.alive) return;
    if (node.pausedUntil > this.now) {
      if (input.type !== "deadline-reached") node.inbox.push(input);
      return;
    }
    this.#apply(node, node.mesh.step({ at: this.now, wall: this.now }, input));
    this.endTurn(node);
  }

  endTurn(node: Node): void {
    if (node.flushing) return;
    node.flushing = true;
    this.schedule(this.now, () => {
      node.flushing = false;
      if (!node.alive || node.pausedUntil > this.now) return;
      this.#apply(node, node.mesh.flush({ at: this.now, wall: this.now }));
      this.#wakeLater(node);
    });
  }

  #wakeLater(node: Node): void {
    const deadline = node.mesh.deadline();
    if (deadline === undefined || node.wakeAt === deadline) return;
    node.wakeAt = deadline;
    this.schedule(deadline, () => {
      if (node.wakeAt !== deadline) return;
      node.wakeAt = Infinity;
      this.input(node, { type: "deadline-reached" });
    });
  }

  #apply(node: Node, effects: readonly MeshEffect[]): void {
    for (const effect of effects) this.#effect(node, effect);
  }

  #effect(node: Node, effect: MeshEffect): void {
    switch (effect.type) {
      case "dial":
        return this.#dial(node, effect.dial, effect.address);
      case "write":
        return this.#write(node, effect.connection, effect.data);
      case "close":
        return this.#close(node, effect.connection);
      case "peer-up": {
        const { peer, session } = effect;
        const before = node.current.get(peer.name);
        if (before !== undefined) this.broken.push(`${node.peer.name}: up twice for ${peer.name}`);
        const seen: SessionSeen = {
          ...{ owner: node.peer, peer, ordinal: session, upAt: this.now, downAt: undefined },
          ...{ sent: [], received: [], undelivered: undefined, final: false, reason: "" },
        };
        node.current.set(peer.name, seen);
        this.seen.push(seen);
        this.say(node, peer.name);
        return;
      }
      case "peer-down": {
        const seen = node.current.get(effect.peer.name);
        if (
          seen === undefined ||
          seen.ordinal !== effect.session ||
          !samePeer(seen.peer, effect.peer)
        ) {
          this.broken.push(`${node.peer.name}: down without up for ${effect.peer.name}`);
          return;
        }
        node.current.delete(effect.peer.name);
        const { undelivered, final, reason } = effect;
        Object.assign(seen, { downAt: this.now, undelivered, final, reason });
        return;
      }
      case "message-received": {
        const seen = node.current.get(effect.peer.name);
        if (seen === undefined || !samePeer(seen.peer, effect.peer)) {
          this.broken.push(`${node.peer.name}: a message outside of a session`);
        } else seen.received.push(binaryFromBytes(effect.body.bytes));
        return;
      }
      case "superseded":
        node.superseded = effect.by;
        return;
      case "log":
        node.events.push({ at: this.now, event: effect.event, fields: effect.fields });
        return;
      case "beat-received":
      case "queue-full":
      case "queue-drained":
        return;
    }
  }

  /** Sends one more text in the session that the node believes in, if it is still live. */
  say(
    node: Node,
    to: string,
    kind: MessageKind = stanzaKind,
    size = this.#options.bodyBytes ?? 10,
  ): boolean {
    const seen = node.current.get(to);
    if (seen === undefined || !node.alive || node.pausedUntil > this.now) return false;
    const counts = countsOf(seen.sent);
    const text = writeText(node.peer, seen, kind, counts).padEnd(size, "x");
    const position = node.mesh.send(seen.peer, kind, text, seen.ordinal);
    if (position === undefined) return false;
    const expected = 1 + (kind === stanzaKind ? counts.stanza : counts.table);
    if (position !== expected) this.broken.push(`position ${position}, not ${expected}`);
    seen.sent.push(text);
    this.endTurn(node);
    return true;
  }

  leave(name: string): void {
    this.input(this.node(name), { type: "leave" });
  }

  state(from: string, to: string): string {
    return (
      this.node(from)
        .mesh.status()
        .find(({ name }) => name === to)?.state ?? "unknown"
    );
  }

  queued(from: string, to: string): number {
    const link = this.node(from)
      .mesh.status()
      .find(({ name }) => name === to);
    return link?.queuedMessages ?? 0;
  }

  /** Each of the living nodes is up with each other one, and both mean the same process. */
  allUp(): boolean {
    const living = [...this.nodes.values()].filter(({ alive }) => alive);
    return living.every((node) =>
      living.every((other) => {
        if (node === other) return true;
        const seen = node.current.get(other.peer.name);
        return (
          seen !== undefined &&
          samePeer(seen.peer, other.peer) &&
          this.state(node.peer.name, other.peer.name) === "up"
        );
      }),
    );
  }

  #draw(below: number): number {
    return Math.floor(this.random() * below);
  }

  #latency(): number {
    const [from, to] = this.#options.latency ?? [1, 5];
    return from + this.#draw(to - from + 1);
  }
}
