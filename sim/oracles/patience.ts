/**
 * Patience: does a node wait for a client that is silent as long as its limits say, and no longer?
 *
 *     not bound     given up `negotiationTimeout` after it connected, or, where its node has closed the stream before,
 *                   when it has not closed it too within five seconds
 *     congested     given up `sendTimeout` after that, if it has read nothing, and not before;
 *                   or when more waits for it than `maxSendQueue`: so much has come since (long messages that had begun
 *                   before aside), and of what was said to it so much is not written yet (`unwritten.ts`)
 *     too fast      read again as soon as what it sent fits its limit (`pace.ts`), and not before
 *     else          sent a sign of life every `keepAliveInterval` in which it sent none: or a host that
 *                   has died would be a session for ever
 *
 * Read off what the node takes in and writes, so it is judged of every client, not of dead ones alone. While a
 * node is paused or slow its timers are late, and nothing is said of it.
 */
import type { Plan } from "../plan.ts";
import { NS } from "../../src/xmpp/namespaces.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";
import type { Gathered, Oracle } from "./oracle.ts";
import { Pace } from "./pace.ts";
import { Unwritten } from "./unwritten.ts";
import type { Written } from "./written.ts";

interface Served {
  readonly node: string;
  readonly login: string;
  readonly openedAt: number;
  boundAt: number | undefined;
  /** When its node closed the stream of a client that was not bound. */
  turnedAwayAt: number | undefined;
  congestedAt: number | undefined;
  /** Since when it may be given the rest of what waits, piece by piece. */
  drainedAt: number;
  /** What its node had taken in when it first was, nothing having waited. */
  takenBefore: number;
  /** Before it was bound: what it then waits for is told apart by nobody. */
  everCongested: boolean;
  /** Anything taken in or written. */
  lastSignAt: number;
}

/** For its closing tag in answer to the node's (RFC 6120 §4.4). */
const closeGraceMs = 5_000;
/** Clocks may run a hundredth too fast or too slow; a turn ends when it ends. */
const tolerance = 0.02;
const slackMs = 500;
/** An answer may be so many times as long as what it answers, and some come without any. */
const growth = 3;
const slackBytes = 2_000;
/** Of the answers that tell of what a link has handed back. */
const returnedBytes = 1_000;
/** So long after it stood still a node may read late what had come by then. */
const disturbedMs = 10_000;

