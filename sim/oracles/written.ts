/** Written: which stanzas of our clients are in what a node writes to a client? Looked for once, for all oracles. */
import type { TraceEvent, TraceKind } from "../trace.ts";

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
      // A space that keeps the connection alive is what is written most.
      if (data.data.length > 1) this.#ids = idsIn(data.data);
    }
    return this.#ids;
  }
}

const attribute = " id=";
/** Of messages and requests of ours, and of what answers them. */
const ours = /^["'][mq]\/$/;

/** The values of such attributes, which no other text looks like. */
function idsIn(data: string): readonly string[] {
  let found = none as string[];
  for (let at = data.indexOf(attribute); at !== -1; at = data.indexOf(attribute, at)) {
    at += attribute.length;
    if (!ours.test(data.slice(at, at + 3))) continue;
    const end = data.indexOf(data[at] as string, at + 1);
    if (end === -1) break;
    if (found === none) found = [];
    found.push(data.slice(at + 1, end));
  }
  return found;
}
