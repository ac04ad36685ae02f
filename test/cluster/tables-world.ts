/**
 * A world for the tables alone: nodes with a `Tables` machine each, and sessions that this file simulates.
 *
 * A session has two directions. What is sent waits in a queue, is written to the wire when the world says
 * so, and arrives in order, each message once, until the session is cut: then what was on the wire is
 * lost, and the two sides learn of it at two moments. Chunks are pulled when the world says so. After
 * every single step the world compares what each node shows with what it has a right to show.
 */
import { bytesFromBinary, type BinaryString } from "../../src/base/bytes.ts";
import { Piece } from "../../src/base/chunk.ts";
import type { Instant } from "../../src/base/time.ts";
import { kinds, type MessageKind } from "../../src/cluster/messages.ts";
import { samePeer, type Peer } from "../../src/cluster/peer.ts";
import type { ReplicatedTable, TableOptions } from "../../src/cluster/table.ts";
import {
  Tables,
  tablesLimits,
  tablesTiming,
  type SettledEffect,
  type TablesEffect,
  type TablesInput,
  type TablesLimits,
  type TablesTiming,
} from "../../src/cluster/tables.ts";
import { checkReads, ModelNode, same, type Written } from "./tables-oracle.ts";

export interface WorldOptions {
  readonly nodes: number;
  readonly limits?: Partial<TablesLimits>;
  readonly timing?: Partial<TablesTiming>;
  /** Messages that may wait in a direction's queue. */
  readonly queueMax?: number;
  readonly tables?: (node: number) => readonly TableOptions[];
}

interface Frame {
  readonly kind: MessageKind | "beat";
  readonly body: BinaryString;
}

class Direction {
  readonly queue: Frame[] = [];
  readonly wire: Frame[] = [];
  sent = 0;
  written = 0;
  full = false;
}

interface Link {
  readonly number: number;
  readonly ends: readonly [number, number];
  /** From the first end to the second, and back. */
  readonly directions: readonly [Direction, Direction];
  /** Whose side has not learned of the end yet. */
  readonly open: Set<number>;
  cut: boolean;
}

export const plainTable: TableOptions = {
  name: "sessions",
  schema: 1,
  changes: true,
  indexBy: (key) => key.slice(0, 1),
};

/** What must never be said in a world whose sessions keep their promise. */
const alarming = ["table-gap", "table-diverged", "table-message-bad"];

