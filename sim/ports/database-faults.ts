/**
 * Database with faults: when is a request carried out, and when does which answer arrive?
 *
 * An engine executes a list of queries at once; this puts the distance between it and the node: the
 * network's latency, losses and cuts, each way for itself, a limit, a server that is down, and connections
 * that die before or after the commit. A request that ran into the limit may still be carried out
 * afterwards, as in reality.
 */
import type { Database, DatabaseInput, Query, RequestId } from "../../src/ports/database.ts";
import type { Range } from "../plan.ts";
import type { Fabric } from "../kit/fabric.ts";
import type { Random } from "../kit/random.ts";
import { sentAgainAfter } from "../kit/retransmission.ts";
import type { World } from "../kit/world.ts";

/** The engine: all of the queries take effect, or none. */
export interface DatabaseEngine {
  execute(request: RequestId, queries: readonly Query[]): DatabaseInput;
}

/** Its host on the network. */
export const databaseHost = "database";

export type Loss = "before-commit" | "after-commit";

export interface DatabaseFaultsOptions {
  readonly world: World;
  readonly engine: DatabaseEngine;
  readonly random: Random;
  readonly latencyMs: Range;
  readonly queryTimeoutMs: number;
  readonly fabric: Fabric;
}

export class DatabaseFaults {
  readonly #options: DatabaseFaultsOptions;
  #down = false;
  #extraLatencyMs = 0;
  /** The one that began last, if several are on. */
  readonly #losses = new Set<Loss>();
  #rejecting = false;
  /** Nodes whose pools can take nothing more. */
  readonly #exhausted = new Set<string>();

  constructor(options: DatabaseFaultsOptions) {
    this.#options = options;
  }

  setDown(down: boolean): void {
    this.#down = down;
  }

  setExtraLatency(milliseconds: number): void {
    this.#extraLatencyMs = milliseconds;
  }

  setLoss(loss: Loss, on: boolean): void {
    this.#losses.delete(loss);
    if (on) this.#losses.add(loss);
  }

  setRejecting(rejecting: boolean): void {
    this.#rejecting = rejecting;
  }

  setExhausted(node: string, exhausted: boolean): void {
    if (exhausted) this.#exhausted.add(node);
    else this.#exhausted.delete(node);
  }

  /** All of that is over. */
  heal(): void {
    this.#down = false;
    this.#extraLatencyMs = 0;
    this.#losses.clear();
    this.#rejecting = false;
    this.#exhausted.clear();
  }

  /** The port of one node; answers are handed to `deliver`, each exactly once. */
  port(deliver: (input: DatabaseInput) => void, node: string): Database {
    return { query: (request, queries) => this.#query(request, queries, deliver, node) };
  }

  #query(
    request: RequestId,
    queries: readonly Query[],
    deliver: (input: DatabaseInput) => void,
    node: string,
  ): void {
    const { world, engine, random, latencyMs, fabric, queryTimeoutMs } = this.#options;
    const trip = random.between(...latencyMs);
    // Not every connection of the pool dies: one request of a piece of work may be answered and the next not.
    const loss = random.chance(0.5) ? [...this.#losses].at(-1) : undefined;
    const rejected = this.#rejecting && random.chance(0.5);
    const noAnswer = unavailable(request, "no answer in time");
    if (this.#exhausted.has(node)) {
      world.after(0, () => deliver(unavailable(request, "too many requests wait")));
      return;
    }
    if (fabric.isCut(node, databaseHost)) {
      world.after(queryTimeoutMs, () => deliver(noAnswer));
      return;
    }
    const there = this.#travels(trip, node, databaseHost);
    const back = this.#travels(trip, databaseHost, node);
    if (this.#down) {
      world.after(there, () => deliver(unavailable(request, "the database refuses connections")));
      return;
    }
    const executedAfter = there + this.#extraLatencyMs;
    const answeredAfter = executedAfter + back;
    if (answeredAfter > queryTimeoutMs) {
      world.after(queryTimeoutMs, () => deliver(noAnswer));
      if (loss !== "before-commit" && !rejected) {
        world.after(executedAfter, () => void engine.execute(request, queries));
      }
      return;
    }
    world.after(executedAfter, () => {
      const carriedOut = (): DatabaseInput =>
        rejected ? serializationFailure(request) : engine.execute(request, queries);
      const answer = loss === "before-commit" ? undefined : carriedOut();
      const told =
        loss === undefined && answer !== undefined
          ? answer
          : unavailable(request, "the connection was lost before an answer");
      // The answer may meet a cut that began while it was on its way.
      const late = Math.max(back, queryTimeoutMs - executedAfter);
      if (fabric.isCut(databaseHost, node)) world.after(late, () => deliver(noAnswer));
      else world.after(back, () => deliver(told));
    });
  }

  /** What takes `trip` on a line without trouble. */
  #travels(trip: number, from: string, to: string): number {
    const { fabric, random } = this.#options;
    const takes = trip + fabric.delay(from, to);
    return takes + sentAgainAfter(random, fabric.loss(), 2 * takes);
  }
}

function unavailable(request: RequestId, detail: string): DatabaseInput {
  return { type: "query-failed", request, failure: "unavailable", detail };
}

function serializationFailure(request: RequestId): DatabaseInput {
  const detail = "could not serialize access due to concurrent update";
  return { type: "query-failed", request, failure: "rejected", detail };
}
