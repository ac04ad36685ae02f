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
  /** `other`: of the same kind and target, that goes on. */
  end(trouble: T, other: T | undefined): void;
}

export function scheduleTroubles<T extends Trouble>(
  world: World,
  troubles: readonly T[],
  acts: TroubleActs<T>,
): void {
  const on = new Set<T>();
  for (const trouble of troubles) {
    const { kind, target, startAt, endAt } = trouble;
    const lasts = endAt > startAt;
    world.schedule(startAt, () => {
      if (lasts) on.add(trouble);
      acts.start(trouble);
    });
    if (!lasts) continue;
    world.schedule(endAt, () => {
      on.delete(trouble);
      const others = [...on].filter((other) => other.kind === kind && other.target === target);
      acts.end(trouble, others.at(-1));
    });
  }
}
