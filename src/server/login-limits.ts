/**
 * Login limits: has this address failed too often lately to be told whether a password is right?
 *
 * Each failed login fills its address's bucket by one; the bucket leaks evenly, so that a full one is
 * empty after `period`. While it is full no verdict is given: the attempt is answered
 * `temporary-auth-failure` (RFC 6120 §6.5.10), whatever it was. It is asked twice, before an exchange
 * begins and when its verdict is known: so guesses that run side by side are counted too, and no more
 * than `max` and what leaked meanwhile are ever answered. A success empties nothing, or an attacker
 * would keep an account for that.
 *
 * IPv6 addresses count by /64. At most `addressesMax` buckets are kept; beyond it the one that was
 * filled longest ago goes.
 */
import { customerNetwork } from "../base/ip-network.ts";
import type { Duration, Instant } from "../base/time.ts";

export interface LoginLimitsOptions {
  /** Failures of one address that are answered in a row; 0: no limit. */
  readonly max: number;
  /** In which so many are forgotten. */
  readonly period: Duration;
  readonly addressesMax: number;
}

interface Bucket {
  level: number;
  at: Instant;
}

export class LoginLimits {
  readonly #options: LoginLimitsOptions;
  /** The one filled last is the last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: LoginLimitsOptions) {
    this.#options = options;
  }

  /** Addresses with failures that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** May this address be told a verdict now? */
  allows(at: Instant, address: string): boolean {
    const { max } = this.#options;
    if (max === 0 || this.#buckets.size === 0) return true;
    const bucket = this.#buckets.get(customerNetwork(address));
    // No room for one more is a full bucket: the part that has leaked meanwhile is no whole guess.
    return bucket === undefined || this.#level(bucket, at) + 1 <= max;
  }

  /** A verdict was "no". True: this was the last one for now. */
  failed(at: Instant, address: string): boolean {
    const { max, addressesMax } = this.#options;
    if (max === 0) return false;
    const network = customerNetwork(address);
    const known = this.#buckets.get(network);
    const level = 1 + (known === undefined ? 0 : this.#level(known, at));
    this.#buckets.delete(network);
    this.#buckets.set(network, { level, at });
    this.#forget(at, addressesMax);
    return level + 1 > max;
  }

  #level({ level, at: then }: Bucket, at: Instant): number {
    const { max, period } = this.#options;
    return Math.max(0, level - ((at - then) * max) / period);
  }

  /** Empty buckets say nothing; those filled longest ago are looked at first, two for each new one. */
  #forget(at: Instant, addressesMax: number): void {
    let looked = 0;
    for (const [network, bucket] of this.#buckets) {
      const isEmpty = this.#level(bucket, at) === 0;
      if (!isEmpty && this.#buckets.size <= addressesMax) return;
      this.#buckets.delete(network);
      if (++looked === 2) return;
    }
  }
}
