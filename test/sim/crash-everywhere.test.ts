/**
 * A node crashes just after each event of joining, syncing, binding and a conflict; all oracles judge.
 *
 * By default each stretch is hit where its states differ and here and there besides, with one of four ways to
 * die and return; `CRASH_EVERYWHERE=all` hits every moment in all four ways (minutes).
 */
import { expect, test } from "vitest";
import {
  CrashStates,
  crashMoments,
  fewMoments,
  withCrash,
  type CrashMoment,
  type CrashVariant,
} from "../../sim/crash-everywhere.ts";
import { runPorts } from "../../sim/cli/ports.ts";
import type { Plan } from "../../sim/plan.ts";
import { run } from "../../sim/run.ts";
import type { TraceSink } from "../../sim/trace.ts";
import { stretches } from "./crash-stretches.ts";

const ports = runPorts();
const whole = process.env["CRASH_EVERYWHERE"] === "all";
/** Of each stretch. */
const most = 16;

const variants: readonly CrashVariant[] = [
  { machineToo: false, restartAfterMs: 1 },
  { machineToo: true, restartAfterMs: 6_000 },
  { machineToo: true, restartAfterMs: 50 },
  { machineToo: false, restartAfterMs: 6_000 },
];

const learn = (plan: Plan, sink: TraceSink): void =>
  void run(plan, { ...ports, judge: false, sinks: [sink] });

/** In which state the victim was when it died, and what the oracles say. */
function crash(plan: Plan, victim: string) {
  const states = new CrashStates();
  let hit: string | undefined;
  const outcome = run(plan, {
    ...ports,
    sinks: [
      (event) => {
        if (event.kind === "node-killed" && event.place === victim) hit = states.of(victim);
        states.see(event);
      },
    ],
  });
  return { hit, failures: outcome.failures };
}

test.each(Object.entries(stretches))("crash everywhere: %s", { timeout: 600_000 }, (_, stretch) => {
  expect(run(stretch.plan, ports).failures).toEqual([]);
  const moments = crashMoments(stretch, learn);
  expect(moments.length).toBeGreaterThan(10);
  const hits = new Set<string>();
  const chosen = whole ? moments : fewMoments(moments, most);
  chosen.forEach((moment: CrashMoment, index) => {
    for (const variant of whole ? variants : [variants[index % variants.length]]) {
      if (variant === undefined) continue;
      const plan = withCrash(stretch.plan, moment, variant);
      const { hit, failures } = crash(plan, moment.node);
      // The plan is in the message, so that it can be saved and given to `npm run sim -- replay`.
      const told = failures.length === 0 ? "" : JSON.stringify(plan);
      expect({ moment, variant, failures, told }).toEqual({ moment, variant, failures: [], told });
      expect(hit).toBe(moment.state);
      hits.add(`${moment.node} ${hit}`);
    }
  });
  expect(hits.size).toBeGreaterThan(6);
});
