/** Refusals: is everything that no client may send refused, in the words that the RFC demands? */
import { attackOf } from "../workloads/attacks.ts";
import type { OracleMaker } from "./oracle.ts";
import { traffic } from "../trace.ts";

/** An attack this close to the end, or that met a broken network, cannot be judged. */
const answeredWithinMs = 15_000;

/** How long the last packets of a process may be under way. */
const lastWordsMs = 10_000;

/** The network or the database was in trouble. */
const inconclusive = [
  "connection reset",
  "connection vanished",
  "connection gave up",
  "connection-timeout",
  "temporary-auth-failure",
];

export const refusals: OracleMaker = ({ topology }) => {
  const open = new Map<string, { attack: string; at: number }>();
  const failures: string[] = [];
  /** Until when a node's closing of a stream says nothing: it is stopping, stands still, has just died or begins. */
  const endingUntil = new Map<string, number>();
  const nodes = new Map<string, string>();
  let judged = 0;
  let unknown = 0;
  let lastAt = 0;
  return {
    name: "refusals",
    counts: "attacks",
    ignores: traffic,
    see({ kind, data, at, place }) {
      lastAt = at;
      // A node of a cluster serves nobody before it is registered.
      if (kind === "node-started" && topology.cluster !== undefined)
        endingUntil.set(place, Number.MAX_SAFE_INTEGER);
      if (kind === "cluster-joined") endingUntil.delete(place);
      if (kind === "shutdown-requested" || kind === "node-paused")
        endingUntil.set(place, Number.MAX_SAFE_INTEGER);
      if (kind === "node-killed" || kind === "node-stopped" || kind === "node-resumed")
        endingUntil.set(place, at + lastWordsMs);
      if (kind === "login-started") nodes.set(data.login, data.node);
      if (kind === "attack-sent") open.set(data.login, { attack: data.attack, at });
      if (kind !== "attack-answered") return;
      open.delete(data.login);
      const stopping = at <= (endingUntil.get(nodes.get(data.login) ?? "") ?? -1);
      if (stopping || inconclusive.includes(data.answer)) {
        unknown += 1;
        return;
      }
      judged += 1;
      const right = attackOf(data.attack)?.answers ?? [];
      if (!right.includes(data.answer)) {
        failures.push(`${data.login}: ${data.attack} was answered ${data.answer} at ${at} ms`);
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
};
