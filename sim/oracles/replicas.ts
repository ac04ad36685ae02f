/**
 * Replicas: what each process wrote into its tables, and what each other one showed of it and when.
 *
 * Several oracles judge by this, gathered from the trace. The history of an owner's table is exact: every
 * write with its seq. A view is a visible partition of another owner, as its reader last had it.
 */
import type { Release } from "../releases/releases.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../trace.ts";

export interface Process {
  /** `name#incarnation.boot` */
  readonly peer: string;
  readonly node: string;
  readonly release: Release;
  readonly startedAt: number;
  endedAt: number | undefined;
  /** When it last went on after a pause or was no longer slow, or was seen to start; Infinity: it is slow. */
  awakeAt: number;
  paused: boolean;
}

/** One owner's table: its records and what they were at each seq. */
export class History {
  readonly records = new Map<string, string>();
  /** Of each key, its writes: seq, and whether it was a delete. */
  readonly writes = new Map<string, { seq: number; deleted: boolean }[]>();
  readonly #digests = new Map<number, Digest>([[0, emptyDigest]]);
  /** When each seq was reached. */
  readonly #times: { seq: number; at: number }[] = [];
  #digest = emptyDigest;
  seq = 0;
  deletes = 0;

  write(at: number, { key, value, seq, deleted }: TraceKinds["table-written"]): void {
    const before = this.records.get(key);
    if (before !== undefined) this.#digest = without(this.#digest, key, before);
    if (deleted) this.records.delete(key);
    else {
      this.records.set(key, value);
      this.#digest = withRecord(this.#digest, key, value);
    }
    if (deleted) this.deletes += 1;
    this.seq = seq;
    this.#digests.set(seq, this.#digest);
    this.#times.push({ seq, at });
    const writes = this.writes.get(key);
    if (writes === undefined) this.writes.set(key, [{ seq, deleted }]);
    else writes.push({ seq, deleted });
  }

  digestAt(seq: number): Digest | undefined {
    return this.#digests.get(seq);
  }

  /** The seq that it had at this time. */
  seqAt(at: number): number {
    let seq = 0;
    for (const time of this.#times) if (time.at <= at) seq = time.seq;
    return seq;
  }

  /** The last write of a key up to this seq. */
  lastWrite(key: string, seq: number): { seq: number; deleted: boolean } | undefined {
    return this.writes.get(key)?.findLast((write) => write.seq <= seq);
  }
}

export interface View {
  readonly reader: Process;
  readonly table: string;
  readonly owner: string;
  readonly records: Map<string, string>;
  digest: Digest;
  seq: number;
}

export class Replicas {
  readonly sees: readonly TraceKind[] = [
    "node-started",
    "cluster-joined",
    "node-killed",
    "node-stopped",
    "node-crashed",
    "node-paused",
    "node-resumed",
    "node-slowed",
    "node-recovered",
    "table-written",
    "table-seen",
    "table-hidden",
  ];
  readonly processes = new Map<string, Process>();
  /** The process that a node runs, once it has joined. */
  readonly running = new Map<string, Process>();
  readonly #slow = new Set<string>();
  /** By owner, then by table. */
  readonly #histories = new Map<string, Map<string, History>>();
  /** By reader, then by table, then by owner. */
  readonly #views = new Map<Process, Map<string, Map<string, View>>>();
  readonly #tables = new Set<string>();
  /** The greatest seq that a reader has ever shown of an owner's table. */
  readonly #shown = new Map<string, number>();
  /** What that was before the latest `table-seen`. */
  #shownBefore = 0;
  #latest: TraceEvent | undefined;
  /** By user, in bytes: how often a record of one of its sessions was written or has come into view or gone. */
  readonly #stirs = new Map<string, number>();
  /** How often a process or a view came or went, whose records are all users'. */
  #turns = 0;
  /** Of each node's last process. */
  readonly #releases = new Map<string, Release>();

