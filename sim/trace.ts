/**
 * Trace: what happened, in one stable stream of events, and its fingerprint?
 *
 * Every event is a time, a place (a node, a client or "world"), a kind and plain data. A rolling
 * 64-bit hash over all of them (kit/trace-hash.ts) is the run's fingerprint: same plan and same code, same
 * hash. Oracles read the same events; trace-file.ts writes them down.
 */
import type { Instant } from "../src/base/time.ts";
import { TraceHash, type TraceValue } from "./kit/trace-hash.ts";
import type { Release } from "./releases/releases.ts";
import type { FaultKind, LookupFaultKind, MessageType } from "./plan.ts";

export const traceVersion = 2;

export type Notice = "available" | "unavailable" | "error";

/** Kinds and their data. A login is one attempt of one client to be online: `alice#2`. */
export interface TraceKinds {
  "run-started": { readonly version: number; readonly seed: number };
  "phase-started": { readonly phase: string };
  "fault-started": { readonly fault: FaultKind; readonly target: string };
  "fault-ended": { readonly fault: FaultKind; readonly target: string };

  // What reaches a node, and what it does about it.
  /** `dial`: the node's own dial that this answers; 0 where it was accepted. */
  "connection-opened": {
    readonly connection: number;
    readonly login: string;
    readonly listener: string;
    readonly dial: number;
  };
  "bytes-received": { readonly connection: number; readonly bytes: Uint8Array };
  "tls-established": { readonly connection: number };
  "connection-congested": { readonly connection: number };
  "connection-drained": { readonly connection: number };
  /** The node reads no more of it for a while. */
  "input-paused": { readonly connection: number };
  "input-resumed": { readonly connection: number };
  "connection-closed": {
    readonly connection: number;
    readonly login: string;
    readonly reason: string;
  };
  "dial-failed": {
    readonly dial: number;
    readonly to: string;
    readonly refused: boolean;
    readonly reason: string;
  };
  "bytes-sent": { readonly connection: number; readonly data: string };
  "close-asked": { readonly connection: number };
  "query-sent": { readonly request: number; readonly statements: readonly string[] };
  "query-answered": { readonly request: number; readonly rows: number };
  "query-failed": { readonly request: number; readonly failure: string };
  "host-resolved": { readonly request: number; readonly addresses: readonly string[] };
  "file-read": { readonly request: number; readonly text: string };
  "lookup-failed": { readonly request: number; readonly detail: string };
  /** An answer that is given, or not, is not what it would be without this fault. */
  "lookup-troubled": { readonly trouble: LookupFaultKind };
  "key-derived": { readonly request: number };
  "deadline-reached": Record<never, never>;
  "shutdown-requested": Record<never, never>;
  "clock-jumped": { readonly by: number };
  /** From the start: its clocks run so much too fast, in parts per million. */
  "clock-drifts": { readonly ppm: number };
  /** The first process of a node is generation 1. */
  /** `release` is missing where it is the first. */
  "node-started": { readonly generation: number; readonly release?: Release };
  "node-stopped": Record<never, never>;
  /** By a fault; `silent`: with its machine, so that no connection was closed. */
  "node-killed": { readonly silent: boolean };
  "node-paused": Record<never, never>;
  "node-resumed": Record<never, never>;
  /** From now on each turn takes so long, and what comes meanwhile waits. */
  "node-slowed": { readonly turnMs: number };
  /** `waitedMs`: the longest that anything has waited. */
  "node-recovered": { readonly waitedMs: number };
  /** It threw: a bug. */
  "node-crashed": { readonly error: string };
  /** Events at one instant that did not end: the run does. Its place had the last of them. */
  "time-stood-still": { readonly what: string };
  logged: { readonly level: string; readonly event: string; readonly detail: string };

  // What a supervisor on its machine asks a node by HTTP, and what it says.
  "health-asked": { readonly path: string };
  "health-answered": { readonly path: string; readonly status: number; readonly body: string };

