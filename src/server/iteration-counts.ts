/**
 * Iteration counts: how many rounds of hashing does a name show that nobody has?
 *
 * SCRAM shows the count of an account to whoever asks (RFC 5802 §5.1), and that of an old password is
 * what was configured then. So a false account draws its count from those that the host's accounts really
 * have: what is shown is then as likely for a name that exists as for one that does not, and says
 * nothing (docs/decisions/0001-false-salts.md).
 *
 *     unknown --[first login]--> asked --[answered]--> known --[a login after refreshEvery]--> known, asked
 *
 * Logins wait for the first answer, all alike; later ones are fetched beside them. Bounded: hosts are
 * those of the configuration, `accountsMax` accounts are looked at, `kindsMax` different counts kept.
 */
import { minute, type Duration, type Instant, type Now } from "../base/time.ts";
import type { HashName } from "../ports/crypto.ts";
import { countIterations, type IterationsFound } from "../storage/accounts.ts";
import type { Faults } from "./faults.ts";
import type { WorkRunner } from "./work-runner.ts";

export interface IterationCountsOptions {
  readonly work: WorkRunner;
  readonly faults: Faults;
  /** Shown where a host has no account at all. */
  readonly configured: number;
}

const refreshEvery: Duration = 10 * minute;
/** After a database that did not answer. */
const retryAfter: Duration = minute;
const accountsMax = 10_000;
const kindsMax = 100;

interface Known {
  found: readonly IterationsFound[];
  refreshAt: Instant;
}

export class IterationCounts {
  readonly #options: IterationCountsOptions;
  readonly #known = new Map<string, Known>();
  /** Hosts whose accounts are being looked at, and who waits for that. */
  readonly #asked = new Map<string, ((now: Now) => void)[]>();

  constructor(options: IterationCountsOptions) {
    this.#options = options;
  }

  /** Calls `act` as soon as the host's counts are known, or cannot be learned now. */
  whenKnown(now: Now, host: string, act: (now: Now) => void): void {
    const known = this.#known.get(host);
    if (known !== undefined && now.at < known.refreshAt) return act(now);
    const waiting = this.#asked.get(host);
    if (known !== undefined) {
      act(now);
      if (waiting === undefined) this.#ask(now, host, []);
    } else if (waiting === undefined) this.#ask(now, host, [act]);
    else waiting.push(act);
  }

  /** The count at this share of the way from the accounts with the fewest rounds to those with the most. */
  at(host: string, hash: HashName, share: number): number {
    return countAt(this.#known.get(host)?.found ?? [], hash, share) ?? this.#options.configured;
  }

  #ask(now: Now, host: string, waiting: ((now: Now) => void)[]): void {
    const { work, faults } = this.#options;
    this.#asked.set(host, waiting);
    const done = (later: Now): void => {
      this.#asked.delete(host);
      for (const act of waiting) act(later);
    };
    work.start(now, countIterations(host, accountsMax, kindsMax), {
      done: (later, found) => {
        this.#known.set(host, { found, refreshAt: later.at + refreshEvery });
        done(later);
      },
      failed: (later, error) => {
        faults.database("iteration-counts", error);
        const known = this.#known.get(host);
        if (known !== undefined) known.refreshAt = later.at + retryAfter;
        done(later);
      },
      broken: (later, error) => {
        faults.bug("iteration-counts-fault", error);
        done(later);
      },
    });
  }
}

/**
 * Ascending: where operators raise the count and passwords are set anew, a false account moves up as real
 * ones do, and hardly ever down.
 */
export function countAt(
  found: readonly IterationsFound[],
  hash: HashName,
  share: number,
): number | undefined {
  const sorted = found
    .filter((each) => each.hash === hash)
    .toSorted((a, b) => a.iterations - b.iterations);
  let left = share * sorted.reduce((sum, { accounts }) => sum + accounts, 0);
  for (const { iterations, accounts } of sorted) {
    left -= accounts;
    if (left < 0) return iterations;
  }
  return sorted.at(-1)?.iterations;
}
