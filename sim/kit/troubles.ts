/**
 * Troubles: when does each fault of a plan begin and end?
 *
 * A plan's rows of trouble are plain data; what one does to the world, only its owner knows.
 */
import type { Instant } from "../../src/base/time.ts";
import type { World } from "./world.ts";

export interface Trouble {
  readonly kind: string;
  /** One or several hosts, see paths.ts. */
  readonly target: string;
  readonly startAt: Instant;
  /** Not after `startAt`: it takes no time, and nothing ends it. */
  readonly endAt: Instant;
}

export interface TroubleActs<T extends Trouble> {
  start(trouble: T): void;
  end(trouble: T): void;
}

export function scheduleTroubles<T extends Trouble>(
  world: World,
  troubles: readonly T[],
  acts: TroubleActs<T>,
): void {
  for (const trouble of troubles) {
    world.schedule(trouble.startAt, () => acts.start(trouble));
    if (trouble.endAt > trouble.startAt) world.schedule(trouble.endAt, () => acts.end(trouble));
  }
}