  // What a node believes of the cluster. A peer is `name#incarnation.boot`.
  "cluster-joined": { readonly peer: string };
  /** `version` of the protocol; missing: the first. */
  "peer-up": { readonly peer: string; readonly session: number; readonly version?: number };
  "peer-down": {
    readonly peer: string;
    readonly session: number;
    readonly reason: string;
    readonly final: boolean;
    readonly undelivered: number;
    /** Of clients' messages and requests among them, in order; missing: none. */
    readonly handedBack?: readonly string[];
  };
  "node-superseded": { readonly by: string };
  /** Of its own records. */
  "table-written": {
    readonly table: string;
    readonly seq: number;
    readonly key: string;
    readonly value: string;
    readonly deleted: boolean;
  };
  /** What has changed in a visible partition of another; `put`: keys and values in turn. */
  "table-seen": {
    readonly table: string;
    readonly owner: string;
    readonly seq: number;
    /** It was not visible before. */
    readonly fresh: boolean;
    readonly put: readonly string[];
    readonly gone: readonly string[];
  };
  /** A snapshot is being loaded beside what is shown. */
  "table-loading": { readonly table: string; readonly owner: string };
  "table-hidden": { readonly table: string; readonly owner: string };
  "settle-asked": { readonly request: number };
  settled: {
    readonly request: number;
    readonly visible: readonly string[];
    readonly missing: readonly string[];
    readonly lost: readonly string[];
    readonly skipped: readonly string[];
  };
  /** Looked up now and then; the numbers are those of the fullest link and table. */
  "cluster-observed": {
    readonly peers: readonly string[];
    readonly synced: readonly string[];
    /** Whose link has no connection; missing: none. */
    readonly broken?: readonly string[];
    readonly queuedBytes: number;
    readonly unackedBytes: number;
    readonly logBytes: number;
    /** Missing in older traces. */
    readonly logOperations?: number;
  };

  // What a client sees and does.
  /** `password` is missing where it is the one that the account was made with. */
  "login-started": {
    readonly login: string;
    readonly user: string;
    readonly node: string;
    readonly password?: string;
  };
  "login-secured": { readonly login: string };
  "login-authenticated": { readonly login: string; readonly user: string };
  "login-refused": { readonly login: string; readonly condition: string };
  "login-bound": { readonly login: string; readonly jid: string };
  "bind-refused": { readonly login: string; readonly condition: string };
  /** The client closes its stream; its end waits for the server's answer. */
  "login-leaving": { readonly login: string };
  /** The client gave its stream up or lost it; `clean`: both sides closed the stream in order. */
  "login-ended": { readonly login: string; readonly reason: string; readonly clean: boolean };
  "stream-error-received": { readonly login: string; readonly condition: string };
  /** The client was sent what no server may send, or what it could not read. */
  "server-misspoke": { readonly login: string; readonly what: string };
  "reading-stopped": { readonly login: string };
  "reading-resumed": { readonly login: string };
  "presence-sent": {
    readonly login: string;
    readonly available: boolean;
    readonly priority: number;
  };
  "message-sent": {
    readonly login: string;
    readonly id: string;
    readonly to: string;
    /** Missing: chat. */
    readonly type?: MessageType;
    /** Of its body. Missing where it is short, and in older traces. */
    readonly bytes?: number;
  };
  "message-received": {
    readonly login: string;
    readonly id: string;
    readonly from: string;
    readonly to: string;
    readonly body: string;
  };
  "message-bounced": {
    readonly login: string;
    readonly id: string;
    readonly condition: string;
    /** Missing in older traces. */
    readonly from?: string;
  };
  /** What brings nothing back: a presence with an addressee; an error, under the id of the message that it refuses. */
  "notice-sent": {
    readonly login: string;
    readonly id: string;
    readonly to: string;
    readonly what: Notice;
  };
  "notice-received": {
    readonly login: string;
    readonly id: string;
    readonly from: string;
    readonly to: string;
    readonly what: Notice;
  };
  /** Not even on its way. */
  "notice-refused": { readonly login: string; readonly id: string; readonly condition: string };
  "iq-sent": {
    readonly login: string;
    readonly id: string;
    readonly to: string;
    readonly about: string;
  };
  "iq-answered": {
    readonly login: string;
    readonly id: string;
    readonly from: string;
    readonly outcome: string;
  };
  /** The client answers what it was asked. */
  "answer-given": { readonly login: string; readonly id: string };
  "registration-sent": { readonly login: string; readonly user: string };
  "registration-answered": {
    readonly login: string;
    readonly user: string;
    readonly outcome: string;
  };
  /** Of its own account (XEP-0077 §3.2, §3.3); without a password it is to be removed. */
  "account-change-sent": {
    readonly login: string;
    readonly user: string;
    readonly password?: string;
  };
  "account-change-answered": {
    readonly login: string;
    readonly user: string;
    readonly password?: string;
    readonly outcome: string;
  };
  /** By an operator, in the database. */
  "account-deleted": { readonly user: string };
  "attack-sent": { readonly login: string; readonly attack: string };
  "attack-answered": { readonly login: string; readonly attack: string; readonly answer: string };

