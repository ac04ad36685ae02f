/**
 * Shrink: which smallest plan still shows the failure?
 *
 * Delta debugging over a plan, which is any plain value: each candidate is a plan with less in it, and a
 * whole run decides whether the same failure is still there. A generator that runs nothing itself: it
 * yields a list of candidates, best first, and is told which of them failed first in that order (or none).
 * So the candidates of a list may be run on as many cores as there are, and whoever calls may stop at any
 * time: the best plan so far is the last one that failed.
 *
 * What can be left out of a plan only its owner knows: that is a list of passes, each made of `fewer` and
 * `smaller`.
 */

/** Yields candidates; `next` takes the index of the first that still fails, or undefined. */
export type Shrinking<P> = Generator<readonly P[], P, number | undefined>;

export type Pass<P> = (plan: P) => Shrinking<P>;

/** One pass after the other, over again until a whole round removes nothing. */
export function* shrink<P>(plan: P, passes: readonly Pass<P>[]): Shrinking<P> {
  let best = plan;
  for (;;) {
    const before = best;
    for (const pass of passes) best = yield* pass(best);
    if (best === before) return best;
  }
}

/** Delta debugging (ddmin) of a list: halves, then quarters …; keeps what is needed. */
export function* fewer<P>(
  plan: P,
  count: number,
  keep: (plan: P, indices: readonly number[]) => P,
): Shrinking<P> {
  let best = plan;
  let kept = Array.from({ length: count }, (_, index) => index);
  let parts = 1;
  while (kept.length > 0) {
    const size = Math.ceil(kept.length / parts);
    const rests: number[][] = [];
    for (let from = 0; from < kept.length; from += size) {
      rests.push([...kept.slice(0, from), ...kept.slice(from + size)]);
    }
    const candidates = rests.map((rest) => keep(plan, rest));
    const index = yield candidates;
    const rest = index === undefined ? undefined : rests[index];
    if (rest !== undefined) {
      kept = rest;
      best = keep(plan, kept);
      parts = Math.max(1, parts - 1);
    } else {
      if (size === 1) break;
      parts = Math.min(kept.length, parts * 2);
    }
  }
  return best;
}

/** Takes any step that still fails, until none does. */
export function* smaller<P>(plan: P, steps: (plan: P) => readonly P[]): Shrinking<P> {
  let best = plan;
  for (;;) {
    const candidates = steps(best);
    if (candidates.length === 0) return best;
    const index = yield candidates;
    const next = index === undefined ? undefined : candidates[index];
    if (next === undefined) return best;
    best = next;
  }
}

export interface ShrinkOptions<P> {
  /** Does this plan still fail in the same way? */
  readonly fails: (plan: P) => boolean;
  /** Asked before every run. */
  readonly expired?: () => boolean;
}

/** One run after the other, in this very thread; what was tried before is not tried again. */
export function shrinkHere<P>(
  plan: P,
  passes: readonly Pass<P>[],
  { fails, expired }: ShrinkOptions<P>,
): P {
  const shrinking = shrink(plan, passes);
  const inVain = new Set<string>();
  let best = plan;
  let step = shrinking.next();
  while (step.done !== true) {
    const candidates = step.value;
    const found = candidates.findIndex((candidate) => {
      const text = JSON.stringify(candidate);
      if (inVain.has(text) || expired?.() === true) return false;
      if (fails(candidate)) return true;
      inVain.add(text);
      return false;
    });
    if (found === -1 && expired?.() === true) return best;
    best = candidates[found] ?? best;
    step = shrinking.next(found === -1 ? undefined : found);
  }
  return step.value;
}
