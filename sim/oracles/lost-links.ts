/**
 * Lost links: did the link between two nodes end in some period?
 *
 * By node, not by the names of peers: those that find each other by DNS are named after their addresses.
 */
import type { TraceEvent, TraceKind } from "../trace.ts";
import type { Replicas } from "./replicas.ts";

export class LostLinks {
  readonly sees: readonly TraceKind[] = ["peer-down"];
  readonly #replicas: Replicas;
  readonly #all: { readonly at: number; readonly place: string; readonly node: string }[] = [];

  constructor(replicas: Replicas) {
    this.#replicas = replicas;
  }

  /** Asked after `replicas` have seen the event. */
  see({ kind, data, at, place }: TraceEvent): void {
    if (kind !== "peer-down") return;
    this.#all.push({ at, place, node: this.#replicas.processes.get(data.peer)?.node ?? "" });
  }

  /** Either of them said so, at a moment from `since` to `until`. */
  between(one: string, other: string, since: number, until: number): boolean {
    const ends = [one, other];
    return this.#all.some(
      ({ at, place, node }) =>
        at >= since && at <= until && ends.includes(place) && ends.includes(node),
    );
  }
}
