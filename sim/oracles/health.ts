/**
 * Health: does a node say that it is alive while it runs, and that it is ready only when it is?
 *
 * Ready means: a process of a cluster has been told who else is there, has joined, shows what the others have,
 * and does not shut down. For those it waits a while from when it has heard of them, not for ever. A failed
 * look-up, a name without addresses and an empty file tell nobody of anybody. Once all is healed every node
 * has as long as links and tables have, then it must be ready.
 */
import { nameOf, type Replicas } from "./replicas.ts";
import { sessionTable } from "../../src/router/session-record.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../trace.ts";
import type { Plan, Topology } from "../plan.ts";
import type { Gathered, Oracle, OracleMaker, Verdict } from "./oracle.ts";

/** For discovery, links and the first tables after the heal. */
const boundMs = 30_000;

/** So long a node waits for another of which it has heard, give or take a clock that drifts. */
const patienceMs = 10_000;
const slackMs = 500;

/** The one that brings the list of nodes with it. */
const listingStatement = "refresh_discovery_node";
/** A line that is no comment. */
const namesNode = /^[^\S\n]*[^#\s]/m;

type Answer = TraceKinds["health-answered"];

interface Life {
  readonly startedAt: number;
  joined: boolean;
  joinedAt: number;
  /** It has been told of nodes. */
  listed: boolean;
  /** It has said so once: from then on it need not look. */
  ready: boolean;
  /** Peers with a session now. */
  readonly peers: Set<string>;
  /** Names of nodes whose records it has shown: that they may have gone since is no reason to wait. */
  readonly shown: Set<string>;
  stopping: boolean;
  /** Asked and not answered yet. */
  open: number;
  /** Requests to the database for the list of nodes. */
  readonly listings: Set<number>;
}

export const health: OracleMaker = (plan, gathered) => new Health(plan, gathered);

class Health implements Oracle {
  readonly name = "health";
  readonly counts = "answers to health checks";
  readonly sees: readonly TraceKind[];
  readonly #topology: Topology;
  readonly #healAt: number;
  /** Of a list that never changes, each node knows all others as soon as it knows itself. */
  readonly #constant: boolean;
  readonly #lives = new Map<string, Life>();
  readonly #replicas: Replicas;
  readonly #failures: string[] = [];
  #judged = 0;
  #unknown = 0;

  constructor({ topology, duration }: Plan, { replicas }: Gathered) {
    this.sees = [
      ...replicas.sees,
      "peer-up",
      "peer-down",
      "shutdown-requested",
      "health-asked",
      "health-answered",
      "host-resolved",
      "file-read",
      "query-sent",
      "query-answered",
      "query-failed",
    ];
    this.#replicas = replicas;
    this.#topology = topology;
    this.#healAt = duration.setUp + duration.safety;
    this.#constant = topology.cluster?.discovery === "static";
  }

  see(event: TraceEvent): void {
    this.#replicas.see(event);
    const { kind, data, at, place } = event;
    if (kind === "node-started") {
      const joined = this.#topology.cluster === undefined;
      this.#lives.set(place, {
        ...{ startedAt: at, joined, joinedAt: Infinity, listed: joined || this.#constant },
        ...{
          ready: false,
          stopping: false,
          open: 0,
          peers: new Set(),
          shown: new Set(),
          listings: new Set(),
        },
      });
      return;
    }
    const life = this.#lives.get(place);
    if (life === undefined) return;
    life.listed ||= listsNodes(event, life);
    switch (kind) {
      case "cluster-joined":
        life.joined = true;
        life.joinedAt = at;
        return;
      case "peer-up":
        life.peers.add(data.peer);
        return;
      case "peer-down":
        this.#noteShown(place, life);
        life.peers.delete(data.peer);
        return;
      case "shutdown-requested":
        life.stopping = true;
        return;
      case "node-killed":
      case "node-stopped":
        // What it was asked when it ended, nobody answers any more.
        this.#unknown += life.open;
        this.#lives.delete(place);
        return;
      case "health-asked":
        life.open += 1;
        return;
      case "health-answered":
        life.open -= 1;
        this.#judged += 1;
        this.#answered(place, life, data, at);
        return;
      default:
    }
  }

  judge(cut = false): Verdict {
    const failures = [...this.#failures];
    for (const [node, { open }] of this.#lives) {
      if (open > 0 && !cut) failures.push(`${node} has left ${open} health checks unanswered`);
    }
    return { judged: this.#judged, unknown: this.#unknown, failures };
  }

  #answered(place: string, life: Life, { path, status, body }: Answer, at: number): void {
    const said = `${place} answered ${status} to ${path} at ${at} ms`;
    const fail = (why: string): void => void this.#failures.push(`${said}${why}`);
    if (path === "/healthz") {
      if (status !== 200) fail("");
    } else if (status === 200) {
      if (!life.joined || !life.listed || life.stopping) return fail(` ${whyNot(life)}`);
      if (life.ready) return;
      life.ready = true;
      const missing = this.#notShown(place, life, at);
      if (missing !== undefined) fail(` before it showed ${missing}`);
    } else if (this.#waitsTooLong(life, body, at)) {
      fail(` although it has waited long enough: ${body}`);
    } else if (!life.stopping && at >= Math.max(this.#healAt, life.startedAt) + boundMs) {
      fail(` although all has long been well: ${body}`);
    }
  }

  #noteShown(place: string, { peers, shown }: Life): void {
    const self = this.#replicas.running.get(place);
    if (self === undefined) return;
    for (const peer of peers) {
      if (this.#replicas.view(self, sessionTable.name, peer) !== undefined) shown.add(nameOf(peer));
    }
  }

  /** Whom it should have waited for. */
  #notShown(place: string, life: Life, at: number): string | undefined {
    if (!this.#constant || at >= life.joinedAt + patienceMs - slackMs) return undefined;
    this.#noteShown(place, life);
    const names = this.#topology.nodes.map(({ name }) => name);
    return names.find((name) => name !== place && !life.shown.has(name));
  }

  #waitsTooLong({ joinedAt, ready }: Life, said: string, at: number): boolean {
    if (!this.#constant || !said.startsWith("Waiting")) return false;
    return ready || at > joinedAt + patienceMs + slackMs;
  }
}

/** Is it told here who else is there? */
function listsNodes({ kind, data }: TraceEvent, { listings }: Life): boolean {
  switch (kind) {
    case "host-resolved":
      return data.addresses.length > 0;
    case "file-read":
      return namesNode.test(data.text);
    case "query-sent":
      if (data.statements.includes(listingStatement)) listings.add(data.request);
      return false;
    case "query-answered":
      return listings.has(data.request);
    default:
      return false;
  }
}

function whyNot({ joined, listed }: Life): string {
  if (!joined) return "before it had joined";
  return listed ? "while it was stopping" : "before it knew who else is there";
}
