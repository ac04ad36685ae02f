/**
 * Given up: which answers, or bounces, does a node say that it keeps no longer?
 *
 * Their asker was on a node that went out of sight: a node keeps so many and so long, then it says so in its log.
 */
import type { TraceEvent, TraceKind } from "../trace.ts";

export class GivenUp {
  readonly sees: readonly TraceKind[] = ["logged"];
  readonly #ids = new Set<string>();

  see({ kind, data }: TraceEvent): void {
    if (kind !== "logged" || data.event !== "answer-given-up") return;
    const [, id] = /^id=(.*) to=/.exec(data.detail) ?? [];
    if (id !== undefined) this.#ids.add(id);
  }

  /** By the id of what it answers. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }
}
