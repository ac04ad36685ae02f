/**
 * Plant: a bug as a developer would make it, and the oracle that must see it.
 *
 * The zoo bundles the simulator anew with one text replaced in one source file; production builds know
 * nothing of it. `find` must occur exactly once, so that a plant whose subject has changed is noticed.
 */
import type { ProfileName } from "../plan-from-seed.ts";

export interface Plant {
  /** Kebab-case; says what is broken. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Name of an oracle in `sim/oracles/`. */
  readonly oracle: string;
  /** Kind of plan; `small` unless it says otherwise. */
  readonly profile?: ProfileName;
}

/** The source with the bug in it. */
export function infect(plant: Plant, source: string): string {
  const parts = source.split(plant.find);
  if (parts.length !== 2) {
    const count = parts.length - 1;
    throw new Error(
      `Plant ${plant.name}: its text occurs ${count} times in ${plant.file}, it must occur once`,
    );
  }
  return parts.join(plant.replace);
}
