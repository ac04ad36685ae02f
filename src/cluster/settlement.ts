/**
 * Settlement: from when on is what was written visible at the peers?
 *
 * A request waits for those that follow a table, each until it has reported that our seq of that moment is
 * visible there. An acknowledgement of the link would not do: a reader that is loading has received what
 * it does not show yet.
 *
 * Requests that come in a row, with nothing heard or sent between them, wait together: a hundred writers
 * of one turn cost about what one does.
 */
import type { Duration, Instant } from "../base/time.ts";
import type { Peer } from "./peer.ts";
import type { SyncSource } from "./sync-source.ts";
import type { SettledEffect } from "./tables-contract.ts";

/** One peer with those tables of ours that it takes. */
export interface Follower {
  readonly peer: Peer;
  readonly queueFull: boolean;
  readonly sources: Iterable<SyncSource>;
}

interface Wait {
  readonly peer: Peer;
  readonly source: SyncSource;
  readonly seq: number;
}

/** Requests that wait for the same. */
interface Group {
  readonly requests: readonly number[];
  readonly until: Instant;
  waits: readonly Wait[];
  readonly visibleAt: Set<Peer>;
  readonly lost: Set<Peer>;
  readonly skipped: ReadonlySet<Peer>;
}

const none: readonly SettledEffect[] = [];

export class Settlement {
  readonly #timeout: Duration;
  #groups: Group[] = [];
  /** Requests that have come since the last `begin`, and when the first of them did. */
  #asked: number[] = [];
  #askedAt: Instant = 0;

  constructor(timeout: Duration) {
    this.#timeout = timeout;
  }

  deadline(): Instant | undefined {
    if (this.#groups.length > 0) return this.#groups[0]?.until;
    return this.asked ? this.#askedAt + this.#timeout : undefined;
  }

  ask(now: Instant, request: number): void {
    if (this.#asked.length === 0) this.#askedAt = now;
    this.#asked.push(request);
  }

  /** Must `begin` be called, before anything is heard or sent? */
  get asked(): boolean {
    return this.#asked.length > 0;
  }

  /** Looks who is waited for. Returns the tables whose readers must be asked to report. */
  begin(followers: Iterable<Follower>): ReadonlySet<string> {
    const waits: Wait[] = [];
    const [visibleAt, skipped, reports] = [new Set<Peer>(), new Set<Peer>(), new Set<string>()];
    for (const { peer, queueFull, sources } of followers) {
      visibleAt.add(peer);
      for (const source of sources) {
        const { seq } = source.table.ownPartition;
        if (source.visibleSeq >= seq) continue;
        if (source.state !== "current" || queueFull) {
          skipped.add(peer);
          continue;
        }
        waits.push({ peer, source, seq });
        reports.add(source.table.name);
      }
    }
    const [requests, until] = [this.#asked, this.#askedAt + this.#timeout];
    this.#asked = [];
    this.#groups.push({ requests, until, waits, visibleAt, lost: new Set(), skipped });
    return reports;
  }

  /** A peer went down. */
  lose(peer: Peer): void {
    for (const group of this.#groups) {
      // Also if it has reported: what it showed is hidden by now.
      if (group.visibleAt.has(peer)) group.lost.add(peer);
      group.waits = group.waits.filter((wait) => wait.peer !== peer);
    }
  }

  /** The requests that need not or must not wait any longer. */
  take(now: Instant): readonly SettledEffect[] {
    if (!this.#groups.some((group) => isDue(group, now))) return none;
    const done: SettledEffect[] = [];
    this.#groups = this.#groups.filter((group) => {
      group.waits = group.waits.filter(({ peer, source, seq }) => {
        if (source.state === "stale") group.lost.add(peer);
        return source.state !== "stale" && source.visibleSeq < seq;
      });
      if (group.waits.length > 0 && group.until > now) return true;
      const found = settled(group);
      for (const request of group.requests) done.push({ type: "settled", request, ...found });
      return false;
    });
    return done;
  }
}

/** Is there anything new about what it waits for? */
function isDue({ waits, until }: Group, now: Instant): boolean {
  return (
    until <= now ||
    waits.length === 0 ||
    waits.some(({ source, seq }) => source.state === "stale" || source.visibleSeq >= seq)
  );
}

function settled({
  waits,
  visibleAt,
  lost,
  skipped,
}: Group): Omit<SettledEffect, "type" | "request"> {
  const missing = new Set(waits.map(({ peer }) => peer));
  return {
    visibleAt: [...visibleAt].filter(
      (peer) => ![missing, lost, skipped].some((set) => set.has(peer)),
    ),
    missing: [...missing].filter((peer) => !lost.has(peer)),
    lost: [...lost],
    skipped: [...skipped].filter((peer) => !lost.has(peer) && !missing.has(peer)),
  };
}