  /** The same event again is no news: several oracles ask one of these. */
  see(event: TraceEvent): void {
    if (event === this.#latest) return;
    this.#latest = event;
    const { at, place, kind, data } = event;
    switch (kind) {
      case "node-started":
        this.#releases.set(place, data.release ?? 1);
        break;
      case "cluster-joined":
        this.#join({
          ...{ peer: data.peer, node: place, startedAt: at, endedAt: undefined },
          release: this.#releases.get(place) ?? 1,
          ...{ awakeAt: this.#slow.has(place) ? Infinity : at, paused: false },
        });
        break;
      case "node-killed":
      case "node-stopped":
      case "node-crashed":
        this.#slow.delete(place);
        this.#end(place, at);
        break;
      case "node-paused":
        this.#pause(place, true, at);
        break;
      case "node-resumed":
        this.#pause(place, false, at);
        break;
      case "node-slowed":
        this.#setSlow(place, true, at);
        break;
      case "node-recovered":
        this.#setSlow(place, false, at);
        break;
      case "table-written":
        this.#write(place, at, data);
        break;
      case "table-seen":
        this.#seen(place, data);
        break;
      case "table-hidden": {
        const reader = this.running.get(place);
        if (reader !== undefined) this.#views.get(reader)?.get(data.table)?.delete(data.owner);
        this.#turns += 1;
        break;
      }
    }
  }

  history(owner: string, table: string): History | undefined {
    return this.#histories.get(owner)?.get(table);
  }

  view(reader: Process, table: string, owner: string): View | undefined {
    return this.#views.get(reader)?.get(table)?.get(owner);
  }

  /**
   * Does it have a record of this key, or show one, besides that owner's? Of a full JID's two sessions one has lost
   * it, and may not know.
   */
  isContested(self: Process, table: string, key: string, owner: string): boolean {
    const own = this.history(self.peer, table);
    if (self.peer !== owner && own?.records.has(key) === true) return true;
    for (const view of this.viewsOf(self, table)) {
      if (view.owner !== owner && view.records.has(key)) return true;
    }
    return false;
  }

  /** All that this process shows of this table. */
  viewsOf(reader: Process, table: string): Iterable<View> {
    return this.#views.get(reader)?.get(table)?.values() ?? [];
  }

  /** Those that were ever written. */
  tables(): ReadonlySet<string> {
    return this.#tables;
  }

  /** What each table of an owner is at now. */
  seqs(owner: string): ReadonlyMap<string, number> {
    const seqs = new Map<string, number>();
    for (const table of this.tables()) {
      const history = this.history(owner, table);
      if (history !== undefined) seqs.set(table, history.seq);
    }
    return seqs;
  }

  /**
   * Another number whenever anybody's records of this user, the key of each beginning with this, have become
   * others, or other views hold them.
   */
  stirs(user: string): number {
    return this.#turns + (this.#stirs.get(user) ?? 0);
  }

  #stir(key: string): void {
    const user = userOfKey(key);
    this.#stirs.set(user, (this.#stirs.get(user) ?? 0) + 1);
  }

  shown(reader: Process, table: string, owner: string): number {
    return this.#shown.get(viewKey(reader, table, owner)) ?? 0;
  }

  /** What `shown` was for the reader and the table of this event, before it. */
  get shownBefore(): number {
    return this.#shownBefore;
  }

