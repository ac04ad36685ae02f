/** Refusals: is everything that no client may send refused, in the words that the RFC demands? */
import { clientOf } from "../kit/network.ts";
import { hostsOf } from "../kit/paths.ts";
import { attackOf } from "../workloads/attacks.ts";
import type { TraceEvent } from "../trace.ts";
import type { OracleMaker } from "./oracle.ts";

/** An attack this close to the end, or that met a broken network, cannot be judged. */
const answeredWithinMs = 15_000;

/** How long the last packets may be under way, once a trouble is over. */
const lastWordsMs = 10_000;

/** The network or the database was in trouble. */
const inconclusive = [
  "connection reset",
  "connection vanished",
  "connection gave up",
  "connection-timeout",
  "temporary-auth-failure",
];

/** The attacker has waited for as long as any answer takes. */
const gaveUp = "connection aborted";

/** The end of a process is the end of these. */
const ofLives = ["it starts", "it stops", "it is paused"];

/** What it has a use for of its own. */
const own = [
  "node-started",
  "shutdown-requested",
  "node-paused",
  "cluster-joined",
  "node-killed",
  "node-stopped",
  "node-resumed",
  "fault-started",
  "fault-ended",
  "login-started",
  "attack-sent",
  "attack-answered",
  "registry-observed",
] as const;

export const refusals: OracleMaker = ({ topology }) => {
  const open = new Map<string, { attack: string; at: number }>();
  const failures: string[] = [];
  const nodes = new Map<string, string>();
  const troubles = new Troubles(topology.cluster !== undefined);
  let judged = 0;
  let unknown = 0;
  let lastAt = 0;
  return {
    name: "refusals",
    counts: "attacks",
    sees: own,
    see(event) {
      const { kind, data, at } = event;
      lastAt = at;
      troubles.see(event);
      switch (kind) {
        case "login-started":
          nodes.set(data.login, data.node);
          break;
        case "attack-sent":
          open.set(data.login, { attack: data.attack, at });
          break;
        case "attack-answered":
          answered(data.login, data.attack, data.answer, at);
          break;
      }
    },
    judge() {
      for (const [login, { attack, at }] of open) {
        if (at > lastAt - answeredWithinMs) unknown += 1;
        else failures.push(neverRefused(login, attack, at));
      }
      return { judged, unknown, failures };
    },
  };

  function answered(login: string, attack: string, answer: string, at: number): void {
    const sentAt = open.get(login)?.at ?? at;
    open.delete(login);
    const right = attackOf(attack)?.answers ?? [];
    if (right.includes(answer)) judged += 1;
    else if (
      inconclusive.includes(answer) ||
      (isNoAnswer(answer) &&
        [clientOf(login), nodes.get(login) ?? ""].some((host) => troubles.since(host, sentAt)))
    ) {
      unknown += 1;
    } else {
      judged += 1;
      failures.push(
        answer === gaveUp
          ? neverRefused(login, attack, sentAt)
          : `${login}: ${attack} was answered ${answer} at ${at} ms`,
      );
    }
  }
};

/** The same words whether the run or the attacker's patience ended first: it is one failure. */
function neverRefused(login: string, attack: string, sentAt: number): string {
  return `${login}: ${attack}, sent at ${sentAt} ms, was never refused`;
}

/** Who could not speak or hear, or had just died, since when: it may have been answered and not know it. */
class Troubles {
  readonly #clustered: boolean;
  readonly #open = new Map<string, string[]>();
  readonly #over = new Map<string, number>();

  constructor(clustered: boolean) {
    this.#clustered = clustered;
  }

  see({ kind, data, at, place }: TraceEvent): void {
    switch (kind) {
      case "node-started":
        // A node of a cluster serves nobody before it is registered.
        if (this.#clustered) this.#begin(place, "it starts");
        break;
      case "shutdown-requested":
        this.#begin(place, "it stops");
        break;
      case "node-paused":
        this.#begin(place, "it is paused");
        break;
      case "cluster-joined":
        this.#end(place, "it starts", at);
        break;
      case "node-resumed":
        this.#end(place, "it is paused", at);
        break;
      case "node-killed":
      case "node-stopped":
        for (const why of ofLives) this.#end(place, why, at);
        break;
      case "fault-started":
        for (const host of hostsOf(data.target)) this.#begin(host, data.fault);
        break;
      case "fault-ended":
        for (const host of hostsOf(data.target)) this.#end(host, data.fault, at);
        break;
      default:
    }
  }

  #begin(host: string, why: string): void {
    const open = this.#open.get(host);
    if (open === undefined) this.#open.set(host, [why]);
    else open.push(why);
  }

  /** One trouble; the others of this host go on. */
  #end(host: string, why: string, at: number): void {
    const open = this.#open.get(host) ?? [];
    const index = open.indexOf(why);
    if (index >= 0) open.splice(index, 1);
    this.#over.set(host, at + lastWordsMs);
  }

  /** Has it been in trouble at that moment or later? */
  since(host: string, at: number): boolean {
    return (this.#open.get(host)?.length ?? 0) > 0 || (this.#over.get(host) ?? -1) >= at;
  }
}

/** The connection went, or the node, whatever had been sent; or who did not read was thrown out before. */
function isNoAnswer(answer: string): boolean {
  const ownReasons = ["system-shutdown", "resource-constraint"];
  return answer.startsWith("connection ") || ownReasons.includes(answer);
}
