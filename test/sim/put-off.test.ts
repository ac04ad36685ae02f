/** Who guesses passwords and is put off: for how long, and what the oracle says of a node that forgets nothing. */
import { expect, test } from "vitest";
import { PutOff } from "../../sim/oracles/put-off.ts";
import { planFromSeed } from "../../sim/plan-from-seed.ts";
import type { Plan } from "../../sim/plan.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../../sim/trace.ts";

const drawn = planFromSeed(1);
const base = {
  ...{ nodes: ["n1"], roams: false, user: "u", resource: "x", startAt: 0 },
  mechanism: "PLAIN",
} as const;
const plan: Plan = {
  ...drawn,
  limits: { ...drawn.limits, failedLogins: { max: 2, period: 2_000 } },
  clients: [{ ...base, name: "eve", behaviour: { kind: "impostor", everyMs: [1, 1] } }],
};
const failed = "<failure xmlns='x'><not-authorized/></failure>";
const putOff =
  "<failure xmlns='x'><temporary-auth-failure/><text>Too many failed logins from …</text></failure>";

/** What the oracle says of each thing that a node writes to one login, at its time. */
function said(login: string, ...written: readonly (readonly [at: number, data: string])[]) {
  const oracle = new PutOff(plan);
  const see = <K extends TraceKind>(at: number, kind: K, data: TraceKinds[K]) =>
    oracle.see({ at, place: "n1", kind, data } as unknown as TraceEvent);
  see(0, "connection-opened", { connection: 1, login, listener: "c2s", dial: 0 });
  const all = written.map(([at, data]) => see(at, "bytes-sent", { connection: 1, data }));
  return { judged: oracle.judged, wrong: all.filter((each) => each !== undefined) };
}

test("put off: as long as failures are remembered, and no longer", () => {
  expect(said("eve#1", [0, failed], [1_900, putOff])).toEqual({ judged: 1, wrong: [] });
  expect(said("eve#1", [0, failed], [1_000, failed], [2_900, putOff]).wrong).toEqual([]);
  expect(said("eve#1", [0, failed], [2_900, putOff])).toEqual({
    judged: 1,
    wrong: ["eve at n1 was put off at 2900 ms, though it has not failed since 0 ms"],
  });
  expect(said("eve#1", [2_900, putOff]).wrong).toHaveLength(1);
});

test("put off: what others are told is not judged, nor is anything where no limit is drawn", () => {
  expect(said("alice#1", [0, failed], [9_000, putOff])).toEqual({ judged: 0, wrong: [] });
  const { failedLogins: _, ...limits } = plan.limits;
  expect(new PutOff({ ...plan, limits }).sees).toEqual([]);
});
