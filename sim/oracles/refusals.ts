/** Refusals: is everything that no client may send refused, in the words that the RFC demands? */
import { attackOf } from "../workloads/attacks.ts";
import type { Oracle } from "./oracle.ts";

/** An attack this close to the end, or that met a broken network, cannot be judged. */
const answeredWithinMs = 15_000;

/** The network or the database was in trouble. */
const inconclusive = [
  "connection reset",
  "connection vanished",
  "connection gave up",
  "connection-timeout",
  "temporary-auth-failure",
];

export function refusals(): Oracle {
  const open = new Map<string, { attack: string; at: number }>();
  const failures: string[] = [];
  let judged = 0;
  let unknown = 0;
  let lastAt = 0;
  return {
    name: "refusals",
    counts: "attacks",
    see({ kind, data, at }) {
      lastAt = at;
      if (kind === "attack-sent") open.set(data.login, { attack: data.attack, at });
      if (kind !== "attack-answered") return;
      open.delete(data.login);
      if (inconclusive.includes(data.answer)) {
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
}
