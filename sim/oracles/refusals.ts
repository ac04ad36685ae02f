/** Refusals: is everything that no client may send refused, in the words that the RFC demands? */
import { clientOf } from "../kit/network.ts";
import { attackOf } from "../workloads/attacks.ts";
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
  const troubles = new Troubles();
  let judged = 0;
  let unknown = 0;
  let lastAt = 0;
  return {
    name: "refusals",
    counts: "attacks",
    sees: own,
    see({ kind, data, at, place }) {
      lastAt = at;
      switch (kind) {
        case "node-started":
          // A node of a cluster serves nobody before it is registered.
          if (topology.cluster !== undefined) troubles.begin(place);
          break;
        case "shutdown-requested":
        case "node-paused":
          troubles.begin(place);
          break;
        case "cluster-joined":
        case "node-killed":
        case "node-stopped":
        case "node-resumed":
          troubles.end(place, at);
          break;
        case "fault-started":
          for (const host of hostsOf(data.target)) troubles.begin(host);
          break;
        case "fault-ended":
          for (const host of hostsOf(data.target)) troubles.end(host, at);
          break;
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
        else failures.push(`${login}: ${attack}, sent at ${at} ms, was never refused`);
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
      failures.push(`${login}: ${attack} was answered ${answer} at ${at} ms`);
    }
  }
};

/** Who could not speak or hear, or had just died, since when: it may have been answered and not know it. */
class Troubles {
  readonly #open = new Map<string, number>();
  readonly #over = new Map<string, number>();

  begin(host: string): void {
    this.#open.set(host, (this.#open.get(host) ?? 0) + 1);
  }

  end(host: string, at: number): void {
    this.#open.set(host, Math.max(0, (this.#open.get(host) ?? 0) - 1));
    this.#over.set(host, at + lastWordsMs);
  }

  /** Has it been in trouble at that moment or later? */
  since(host: string, at: number): boolean {
    return (this.#open.get(host) ?? 0) > 0 || (this.#over.get(host) ?? -1) >= at;
  }
}

/** The connection went, or the node, whatever had been sent. */
function isNoAnswer(answer: string): boolean {
  return answer.startsWith("connection ") || answer === "system-shutdown";
}

function hostsOf(target: string): readonly string[] {
  return target.split(/[>~|,]/);
}
