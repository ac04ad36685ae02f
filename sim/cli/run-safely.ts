/** Run safely: what came of a run that the simulator itself could not bring to its end? */
import type { Plan } from "../plan.ts";
import { run, type Outcome, type RunOptions } from "../run.ts";
import { runPorts } from "./ports.ts";

/** `thrown`: what the simulator threw, for its stack; missing where it came to its end. */
export type SafeOutcome = Outcome & { readonly thrown?: unknown };

/** Never throws: what the simulator itself throws is a failure named `uncaught`. */
export function runSafely(plan: Plan, options: Partial<RunOptions> = {}): SafeOutcome {
  try {
    return run(plan, { ...runPorts(), ...options });
  } catch (error) {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { ...failedOutcome(`the simulator threw ${what}`), thrown: error };
  }
}

/** Of a run of which nothing else is known. */
export function failedOutcome(what: string): Outcome {
  return {
    hash: "",
    failures: [{ oracle: "uncaught", what }],
    verdicts: {},
    probes: new Map(),
    stats: { events: 0, traced: 0, simulatedMs: 0 },
  };
}
