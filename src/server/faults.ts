/** Faults: what is done about a bug of ours, and about a database that fails. */
import { AssertionError } from "../base/assert.ts";
import type { Log } from "../ports/log.ts";
import type { QueryFailed } from "../ports/work.ts";
import type { NodeMetrics } from "./metrics.ts";

export interface FaultsOptions {
  readonly log: Log;
  readonly counts: NodeMetrics;
  /** `throw`: a bug ends the run (simulator). */
  readonly onFault: "contain" | "throw";
}

export class Faults {
  readonly #options: FaultsOptions;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** A bug of ours: counted and logged, or, in the simulator, the end of the run. */
  bug(event: string, error: unknown, remote?: string): void {
    const { onFault, counts, log } = this.#options;
    if (onFault === "throw") throw error;
    counts.faults.value += 1;
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.write("error", event, { error: what, remote });
  }

  /** What another node sent is nothing that this release would have sent: in the simulator, our bug. */
  refusedFrame(reason: string): void {
    const { onFault, counts, log } = this.#options;
    if (onFault === "throw") throw new AssertionError(`A frame of a peer was refused: ${reason}`);
    counts.refusedFrames.value += 1;
    log.write("error", "cluster-frame-refused", { reason });
  }

  database(asker: string, error: QueryFailed): void {
    const { counts, log } = this.#options;
    counts.databaseFailures.value += 1;
    const { failure, message } = error;
    log.write("warning", "database-failed", { asker, failure, detail: message });
  }
}
