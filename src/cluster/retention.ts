/**
 * Retention: which records of absent peers are kept aside, so that their return costs little?
 *
 * By whole peer: another process of the same name has nothing to do with them. Bounded in time and, all
 * together, in bytes; whoever went first is dropped first. Dropping is letting go of the maps: the
 * collector frees them bit by bit.
 */
import type { Duration, Instant } from "../base/time.ts";
import type { Partition } from "./partition.ts";
import { samePeer, type Peer } from "./peer.ts";

export interface Kept {
  readonly peer: Peer;
  /** By name of table. */
  readonly partitions: ReadonlyMap<string, Partition>;
}

interface Entry extends Kept {
  readonly until: Instant;
  readonly bytes: number;
}

export class Retention {
  readonly #after: Duration;
  readonly #bytesMax: number;
  /** In the order in which they went. */
  #entries: readonly Entry[] = [];
  #bytes = 0;

  constructor(limits: { readonly after: Duration; readonly bytesMax: number }) {
    this.#after = limits.after;
    this.#bytesMax = limits.bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get kept(): readonly Kept[] {
    return this.#entries;
  }

  deadline(): Instant | undefined {
    return this.#entries[0]?.until;
  }

  add(now: Instant, peer: Peer, partitions: ReadonlyMap<string, Partition>): void {
    let bytes = 0;
    for (const partition of partitions.values()) bytes += partition.bytes;
    this.#keep((entry) => entry.peer.name !== peer.name);
    this.#entries = [...this.#entries, { peer, partitions, until: now + this.#after, bytes }];
    this.#bytes += bytes;
    let excess = this.#bytes - this.#bytesMax;
    this.#keep((entry) => {
      if (excess <= 0) return true;
      excess -= entry.bytes;
      return false;
    });
  }

  /** A peer is back, or its successor is here: takes what is its own, drops what another left. */
  take(peer: Peer): ReadonlyMap<string, Partition> {
    const found = this.#entries.find((entry) => samePeer(entry.peer, peer));
    this.#keep((entry) => entry.peer.name !== peer.name);
    return found?.partitions ?? new Map();
  }

  expire(now: Instant): void {
    if ((this.deadline() ?? Infinity) <= now) this.#keep((entry) => entry.until > now);
  }

  #keep(wanted: (entry: Entry) => boolean): void {
    this.#entries = this.#entries.filter((entry) => {
      if (wanted(entry)) return true;
      this.#bytes -= entry.bytes;
      return false;
    });
  }
}
