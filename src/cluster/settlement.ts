/**
 * Settlement: from when on is what was written visible at the peers?
 *
 * A request waits for those that followed a table when it was made, each until it has reported that our
 * seq of that moment is visible there. An acknowledgement of the link would not do: a reader that is
 * loading has received what it does not show yet.
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

interface Request {
  readonly request: number;
  readonly until: Instant;
  waits: readonly Wait[];
  readonly visibleAt: Set<Peer>;
  readonly lost: Set<Peer>;
  readonly skipped: ReadonlySet<Peer>;
}

export class Settlement {
  readonly #timeout: Duration;
  #requests: Request[] = [];

  constructor(timeout: Duration) {
    this.#timeout = timeout;
  }

  deadline(): Instant | undefined {
    return this.#requests[0]?.until;
  }

  /** Returns the tables whose readers must be asked to report. */
  ask(now: Instant, request: number, followers: Iterable<Follower>): ReadonlySet<string> {
    const waits: Wait[] = [];
    const [visibleAt, skipped, asked] = [new Set<Peer>(), new Set<Peer>(), new Set<string>()];
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
        asked.add(source.table.name);
      }
    }
    const until = now + this.#timeout;
    this.#requests.push({ request, until, waits, visibleAt, lost: new Set(), skipped });
    return asked;
  }

  /** A peer went down. */
  lose(peer: Peer): void {
    for (const request of this.#requests) {
      // Also if it has reported: what it showed is hidden by now.
      if (request.visibleAt.has(peer)) request.lost.add(peer);
      request.waits = request.waits.filter((wait) => wait.peer !== peer);
    }
  }

  /** The requests that need not or must not wait any longer. */
  take(now: Instant): readonly SettledEffect[] {
    if (this.#requests.length === 0) return [];
    const done: SettledEffect[] = [];
    this.#requests = this.#requests.filter((request) => {
      request.waits = request.waits.filter(({ peer, source, seq }) => {
        if (source.state === "stale") request.lost.add(peer);
        return source.state !== "stale" && source.visibleSeq < seq;
      });
      if (request.waits.length > 0 && request.until > now) return true;
      done.push(settled(request));
      return false;
    });
    return done;
  }
}

function settled({ request, waits, visibleAt, lost, skipped }: Request): SettledEffect {
  const missing = new Set(waits.map(({ peer }) => peer));
  return {
    type: "settled",
    request,
    visibleAt: [...visibleAt].filter(
      (peer) => ![missing, lost, skipped].some((set) => set.has(peer)),
    ),
    missing: [...missing].filter((peer) => !lost.has(peer)),
    lost: [...lost],
    skipped: [...skipped].filter((peer) => !lost.has(peer) && !missing.has(peer)),
  };
}
