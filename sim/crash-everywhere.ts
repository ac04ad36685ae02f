/**
 * Crash everywhere: what if a node dies just after this event, and after that one, and the next?
 *
 * A plan is run once, to learn when in a stretch of time something reached a node; then once for each of
 * these moments, with one row of the plan more: the node crashes there. So each crash is a plan like any
 * other, to be replayed and shrunk. `CrashStates` tells in which state of the protocol a node was hit.
 */
import type { Instant } from "../src/base/time.ts";
import type { FaultPlan, Plan } from "./plan.ts";
import type { TraceEvent, TraceKind, TraceSink } from "./trace.ts";

export interface Stretch {
  readonly plan: Plan;
  /** Nodes that are hit, one in each run. */
  readonly victims: readonly string[];
  readonly from: Instant;
  readonly to: Instant;
}

export interface CrashMoment {
  readonly node: string;
  readonly at: Instant;
  readonly state: string;
}

/** How it dies and when its successor starts. */
export interface CrashVariant {
  readonly machineToo: boolean;
  readonly restartAfterMs: number;
}

/** What reaches a node: each of these may change its state. */
const inputs: ReadonlySet<TraceKind> = new Set<TraceKind>([
  "connection-opened",
  "bytes-received",
  "tls-established",
  "connection-closed",
  "dial-failed",
  "query-answered",
  "query-failed",
  "key-derived",
  "deadline-reached",
]);

/** The moments just after an event, one for each millisecond that had any; `run` runs a plan. */
export function crashMoments(
  { plan, victims, from, to }: Stretch,
  run: (plan: Plan, sink: TraceSink) => void,
): readonly CrashMoment[] {
  const states = new CrashStates();
  const moments = new Map<string, CrashMoment>();
  let touched = new Set<string>();
  let now = 0;
  const close = (): void => {
    for (const node of touched) {
      // At this time its row comes before whatever else is due then.
      const at = now + 1;
      moments.set(`${node} ${at}`, { node, at, state: states.of(node) });
    }
    touched = new Set();
  };
  run(plan, (event) => {
    if (event.at > now) close();
    now = event.at;
    states.see(event);
    if (event.at < from || event.at >= to || !victims.includes(event.place)) return;
    if (inputs.has(event.kind)) touched.add(event.place);
  });
  return [...moments.values()];
}

export function withCrash(plan: Plan, moment: CrashMoment, variant: CrashVariant): Plan {
  const row: FaultPlan = {
    kind: "node-crash",
    target: moment.node,
    startAt: moment.at,
    endAt: moment.at + variant.restartAfterMs,
    amount: variant.machineToo ? 1 : 0,
  };
  return { ...plan, faults: [...plan.faults, row] };
}

/** At most so many, spread evenly, but first one of each state. */
export function fewMoments(moments: readonly CrashMoment[], most: number): readonly CrashMoment[] {
  const chosen = new Set<CrashMoment>();
  const known = new Set<string>();
  for (const moment of moments) {
    const state = `${moment.node} ${moment.state}`;
    if (known.has(state) || chosen.size >= most) continue;
    known.add(state);
    chosen.add(moment);
  }
  const rest = moments.filter((moment) => !chosen.has(moment));
  const wanted = Math.min(most - chosen.size, rest.length);
  for (let index = 0; index < wanted; index++) {
    const moment = rest[Math.trunc((index * rest.length) / wanted)];
    if (moment !== undefined) chosen.add(moment);
  }
  return moments.filter((moment) => chosen.has(moment));
}

interface NodeState {
  readonly links: Set<number>;
  readonly peers: Set<string>;
  readonly loading: Set<string>;
  readonly shown: Set<string>;
  readonly settling: Set<number>;
  records: number;
}

/** What a node has reached of joining, syncing and binding, as a short text. */
export class CrashStates {
  readonly #nodes = new Map<string, NodeState>();
  readonly #homes = new Map<string, string>();
  readonly #stages = new Map<string, string>();

  of(node: string): string {
    const state = this.#nodes.get(node);
    if (state === undefined) return "down";
    const { links, peers, loading, shown, settling, records } = state;
    const logins = [...this.#homes]
      .filter(([, home]) => home === node)
      .map(([login]) => this.#stages.get(login) ?? "")
      .filter((stage) => stage !== "ended")
      .toSorted();
    const counts = `links ${links.size} peers ${peers.size} loading ${loading.size} shown ${shown.size}`;
    return `${counts} settling ${settling.size} records ${records} logins ${logins.join(",")}`;
  }

  see({ kind, data, place }: TraceEvent): void {
    if (kind === "node-started") return void this.#nodes.set(place, emptyState());
    if (kind === "node-killed" || kind === "node-stopped") return void this.#nodes.delete(place);
    this.#seeLogin(kind, data as { login?: string; node?: string });
    const state = this.#nodes.get(place);
    if (state === undefined) return;
    switch (kind) {
      case "connection-opened":
        if (data.listener === "cluster") state.links.add(data.connection);
        return;
      case "connection-closed":
        return void state.links.delete(data.connection);
      case "peer-up":
        return void state.peers.add(data.peer);
      case "peer-down":
        return void state.peers.delete(data.peer);
      case "table-loading":
        return void state.loading.add(data.owner);
      case "table-seen":
        state.loading.delete(data.owner);
        return void state.shown.add(data.owner);
      case "table-hidden":
        return void state.shown.delete(data.owner);
      case "settle-asked":
        return void state.settling.add(data.request);
      case "settled":
        return void state.settling.delete(data.request);
      case "table-written":
        state.records += data.deleted ? -1 : 1;
        return;
      default:
        return;
    }
  }

  #seeLogin(kind: TraceKind, { login = "", node = "" }: { login?: string; node?: string }): void {
    if (kind === "login-started") this.#homes.set(login, node);
    const stage = stages[kind];
    if (stage !== undefined) this.#stages.set(login, stage);
  }
}

const stages: Partial<Record<TraceKind, string>> = {
  "login-started": "connecting",
  "login-secured": "secured",
  "login-authenticated": "authenticated",
  "login-bound": "bound",
  "login-ended": "ended",
};

function emptyState(): NodeState {
  return {
    links: new Set(),
    peers: new Set(),
    loading: new Set(),
    shown: new Set(),
    settling: new Set(),
    records: 0,
  };
}