class Patience implements Oracle {
  readonly name = "patience";
  readonly counts = "waits for clients";
  readonly sees: readonly TraceKind[];
  static readonly #kinds: readonly TraceKind[] = [
    "connection-opened",
    "peer-down",
    "bytes-received",
    "bytes-sent",
    "input-paused",
    "input-resumed",
    "connection-congested",
    "connection-drained",
    "close-asked",
    "connection-closed",
    "node-paused",
    "node-resumed",
    "node-slowed",
    "node-recovered",
    "shutdown-requested",
    "node-killed",
    "node-stopped",
    "registry-observed",
  ];
  readonly #limits: Plan["limits"];
  readonly #pace: Pace;
  readonly #unwritten: Unwritten;
  /** Of long messages: each client may have one whose beginning its node took in before anything waited. */
  readonly #begunBytes: number;
  readonly #served = new Map<number, Served>();
  /** Closed in this step: what was written before it is told after it. */
  readonly #closing = new Map<number, Served>();
  /** By node: `paused`, `slow`, or both at once. */
  readonly #troubles = new Map<string, Set<"paused" | "slow">>();
  /** Until when each node was either. */
  readonly #disturbedUntil = new Map<string, number>();
  /** By node: bytes that it has taken in, from anybody, and what links gave back. */
  readonly #taken = new Map<string, number>();
  readonly #failures: string[] = [];
  #judged = 0;
  #now = 0;

  constructor(plan: Plan, written: Written) {
    const { limits, clients } = plan;
    this.#begunBytes = clients.reduce((bytes, { behaviour }) => {
      return bytes + ("longBytes" in behaviour ? (behaviour.longBytes ?? 0) : 0);
    }, 0);
    this.#unwritten = new Unwritten(plan, written);
    this.sees = [...Patience.#kinds, ...this.#unwritten.sees];
    this.#limits = limits;
    this.#pace = new Pace(limits.maxRate);
  }

  see(event: TraceEvent): void {
    this.#unwritten.see(event);
    const { kind, data, at, place } = event;
    this.#now = at;
    switch (kind) {
      case "connection-opened":
        this.#pace.see(event);
        if (data.listener !== "cluster") this.#served.set(data.connection, served(place, data, at));
        return;
      case "peer-down":
        return this.#takes(place, data.undelivered * returnedBytes);
      case "bytes-received":
        this.#takes(place, data.bytes.length);
        this.#paced(data.connection, this.#pace.see(event));
        return this.#sign(data.connection, at);
      case "input-paused":
      case "input-resumed":
        return this.#paced(data.connection, this.#pace.see(event));
      case "bytes-sent":
        return this.#wrote(data.connection, data.data, at);
      case "connection-congested":
        return this.#congested(data.connection, at);
      case "connection-drained":
        return this.#congested(data.connection, undefined);
      case "close-asked":
        return this.#closes(data.connection);
      case "connection-closed":
        this.#closing.delete(data.connection);
        return this.#forget(data.connection);
      case "node-paused":
      case "node-resumed":
        return this.#troubled(place, "paused", kind === "node-paused");
      case "node-slowed":
      case "node-recovered":
        return this.#troubled(place, "slow", kind === "node-slowed");
      case "shutdown-requested":
      case "node-killed":
      case "node-stopped":
        for (const [connection, { node }] of this.#served) {
          if (node === place) this.#served.delete(connection);
        }
    }
  }

  judge(): { judged: number; unknown: number; failures: readonly string[] } {
    for (const connection of [...this.#served.keys()]) this.#forget(connection);
    return { judged: this.#judged, unknown: 0, failures: this.#failures };
  }

  #troubled(node: string, trouble: "paused" | "slow", begins: boolean): void {
    const troubles = this.#troubles.get(node) ?? new Set();
    if (begins) troubles.add(trouble);
    else troubles.delete(trouble);
    this.#troubles.set(node, troubles);
    this.#disturbedUntil.set(node, troubles.size > 0 ? Infinity : this.#now + slackMs);
  }

  #sign(connection: number, at: number): void {
    const client = this.#served.get(connection);
    if (client === undefined) return;
    this.#look(client);
    client.lastSignAt = at;
  }

  #wrote(connection: number, data: string, at: number): void {
    const leaving = this.#closing.get(connection);
    if (leaving !== undefined) return this.#givenUp(leaving, connection, data, at);
    const client = this.#served.get(connection);
    if (client === undefined) return;
    this.#look(client);
    client.lastSignAt = at;
    if (client.boundAt === undefined && data.includes("<jid>") && data.includes(NS.bind)) {
      client.boundAt = at;
    }
    if (client.boundAt === undefined && closesStream(data)) client.turnedAwayAt ??= at;
    this.#givenUp(client, connection, data, at);
  }

  /** Is it told that it does not read, and is that so? */
  #givenUp(client: Served, connection: number, data: string, at: number): void {
    if (data.includes("bytes wait to be read")) return this.#tooMuch(client, connection);
    if (!data.includes("Nothing was read for")) return;
    const { congestedAt } = client;
    if (congestedAt === undefined) return this.#fail(client, "was given up, though it reads");
    const waited = at - Math.max(congestedAt, client.boundAt ?? 0);
    if (waited >= this.#limits.sendTimeout * (1 - tolerance) - slackMs) return;
    this.#fail(client, `was given up after ${waited} ms in which it read nothing`);
  }

  /** It is said to have more waiting for it than is allowed. */
  #tooMuch(client: Served, connection: number): void {
    const waiting = this.#unwritten.bound(connection);
    const taken = (this.#taken.get(client.node) ?? 0) - client.takenBefore;
    const mayWait = taken * growth + slackBytes + this.#begunBytes;
    if (client.congestedAt === undefined && this.#isOver(client, client.drainedAt, 0)) {
      this.#fail(client, "was given up for what waited, though it reads");
    } else if (mayWait < this.#limits.maxSendQueue) {
      this.#fail(client, `was given up for what waited, though ${taken} bytes have come since`);
    } else if (waiting !== undefined && waiting + slackBytes < this.#limits.maxSendQueue) {
      this.#fail(client, `was given up for what waited, though at most ${waiting} bytes did`);
    }
  }

  #takes(node: string, bytes: number): void {
    this.#taken.set(node, (this.#taken.get(node) ?? 0) + bytes);
  }

  #congested(connection: number, since: number | undefined): void {
    const client = this.#served.get(connection);
    if (client === undefined) return;
    this.#look(client);
    if (since === undefined) client.drainedAt = this.#now;
    else if (this.#isOver(client, client.drainedAt, 0)) {
      client.takenBefore = this.#taken.get(client.node) ?? 0;
    }
    client.congestedAt = since;
    client.everCongested = true;
    client.lastSignAt = this.#now;
  }

  #closes(connection: number): void {
    const client = this.#served.get(connection);
    if (client !== undefined) this.#closing.set(connection, client);
    this.#forget(connection);
  }

  #forget(connection: number): void {
    const client = this.#served.get(connection);
    if (client !== undefined) this.#look(client);
    this.#paced(connection, this.#pace.late(connection, this.#now));
    this.#pace.forget(connection);
    this.#served.delete(connection);
  }

  /** What is wrong with how its client is read; a node that stands still or is slow reads when it can. */
  #paced(connection: number, what: string | undefined): void {
    const client = this.#served.get(connection);
    if (what === undefined || client === undefined) return;
    const undisturbedFor = this.#now - (this.#disturbedUntil.get(client.node) ?? -Infinity);
    if (undisturbedFor < disturbedMs) return;
    this.#fail(client, what);
  }

  /** Until now nothing had changed since the last look. */
  #look(client: Served): void {
    const { negotiationTimeout, sendTimeout, keepAliveInterval } = this.#limits;
    const { boundAt, turnedAwayAt, congestedAt, everCongested, openedAt, lastSignAt } = client;
    this.#judged += 1;
    if (boundAt === undefined) {
      const [since, limit] =
        turnedAwayAt === undefined ? [openedAt, negotiationTimeout] : [turnedAwayAt, closeGraceMs];
      if (everCongested || !this.#isOver(client, since, limit)) return;
      return this.#fail(client, "is not bound, and was not given up");
    }
    if (congestedAt === undefined) {
      if (!this.#isOver(client, Math.max(lastSignAt, boundAt), keepAliveInterval)) return;
      return this.#fail(client, `had no sign of life since ${lastSignAt} ms`);
    }
    if (!this.#isOver(client, Math.max(congestedAt, boundAt), sendTimeout)) return;
    this.#fail(client, `reads nothing since ${congestedAt} ms, and was not given up`);
  }

  #isOver({ node }: Served, since: number, limit: number): boolean {
    if ((this.#disturbedUntil.get(node) ?? 0) > since) return false;
    return this.#now > since + limit * (1 + tolerance) + slackMs;
  }

  #fail({ node, login }: Served, what: string): void {
    this.#failures.push(`${login} at ${node} ${what} (${this.#now} ms)`);
  }
}

function served(node: string, { login }: { readonly login: string }, at: number): Served {
  return {
    node,
    login,
    openedAt: at,
    lastSignAt: at,
    everCongested: false,
    boundAt: undefined,
    turnedAwayAt: undefined,
    congestedAt: undefined,
    drainedAt: -Infinity,
    takenBefore: 0,
  };
}

/** Over TCP, or over a WebSocket (RFC 7395 §3.6). */
function closesStream(data: string): boolean {
  return data.includes("</stream:stream>") || data.includes(`<close xmlns='${NS.framing}'`);
}

export function patience(plan: Plan, { written }: Pick<Gathered, "written">): Oracle {
  return new Patience(plan, written);
}