  // What the run looked up when all had become quiet.
  "sessions-observed": { readonly jids: readonly string[] };
  /** What a node's own counts say. */
  "metrics-observed": {
    readonly sessions: number;
    readonly answersLost: number;
    /** The fewest that it had open at any look while all were quiet. Missing in older traces. */
    readonly openRequests?: number;
  };
  "accounts-observed": { readonly users: readonly string[] };
  /** The rows of `discovery_nodes`, each as `name#incarnation.boot`. */
  "registry-observed": { readonly peers: readonly string[] };
  "online-observed": { readonly client: string; readonly online: boolean; readonly jid: string };
}

export type TraceKind = keyof TraceKinds;

export type TraceEvent = {
  readonly [K in TraceKind]: {
    readonly at: Instant;
    readonly place: string;
    readonly kind: K;
    readonly data: TraceKinds[K];
  };
}[TraceKind];

/** Receives every event, and at once; must not keep `Uint8Array` data past the call. */
export type TraceSink = (event: TraceEvent) => void;

/**
 * Is shown these kinds only (most of a trace says little to most of those who read it), in order but some time
 * later: what judges a run need not be as far as the run.
 */
export interface SelectiveSink {
  readonly sees: readonly TraceKind[];
  see(event: TraceEvent): void;
}

/**
 * Events that wait for the hash and for selective sinks. Many in one go cost much less than each between two
 * steps of a node, whose code and data drive theirs out of the processor's caches.
 */
const waitingMax = 2_000;

export class Trace {
  readonly #atOnce: readonly TraceSink[];
  readonly #selective: readonly SelectiveSink[];
  /** Of each kind, which of the selective want to see it. */
  readonly #readers = new Map<TraceKind, readonly TraceSink[]>();
  readonly #waiting: TraceEvent[] = [];
  readonly #now: () => Instant;
  readonly #hash = new TraceHash();
  #count = 0;
  #lastPlace = "";

  constructor(now: () => Instant, sinks: readonly (TraceSink | SelectiveSink)[]) {
    this.#now = now;
    this.#atOnce = sinks.filter((sink) => typeof sink === "function");
    this.#selective = sinks.filter((sink) => typeof sink !== "function");
  }

  record<K extends TraceKind>(place: string, kind: K, data: TraceKinds[K]): void {
    const event = { at: this.#now(), place, kind, data } as unknown as TraceEvent;
    this.#count++;
    this.#lastPlace = place;
    for (const see of this.#atOnce) see(event);
    this.#waiting.push(event);
    if (this.#waiting.length >= waitingMax) this.showAll();
  }

  /** What waits is shown: to be asked before a selective sink is. */
  showAll(): void {
    for (const event of this.#waiting) {
      this.#mix(event);
      for (const see of this.#readers.get(event.kind) ?? this.#readersOf(event.kind)) see(event);
    }
    this.#waiting.length = 0;
  }

  #mix({ at, place, kind, data }: TraceEvent): void {
    const hash = this.#hash;
    hash.mix(at);
    hash.mixText(place);
    hash.mixText(kind);
    for (const name in data) hash.mixValue(data[name as keyof typeof data] as TraceValue);
  }

  #readersOf(kind: TraceKind): readonly TraceSink[] {
    const seeing = this.#selective.filter(({ sees }) => sees.includes(kind));
    const readers = seeing.map((sink) => sink.see.bind(sink));
    this.#readers.set(kind, readers);
    return readers;
  }

  /** Of the last event. */
  lastPlace(): string {
    return this.#lastPlace;
  }

  count(): number {
    return this.#count;
  }

  /** 16 hexadecimal digits. */
  hash(): string {
    this.showAll();
    return this.#hash.text(this.#count);
  }
}