export class TablesWorld {
  at: Instant = 0;
  readonly settled: (SettledEffect & { readonly node: number })[] = [];
  readonly logs: string[] = [];
  /** What was handed to `Tables` or taken from it, to be looked at by tests. */
  readonly frames: {
    from: number;
    to: number;
    kind: MessageKind | "beat";
    body: BinaryString;
    size: number;
  }[] = [];
  readonly counts = { synced: 0, disconnects: 0 };
  readonly nodes: ModelNode[] = [];
  readonly links = new Map<string, Link>();
  /** Set by tests that break promises of the session on purpose. */
  lenient = false;
  /** Set while a test has changed a copy. */
  lenientViews = false;
  readonly #options: WorldOptions;
  #sessions = 0;
  #boots = 0;
  #requests = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    for (let node = 0; node < options.nodes; node++) this.nodes.push(this.#boot(node));
  }

  node(index: number): ModelNode {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`There is no node ${index}`);
    return node;
  }

  table(index: number, name = "sessions"): ReplicatedTable {
    return this.node(index).tables.table(name);
  }

  put(index: number, key: string, value: string, name = "sessions"): void {
    this.table(index, name).put(key, value);
    this.#wrote(index, name, { key, value });
  }

  delete(index: number, key: string, name = "sessions"): void {
    if (this.table(index, name).delete(key)) this.#wrote(index, name, { key, value: undefined });
  }

  flush(index: number): void {
    this.#effects(index, this.node(index).tables.flush(this.#now));
  }

  settle(index: number): number {
    const request = ++this.#requests;
    const node = this.node(index);
    const seqs = [...node.history].map(([name, history]) => [name, history.length] as const);
    node.settling.set(request, new Map(seqs));
    node.tables.settle(this.#now, request);
    this.flush(index);
    return request;
  }

  /** Opens a session, if there is none on either side. */
  up(a: number, b: number): void {
    if (a === b) return;
    this.finish(a, b);
    if (this.links.has(name(a, b))) return;
    const link: Link = {
      number: ++this.#sessions,
      ends: [a, b],
      directions: [new Direction(), new Direction()],
      open: new Set([a, b]),
      cut: false,
    };
    this.links.set(name(a, b), link);
    for (const [one, other] of pairs(a, b)) {
      const { peer } = this.node(other);
      this.step(one, { type: "peer-up", peer, session: link.number });
    }
  }

  /** The session is over; `first` learns of it now, the other when `finish` comes. */
  cut(a: number, b: number, first = a): void {
    const link = this.links.get(name(a, b));
    if (link === undefined) return;
    link.cut = true;
    this.#down(link, first, false);
  }

  /** Both sides of a session that was cut know of it. */
  finish(a: number, b: number): void {
    const link = this.links.get(name(a, b));
    if (link?.cut === true) for (const end of link.ends) this.#down(link, end, false);
  }

  /** The process dies; its successor knows nothing. `final`: the others know that it will not be back. */
  crash(index: number, final = false): void {
    for (const link of [...this.links.values()]) {
      if (!link.ends.includes(index)) continue;
      link.cut = true;
      link.open.delete(index);
      for (const end of link.ends) if (end !== index) this.#down(link, end, final);
      this.links.delete(name(...link.ends));
    }
    this.nodes[index] = this.#boot(index);
  }

  /** Writes so many queued messages from one node to another. */
  write(from: number, to: number, count = Infinity): void {
    const [link, direction] = this.#direction(from, to);
    if (link === undefined || direction === undefined || link.cut) return;
    for (let i = 0; i < count && direction.queue.length > 0; i++) {
      direction.wire.push(...direction.queue.splice(0, 1));
      direction.written += 1;
    }
    this.#watchQueue(from, to, direction);
  }

  /** Pulls one chunk; false if there is none. */
  pull(from: number, to: number): boolean {
    const [link, direction] = this.#direction(from, to);
    if (link === undefined || direction === undefined || link.cut) return false;
    const node = this.node(from);
    const { peer } = this.node(to);
    const ready = node.tables.ready(peer);
    const chunk = node.tables.pull(peer, direction.written);
    if (chunk !== undefined && !ready) throw new Error("There was a chunk, but ready() denied it");
    if (chunk !== undefined) direction.wire.push(chunk);
    if (node.tables.pending) this.flush(from);
    return chunk !== undefined;
  }

  /** Classes of frames may overtake each other: operations a chunk, but not `end`. */
  overtake(from: number, to: number): void {
    const wire = this.#direction(from, to)[1]?.wire ?? [];
    const at = wire.findIndex(({ kind }, index) => {
      return kind === kinds.chunk && wire[index + 1]?.kind === kinds.operations;
    });
    const [chunk] = at < 0 ? [] : wire.splice(at, 1);
    if (chunk !== undefined) wire.splice(at + 1, 0, chunk);
  }

  /** A message that the machine did not send. */
  inject(from: number, to: number, kind: MessageKind, body: BinaryString): void {
    this.#direction(from, to)[1]?.wire.push({ kind, body });
    this.deliver(from, to);
  }

  /** Kinds of what was delivered in this direction since the last call. */
  heard(from: number, to: number): (MessageKind | "beat")[] {
    const mine = this.frames.filter((frame) => frame.from === from && frame.to === to);
    const rest = this.frames.filter((frame) => !mine.includes(frame));
    this.frames.splice(0, this.frames.length, ...rest);
    return mine.map(({ kind }) => kind);
  }

  beat(from: number, to: number): void {
    const [link, direction] = this.#direction(from, to);
    if (link === undefined || direction === undefined || link.cut) return;
    direction.wire.push({
      kind: "beat",
      body: this.node(from).tables.beatBody(this.node(to).peer),
    });
  }

  deliver(from: number, to: number, count = Infinity): boolean {
    let any = false;
    for (let i = 0; i < count; i++) {
      const [link, direction] = this.#direction(from, to);
      if (link === undefined || link.cut || !link.open.has(to)) return any;
      const frame = direction?.wire.shift();
      if (frame === undefined) return any;
      any = true;
      const { kind } = frame;
      this.frames.push({ from, to, kind, body: frame.body, size: frame.body.length });
      const body = bytesFromBinary(frame.body);
      const { peer } = this.node(from);
      if (kind === "beat") this.step(to, { type: "beat-received", peer, body });
      else this.step(to, { type: "message-received", peer, kind, body: Piece.of(body) });
    }
    return any;
  }

  /** Everything moves until nothing does. Throws if that does not come to an end. */
  pump(): void {
    for (let round = 0; round < 10_000; round++) {
      let moved = false;
      for (let index = 0; index < this.nodes.length; index++) this.flush(index);
      for (const { ends } of [...this.links.values()]) {
        for (const [from, to] of pairs(...ends)) {
          this.write(from, to);
          if (this.pull(from, to)) moved = true;
          if (this.deliver(from, to)) moved = true;
        }
      }
      for (const { ends, cut } of [...this.links.values()]) {
        if (cut) continue;
        for (const [from, to] of pairs(...ends)) {
          const [, direction] = this.#direction(from, to);
          if ((direction?.queue.length ?? 0) > 0 || this.node(from).tables.pending) moved = true;
        }
      }
      if (!moved) return;
    }
    throw new Error("The tables never come to rest");
  }

  /** All sessions up, all heartbeats heard, all messages delivered. */
  heal(): void {
    const all = this.nodes.map((_, index) => index);
    for (const a of all) for (const b of all.slice(a + 1)) this.up(a, b);
    this.pump();
    for (const a of all) for (const b of all) if (a !== b) this.beat(a, b);
    this.pump();
  }

  wait(ms: number): void {
    const until = this.at + ms;
    for (;;) {
      const due = this.nodes
        .map(({ tables }, index) => ({ at: tables.deadline() ?? Infinity, index }))
        .toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined || due.at > until) break;
      this.at = Math.max(this.at, due.at);
      this.step(due.index, { type: "deadline-reached" });
      const again = this.node(due.index).tables.deadline();
      if (again !== undefined && again <= this.at) throw new Error("A deadline that stays due");
    }
    this.at = until;
  }

  step(index: number, input: TablesInput): void {
    this.#effects(index, this.node(index).tables.step(this.#now, input));
  }

  /** What a node shows of another's table, by key; undefined if it shows no partition of that process. */
  view(reader: number, owner: number, table = "sessions"): Map<string, string> | undefined {
    const { peer } = this.node(owner);
    const replica = this.node(reader).tables.table(table);
    if (!replica.owners.some((each) => samePeer(each, peer))) return undefined;
    return new Map([...replica.ownedBy(peer)].map(({ key, value }) => [key, value]));
  }

  /** What the owner had after so many of its operations. */
  truth(owner: number, table = "sessions", seq = Infinity): Map<string, string> {
    return this.node(owner).truth(table, seq);
  }

  /** The laws that hold at every moment. */
  check(index: number): void {
    if (this.lenientViews) return;
    const node = this.node(index);
    for (const status of node.tables.status()) {
      const table = node.tables.table(status.name);
      for (const owner of table.owners.slice(1)) {
        const other = this.nodes.findIndex(({ peer }) => samePeer(peer, owner));
        const replica = status.replicas.find(({ peer }) => samePeer(peer, owner));
        if (replica?.visible !== true) throw new Error(`${status.name}: shown without a replica`);
        if (this.#upAt(index, owner) === undefined) throw new Error("A ghost: its peer is down");
        const key = `${status.name} ${owner.boot}`;
        if (replica.seq < (node.shown.get(key) ?? 0)) throw new Error("A view went back in time");
        node.shown.set(key, replica.seq);
        if (other >= 0) {
          const truth = this.truth(other, status.name, replica.seq);
          same(`what ${index} shows of ${other}`, this.view(index, other, status.name), truth);
        }
        if (table.options.changes === true) {
          const view = [...table.ownedBy(owner)].map((each) => [each.key, each.value] as const);
          same("what was told", node.told.get(key), new Map(view));
        }
      }
      checkReads(table);
    }
    const { retainedBytesMax } = { ...tablesLimits, ...this.#options.limits };
    if (node.tables.retainedBytes > retainedBytesMax) throw new Error("Too much is retained");
  }

  get #now(): { at: Instant; wall: number } {
    return { at: this.at, wall: this.at };
  }

  #boot(index: number): ModelNode {
    const boot = (++this.#boots).toString(16).padStart(16, "0");
    const peer = { name: `n${index}`, incarnation: this.#boots, boot };
    return new ModelNode(
      peer,
      new Tables({
        self: peer,
        tables: this.#options.tables?.(index) ?? [plainTable],
        limits: { ...tablesLimits, ...this.#options.limits },
        timing: { ...tablesTiming, ...this.#options.timing },
      }),
    );
  }

  #wrote(index: number, table: string, written: Written): void {
    const { history } = this.node(index);
    const list = history.get(table) ?? [];
    history.set(table, list);
    list.push(written);
  }

  #direction(from: number, to: number): [Link | undefined, Direction | undefined] {
    const link = this.links.get(name(from, to));
    return [link, link?.directions[link.ends[0] === from ? 0 : 1]];
  }

  /** The session that this side has with that very process. */
  #upAt(index: number, owner: Peer): Link | undefined {
    return [...this.links.values()].find(
      ({ ends, open }) =>
        open.has(index) &&
        ends.some((end) => end !== index && samePeer(this.node(end).peer, owner)),
    );
  }

  #down(link: Link, end: number, final: boolean): void {
    if (!link.open.delete(end)) return;
    const other = link.ends[0] === end ? link.ends[1] : link.ends[0];
    if (link.open.size === 0) this.links.delete(name(...link.ends));
    this.step(end, { type: "peer-down", peer: this.node(other).peer, final });
  }

  #watchQueue(from: number, to: number, direction: Direction): void {
    const max = this.#options.queueMax ?? Infinity;
    const { peer } = this.node(to);
    if (!direction.full && direction.queue.length > max) {
      direction.full = true;
      this.step(from, { type: "queue-full", peer });
    } else if (direction.full && direction.queue.length <= max / 2) {
      direction.full = false;
      this.step(from, { type: "queue-drained", peer });
    }
  }

  #effects(index: number, effects: readonly TablesEffect[]): void {
    const full: [number, Direction][] = [];
    const leave: number[] = [];
    for (const effect of effects) {
      switch (effect.type) {
        case "send": {
          const to = this.nodes.findIndex(({ peer }) => samePeer(peer, effect.peer));
          const [link, direction] = this.#direction(index, to);
          if (link?.number !== effect.session || direction === undefined) break;
          direction.queue.push(effect);
          direction.sent += 1;
          const { sync } = effect;
          if (sync !== undefined) this.node(index).tables.sent(effect.peer, sync, direction.sent);
          full.push([to, direction]);
          break;
        }
        case "disconnect":
          this.counts.disconnects += 1;
          leave.push(this.nodes.findIndex(({ peer }) => samePeer(peer, effect.peer)));
          break;
        case "settled":
          this.#checkSettled(index, effect);
          this.settled.push({ ...effect, node: index });
          break;
        case "log":
          this.logs.push(effect.event);
          if (!this.lenient && alarming.includes(effect.event)) throw new Error(effect.event);
          break;
        case "peer-synced":
          this.counts.synced += 1;
          break;
        case "record-changed":
        case "partition-shown":
        case "partition-hidden":
          if (!this.lenientViews) this.node(index).tell(effect);
          break;
      }
    }
    this.check(index);
    for (const [to, direction] of full) this.#watchQueue(index, to, direction);
    for (const to of leave) {
      this.cut(index, to);
      this.finish(index, to);
    }
  }

  #checkSettled(index: number, { request, visibleAt }: SettledEffect): void {
    const node = this.node(index);
    for (const peer of visibleAt) {
      const reader = this.nodes.find((each) => samePeer(each.peer, peer));
      if (reader === undefined) continue;
      for (const [table, seq] of node.settling.get(request) ?? []) {
        const status = reader.tables.status().find((each) => each.name === table);
        if (status === undefined) continue;
        const replica = status.replicas.find((each) => samePeer(each.peer, node.peer));
        // It may have gone down since it reported; then it was visible when it did.
        if (replica?.visible === true && replica.seq < seq) throw new Error("Settled too early");
        if (replica !== undefined && replica.state !== "retained" && !replica.visible) {
          throw new Error("Settled at a reader that shows nothing");
        }
      }
    }
    node.settling.delete(request);
  }
}

function name(a: number, b: number): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

function pairs(a: number, b: number): readonly (readonly [number, number])[] {
  return [
    [a, b],
    [b, a],
  ];
}
