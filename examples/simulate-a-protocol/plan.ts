/** Plan: what does a history consist of, how does a seed become one, and what can be left out of it? */
import { stream } from "../../sim/kit/random.ts";
import { fewer, smaller, type Pass } from "../../sim/kit/shrink.ts";
import type { Trouble } from "../../sim/kit/troubles.ts";

/** Aimed at a tenant: it hears nothing, all its packets are late, or its connection breaks. */
export interface Fault extends Trouble {
  readonly kind: "deaf" | "slow" | "reset";
}

export interface Plan {
  readonly seed: number;
  readonly tenants: readonly string[];
  readonly faults: readonly Fault[];
  readonly forMs: number;
}

export function planFromSeed(seed: number): Plan {
  const random = stream(seed, "plan");
  const forMs = random.between(10_000, 60_000);
  const tenants = ["ada", "bob", "cy", "dot"].slice(0, random.between(2, 4));
  const faults = Array.from({ length: random.int(12) }, (): Fault => {
    const startAt = random.int(forMs);
    const endAt = startAt + random.between(100, 4_000);
    const kind = random.pick(["deaf", "slow", "reset"] as const);
    return { kind, target: random.pick(tenants), startAt, endAt };
  });
  return { seed, tenants, faults, forMs };
}

function keepFaults(plan: Plan, kept: readonly number[]): Plan {
  return { ...plan, faults: plan.faults.filter((_, at) => kept.includes(at)) };
}

/** Faults that aim at a tenant go with it. */
function keepTenants(plan: Plan, kept: readonly number[]): Plan {
  const tenants = plan.tenants.filter((_, at) => kept.includes(at));
  const faults = plan.faults.filter(({ target }) => tenants.includes(target));
  return { ...plan, tenants, faults };
}

function shorter(plan: Plan): readonly Plan[] {
  return [0.5, 0.9].map((part) => ({ ...plan, forMs: Math.floor(plan.forMs * part) }));
}

/** All faults, and the end, come sooner: what happened before the first proves nothing. */
function sooner(plan: Plan): readonly Plan[] {
  const first = Math.min(plan.forMs, ...plan.faults.map(({ startAt }) => startAt));
  return [1, 0.5, 0.1]
    .map((part) => Math.floor(first * part))
    .filter((by) => by > 0 && by < plan.forMs)
    .map((by) => ({
      ...plan,
      forMs: plan.forMs - by,
      faults: plan.faults.map((each) => {
        return { ...each, startAt: each.startAt - by, endAt: each.endAt - by };
      }),
    }));
}

export const passes: readonly Pass<Plan>[] = [
  (plan) => fewer(plan, plan.faults.length, keepFaults),
  (plan) => fewer(plan, plan.tenants.length, keepTenants),
  (plan) => smaller(plan, sooner),
  (plan) => smaller(plan, shorter),
];
