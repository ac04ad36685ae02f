/**
 * The first property of the project: whatever happens to nodes, links, clocks and clients, once it is over
 * every node knows the same sessions, and at no moment did one show what its owner had not had.
 *
 * The whole server runs, in clusters that fast-check makes; a failure shrinks to a small plan.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { runPorts } from "../sim/cli/ports.ts";
import { planProblem } from "../sim/plan-problem.ts";
import type { Plan } from "../sim/plan.ts";
import { run } from "../sim/run.ts";
import { clusterPlan } from "./arbitraries/plan.ts";

const ports = runPorts();

test("sessions: the table of every node converges on the live sessions, over any history", () => {
  let judged = 0;
  fc.assert(
    fc.property(clusterPlan({ nodesMax: 4, clientsMax: 5, faultsMax: 6 }), (plan: Plan) => {
      expect(planProblem(plan)).toBeUndefined();
      const { failures, verdicts } = run(plan, ports);
      judged += verdicts["convergence"]?.judged ?? 0;
      expect(failures).toEqual([]);
    }),
    // Also ends a long shrinking: what it has found by then is told.
    { numRuns: 30, interruptAfterTimeLimit: 90_000 },
  );
  expect(judged).toBeGreaterThan(100);
}, 120_000);
