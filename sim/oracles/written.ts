/** Written: which stanzas of our clients are in what a node writes to a client? Looked for once, for all oracles. */
import type { TraceEvent, TraceKind } from "../trace.ts";

/** Of messages and requests of ours, and of what answers them. */
const ids = / id=["']([mq]\/[^"']+)["']/g;
const none: readonly string[] = [];

export class Written {
  readonly sees: readonly TraceKind[] = ["connection-opened", "bytes-sent"];
  /** Connections between nodes. */
  readonly #links = new Set<number>();
  #latest: TraceEvent | undefined;
  #ids = none;

  /** The ids that are in what this event writes. */
  see(event: TraceEvent): readonly string[] {
    if (event === this.#latest) return this.#ids;
    this.#latest = event;
    const { kind, data } = event;
    this.#ids = none;
    if (kind === "connection-opened") {
      if (data.listener === "cluster") this.#links.add(data.connection);
    } else if (kind === "bytes-sent" && !this.#links.has(data.connection)) {
      if (data.data.includes("/") && data.data.includes(" id=")) {
        this.#ids = [...data.data.matchAll(ids)].map(([, id = ""]) => id);
      }
    }
    return this.#ids;
  }
}
