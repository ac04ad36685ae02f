/**
 * Oracle: what must be true of every run, and how much was there to judge?
 *
 * An oracle reads the trace and nothing else. "Nothing bad happened" is also true where nothing
 * happened, so each counts what it judged; what cannot be known (a message in flight to a host that
 * died) is counted apart and never called right or wrong.
 */
import type { Plan } from "../plan.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";
import type { Logins } from "./logins.ts";
import type { Presences } from "./presences.ts";
import type { Replicas } from "./replicas.ts";
import type { Written } from "./written.ts";

export interface Verdict {
  /** How many things were judged, right or wrong. */
  readonly judged: number;
  /** Of a second subject, where there is one: what it counts, and how many of that were judged. */
  readonly also?: Readonly<Record<string, number>>;
  /** How many could not be. */
  readonly unknown: number;
  readonly failures: readonly string[];
  /** Of an oracle with a bound on recovery: after how many milliseconds each was well, the heal being 0. */
  readonly recoveredMs?: readonly number[];
}

export interface Oracle {
  readonly name: string;
  /** What `judged` counts, in the plural. */
  readonly counts: string;
  /**
   * Kinds that it has a use for, with those of what it gathers. It need not be shown others, which is for speed alone.
   */
  readonly sees: readonly TraceKind[];
  see(event: TraceEvent): void;
  /**
   * Called once, after the last event. `cut`: the run was ended before its time, so that nothing is missed which may
   * yet come; what has gone wrong already has.
   */
  judge(cut?: boolean): Verdict;
}

/**
 * What the oracles of one run gather together. Each shows it every event before it looks; only the first
 * time counts, so an oracle may as well be alone.
 */
export interface Gathered {
  readonly replicas: Replicas;
  readonly logins: Logins;
  readonly written: Written;
  readonly presences: Presences;
}

export type OracleMaker = (plan: Plan, gathered: Gathered) => Oracle;
