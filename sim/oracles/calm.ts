/** Calm: what has befallen which host or all of them, by faults, and when last? */
import { hostsOf } from "../kit/paths.ts";

export class Calm {
  /** By host or "all": faults under way, and when the last thing happened to it. */
  readonly #underWay = new Map<string, number>();
  readonly #disturbedAt = new Map<string, number>();

  disturb(target: string, at: number, by: number): void {
    for (const host of hostsOf(target)) {
      this.#disturbedAt.set(host, at);
      this.#underWay.set(host, (this.#underWay.get(host) ?? 0) + by);
    }
  }

  /** Has nothing befallen it for so long? */
  isCalm(host: string, at: number, afterMs: number): boolean {
    const since = Math.max(this.#disturbedAt.get(host) ?? 0, this.#disturbedAt.get("all") ?? 0);
    const none = !this.#underWay.get(host) && !this.#underWay.get("all");
    return none && at - since >= afterMs;
  }
}
