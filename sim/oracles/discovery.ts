/**
 * Discovery: does a node look who else is there as often as it should, no more, and keep its row meanwhile?
 *
 * After its start and after the loss of a link it looks every few seconds for a while, then seldom: but so often
 * that several looks may fail before its row expires. Judged are looks between which nothing has
 * befallen the node, the database or what lists the nodes; and a row that was lost though nothing had since it may
 * last have been refreshed.
 */
import { discoveryTiming } from "../../src/cluster/discovery.ts";
import { Calm } from "./calm.ts";
import { refreshNode } from "../../src/storage/discovery.ts";
import { clientFaultKinds, type ClusterPlan, type FaultKind, type Plan } from "../plan.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";
import type { Gathered, Oracle, OracleMaker, Verdict } from "./oracle.ts";
import type { Replicas } from "./replicas.ts";

/** They keep no node from looking, nor anybody from answering. */
const harmless: ReadonlySet<FaultKind> = new Set<FaultKind>([
  ...clientFaultKinds,
  ...(["split", "one-way-cut", "bridge", "ring", "flapping", "clock-jump"] as const),
  ...(["link-reset", "link-half-open", "link-latency", "link-bandwidth"] as const),
]);

/** A clock may run a hundredth too fast or too slow. */
const tolerance = 0.02;
/** What a look takes, and its turn. */
const slackMs = 2_000;

const often = discoveryTiming.quickInterval;

/** How long a node waits between two looks once it looks seldom. */
export function seldomMs({ topology }: Plan): number {
  const { quickInterval, slowInterval, expireAfter } = discoveryTiming;
  const expires = topology.cluster?.expireAfter ?? expireAfter;
  return Math.max(quickInterval, Math.min(slowInterval, expires / 8));
}

interface Watched {
  readonly joinedAt: number;
  /** Until when it looks often. */
  oftenUntil: number;
  lookedAt: number | undefined;
  /** `oftenUntil`, when it last looked. */
  knewUntil: number;
  /** When the first link since then was lost. */
  lostAt: number | undefined;
}

export const discovery: OracleMaker = (plan, gathered) => new Discovery(plan, gathered);

class Discovery implements Oracle {
  readonly name = "discovery";
  readonly counts = "looks for other nodes";
  readonly sees: readonly TraceKind[];
  readonly #replicas: Replicas;
  readonly #cluster: ClusterPlan | undefined;
  readonly #noisy: boolean;
  readonly #seldom: number;
  readonly #quickFor: number;
  readonly #calm = new Calm();
  /** By node, when its process began. */
  readonly #startedAt = new Map<string, number>();
  /** By node, of its process. */
  readonly #watched = new Map<string, Watched>();
  readonly #failures: string[] = [];
  #judged = 0;
  #endedAt = 0;

  constructor(plan: Plan, { replicas }: Gathered) {
    const { cluster, network } = plan.topology;
    this.sees = [
      ...replicas.sees,
      ...([
        "node-started",
        "fault-started",
        "fault-ended",
        "shutdown-requested",
        "peer-down",
        "logged",
      ] as const),
      ...(["query-sent", "query-failed", "host-resolved", "file-read", "lookup-failed"] as const),
    ];
    this.#replicas = replicas;
    this.#cluster = cluster;
    this.#noisy = network.noise !== undefined;
    this.#seldom = seldomMs(plan);
    this.#quickFor = cluster?.bounds?.quickFor ?? discoveryTiming.quickFor;
  }

