/** Fullness: since when has no node said any more that stanzas for a peer are too many? */
import type { TraceEvent, TraceKind } from "../trace.ts";

export class Fullness {
  readonly sees: readonly TraceKind[] = ["peer-down", "node-killed", "node-stopped", "logged"];
  /** By node and peer. */
  readonly #full = new Set<string>();
  #endedAt = -Infinity;

  see({ kind, data, at, place }: TraceEvent): void {
    if (kind === "peer-down") this.#over(`${place} ${data.peer}`, at);
    else if (kind === "node-killed" || kind === "node-stopped") {
      for (const key of this.#full) if (key.startsWith(`${place} `)) this.#over(key, at);
    } else if (kind === "logged" && data.event.startsWith("queue-")) {
      const [, peer = "", queue] = /^peer=(\S*) queue=(\S*)/.exec(data.detail) ?? [];
      if (queue !== "stanzas") return;
      if (data.event === "queue-full") this.#full.add(`${place} ${peer}`);
      else this.#over(`${place} ${peer}`, at);
    }
  }

  /** Was there any moment since then when one was? */
  since(at: number): boolean {
    return this.#full.size > 0 || this.#endedAt >= at;
  }

  #over(key: string, at: number): void {
    if (this.#full.delete(key)) this.#endedAt = at;
  }
}
