/**
 * Database with faults: when is a request carried out, and when does which answer arrive?
 *
 * An engine executes a list of queries at once; this puts the distance between it and the node:
 * latency, a limit, a server that is down, and connections that die before or after the commit. A
 * request that ran into the limit may still be carried out afterwards, as in reality.
 */
import type { Database, DatabaseInput, Query, RequestId } from "../../src/ports/database.ts";
import type { Range } from "../plan.ts";
import type { Random } from "../kit/random.ts";
import type { World } from "../kit/world.ts";

/** The engine: all of the queries take effect, or none. */
export interface DatabaseEngine {
  execute(request: RequestId, queries: readonly Query[]): DatabaseInput;
}

export type Loss = "none" | "before-commit" | "after-commit";

export interface DatabaseFaultsOptions {
  readonly world: World;
  readonly engine: DatabaseEngine;
  readonly random: Random;
  readonly latencyMs: Range;
  readonly queryTimeoutMs: number;
  /** Is the way between this node and the database cut? */
  readonly cut?: (node: string) => boolean;
}

export class DatabaseFaults {
  readonly #options: DatabaseFaultsOptions;
  #down = false;
  #extraLatencyMs = 0;
  #loss: Loss = "none";

  constructor(options: DatabaseFaultsOptions) {
    this.#options = options;
  }

  setDown(down: boolean): void {
    this.#down = down;
  }

  setExtraLatency(milliseconds: number): void {
    this.#extraLatencyMs = milliseconds;
  }

  setLoss(loss: Loss): void {
    this.#loss = loss;
  }

  /** The port of one node; answers are handed to `deliver`, each exactly once. */
  port(deliver: (input: DatabaseInput) => void, node = ""): Database {
    return { query: (request, queries) => this.#query(request, queries, deliver, node) };
  }

  #query(
    request: RequestId,
    queries: readonly Query[],
    deliver: (input: DatabaseInput) => void,
    node: string,
  ): void {
    const { world, engine, random, latencyMs, queryTimeoutMs } = this.#options;
    const trip = random.between(...latencyMs);
    // Not every connection of the pool dies: one request of a piece of work may be answered and the next not.
    const loss = random.chance(0.5) ? this.#loss : "none";
    const cut = (): boolean => this.#options.cut?.(node) ?? false;
    const noAnswer = unavailable(request, "no answer in time");
    if (cut()) {
      world.after(queryTimeoutMs, () => deliver(noAnswer));
      return;
    }
    if (this.#down) {
      world.after(trip, () => deliver(unavailable(request, "the database refuses connections")));
      return;
    }
    const executedAfter = trip + this.#extraLatencyMs;
    const answeredAfter = executedAfter + trip;
    if (answeredAfter > queryTimeoutMs) {
      world.after(queryTimeoutMs, () => deliver(noAnswer));
      if (loss !== "before-commit") {
        world.after(executedAfter, () => void engine.execute(request, queries));
      }
      return;
    }
    world.after(executedAfter, () => {
      const answer = loss === "before-commit" ? undefined : engine.execute(request, queries);
      const told =
        loss === "none" && answer !== undefined
          ? answer
          : unavailable(request, "the connection was lost before an answer");
      // The answer may meet a cut that began while it was on its way.
      const late = Math.max(trip, queryTimeoutMs - executedAfter);
      if (cut()) world.after(late, () => deliver(noAnswer));
      else world.after(trip, () => deliver(told));
    });
  }
}

function unavailable(request: RequestId, detail: string): DatabaseInput {
  return { type: "query-failed", request, failure: "unavailable", detail };
}