  see(event: TraceEvent): void {
    this.#replicas.see(event);
    const { kind, data, at, place } = event;
    this.#endedAt = at;
    switch (kind) {
      case "fault-started":
      case "fault-ended": {
        if (harmless.has(data.fault)) return;
        const target = data.target === "database" ? "all" : data.target;
        return this.#calm.disturb(target, at, kind === "fault-started" ? 1 : -1);
      }
      case "node-started":
        return void this.#startedAt.set(place, at);
      case "cluster-joined":
        return this.#joined(place, at);
      case "node-killed":
      case "node-stopped":
      case "shutdown-requested":
        return void this.#watched.delete(place);
      case "peer-down":
        return this.#lostLink(place, at);
      case "query-sent":
        if (data.statements.includes(refreshNode.name)) this.#looked(place, at);
        return;
      case "host-resolved":
        return data.addresses.length === 0 ? this.#failed(place) : this.#looked(place, at);
      case "file-read":
        return /^[^#\s]/m.test(data.text) ? this.#looked(place, at) : this.#failed(place);
      case "query-failed":
      case "lookup-failed":
        return this.#failed(place);
      case "logged":
        if (data.event === "registration-lost") this.#lostItsRow(place, at);
        return;
      default:
    }
  }

  judge(cut = false): Verdict {
    for (const [node, each] of cut || this.#noisy ? [] : this.#watched) {
      const { lookedAt } = each;
      if (lookedAt === undefined || !this.#isCalm(node, lookedAt)) continue;
      if (late(this.#endedAt - lookedAt, this.#bounds(each)[1])) {
        this.#failures.push(`${node} looked for others at ${lookedAt} ms, and never since`);
      }
    }
    return { judged: this.#judged, unknown: 0, failures: this.#failures };
  }

  /** Since then nothing has befallen it. */
  #isCalm(node: string, since: number): boolean {
    const process = this.#replicas.running.get(node);
    const awake = process !== undefined && !process.paused && process.awakeAt <= since;
    return awake && this.#calm.isCalm(node, this.#endedAt, this.#endedAt - since + 1);
  }

  #joined(node: string, at: number): void {
    const nothingYet = { lookedAt: undefined, knewUntil: 0, lostAt: undefined };
    // Whoever has long waited for the database has looked all the while.
    const oftenUntil = (this.#startedAt.get(node) ?? at) + this.#quickFor;
    this.#watched.set(node, { joinedAt: at, oftenUntil, ...nothingYet });
  }

  #lostLink(node: string, at: number): void {
    const each = this.#watched.get(node);
    if (each === undefined) return;
    each.oftenUntil = Math.max(each.oftenUntil, at + this.#quickFor);
    each.lostAt ??= at;
  }

  #looked(node: string, at: number): void {
    const each = this.#watched.get(node);
    if (each === undefined) return;
    const { lookedAt } = each;
    if (lookedAt !== undefined && !this.#noisy && this.#isCalm(node, lookedAt)) {
      this.#judged += 1;
      const [least, most] = this.#bounds(each);
      const gap = at - lookedAt;
      if (gap < least || late(gap, most)) {
        const right = `${Math.round(least)} to ${most} ms`;
        this.#failures.push(`${node} looked for others at ${at} ms, after ${gap} and not ${right}`);
      }
    }
    each.lookedAt = at;
    each.knewUntil = each.oftenUntil;
    each.lostAt = undefined;
  }

  /** The shortest time to the next look, and the longest. */
  #bounds({ lookedAt = 0, knewUntil, lostAt = Infinity }: Watched): [number, number] {
    const lostAfter = lostAt - lookedAt;
    // It decides when it has its answer, by its own clock.
    const aboutMs = slackMs + this.#quickFor * tolerance;
    const mayHurry = lookedAt < knewUntil + aboutMs || lostAfter < slackMs;
    const least = mayHurry ? often : Math.min(this.#seldom, lostAfter + often);
    const most = lookedAt + aboutMs < knewUntil ? often : this.#seldom;
    return [least * (1 - tolerance), Math.min(most, lostAfter + often)];
  }

  /** Then it tries again soon. */
  #failed(node: string): void {
    const each = this.#watched.get(node);
    if (each !== undefined) each.lookedAt = undefined;
  }

  /** Its row was not there, though nobody can have taken it. */
  #lostItsRow(node: string, at: number): void {
    const each = this.#watched.get(node);
    if (each === undefined || this.#cluster === undefined) return;
    each.lookedAt = undefined; // it registers again, and looks at once
    const since = at - this.#cluster.expireAfter - slackMs;
    if (this.#noisy || each.joinedAt > since || !this.#isCalm(node, since)) return;
    this.#failures.push(`${node} had lost its row at ${at} ms, though nothing kept it from it`);
  }
}

function late(gap: number, most: number): boolean {
  return gap > most * (1 + tolerance) + slackMs;
}