  #join(process: Process): void {
    this.processes.set(process.peer, process);
    this.running.set(process.node, process);
    this.#turns += 1;
  }

  #end(node: string, at: number): void {
    const process = this.running.get(node);
    if (process === undefined) return;
    process.endedAt = at;
    this.running.delete(node);
    this.#views.delete(process);
    this.#turns += 1;
  }

  #pause(node: string, paused: boolean, at: number): void {
    const process = this.running.get(node);
    if (process === undefined) return;
    process.paused = paused;
    if (!this.#slow.has(node)) process.awakeAt = at;
  }

  #setSlow(node: string, slow: boolean, at: number): void {
    if (slow) this.#slow.add(node);
    else this.#slow.delete(node);
    const process = this.running.get(node);
    if (process !== undefined) process.awakeAt = slow ? Infinity : at;
  }

  #write(node: string, at: number, data: TraceKinds["table-written"]): void {
    const owner = this.running.get(node);
    if (owner === undefined) return;
    let histories = this.#histories.get(owner.peer);
    if (histories === undefined) this.#histories.set(owner.peer, (histories = new Map()));
    let history = histories.get(data.table);
    if (history === undefined) {
      histories.set(data.table, (history = new History()));
      this.#tables.add(data.table);
    }
    history.write(at, data);
    this.#stir(data.key);
  }

  #seen(node: string, { table, owner, seq, fresh, put, gone }: TraceKinds["table-seen"]): void {
    const reader = this.running.get(node);
    if (reader === undefined) return;
    const before = fresh ? undefined : this.view(reader, table, owner);
    const view = before ?? newView(reader, table, owner);
    if (before === undefined) this.#show(view);
    for (const each of gone) {
      change(view, each, undefined);
      this.#stir(each);
    }
    for (let i = 0; i < put.length; i += 2) {
      change(view, put[i] ?? "", put[i + 1]);
      this.#stir(put[i] ?? "");
    }
    if (seq < view.seq) this.#turns += 1;
    view.seq = seq;
    const key = viewKey(reader, table, owner);
    this.#shownBefore = this.#shown.get(key) ?? 0;
    this.#shown.set(key, Math.max(seq, this.#shownBefore));
  }

  #show(view: View): void {
    const { reader, table, owner } = view;
    this.#turns += 1;
    const tables = this.#views.get(reader) ?? new Map<string, Map<string, View>>();
    this.#views.set(reader, tables);
    const owners = tables.get(table) ?? new Map<string, View>();
    tables.set(table, owners.set(owner, view));
  }
}

/** A full JID's up to the slash; what is no JID is its own. */
function userOfKey(key: string): string {
  const slash = key.indexOf("/");
  return slash === -1 ? key : key.slice(0, slash);
}

function viewKey(reader: Process, table: string, owner: string): string {
  return `${reader.peer} ${table} ${owner}`;
}

function newView(reader: Process, table: string, owner: string): View {
  return { reader, table, owner, records: new Map(), digest: emptyDigest, seq: 0 };
}

function change(view: View, key: string, value: string | undefined): void {
  const before = view.records.get(key);
  if (before !== undefined) view.digest = without(view.digest, key, before);
  if (value === undefined) view.records.delete(key);
  else {
    view.records.set(key, value);
    view.digest = withRecord(view.digest, key, value);
  }
}

/** A sum over records, in any order; not the tables' own digest, which is under test. */
export interface Digest {
  readonly count: number;
  readonly low: number;
  readonly high: number;
}

const emptyDigest: Digest = { count: 0, low: 0, high: 0 };

export function sameDigest(a: Digest, b: Digest): boolean {
  return a.count === b.count && a.low === b.low && a.high === b.high;
}

function withRecord({ count, low, high }: Digest, key: string, value: string): Digest {
  const [a, b] = hashOf(key, value);
  return { count: count + 1, low: (low + a) | 0, high: (high + b) | 0 };
}

function without({ count, low, high }: Digest, key: string, value: string): Digest {
  const [a, b] = hashOf(key, value);
  return { count: count - 1, low: (low - a) | 0, high: (high - b) | 0 };
}

function hashOf(key: string, value: string): [number, number] {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (const text of [key, value]) {
    const { length } = text;
    low = Math.imul(low ^ length, 0x9e3779b1);
    for (let at = 0; at < length; at += 2) {
      const second = at + 1 < length ? text.charCodeAt(at + 1) << 16 : 0;
      low = Math.imul(low ^ text.charCodeAt(at) ^ second, 0x9e3779b1);
      high = Math.imul(high ^ (low >>> 15), 0x85ebca6b);
    }
  }
  return [low, high];
}

/** The node's name in `name#incarnation.boot`. */
export function nameOf(peer: string): string {
  return peer.slice(0, peer.lastIndexOf("#"));
}
