/** Zoo choice: which planted bugs are tried, how often, and what counts as found? */
import { availableParallelism } from "node:os";
import { plants } from "../zoo/index.ts";
import type { Plant } from "../zoo/plant.ts";
import { countOf, UsageError } from "./subject.ts";

export interface ZooFlags {
  readonly seeds: string;
  readonly only?: string;
  readonly atLeast?: string;
  readonly shrink: string;
  readonly workers?: string;
  readonly without?: string;
  readonly matrix?: boolean;
  readonly purposes?: boolean;
}

export interface ZooChoice {
  readonly chosen: readonly Plant[];
  readonly seeds: number;
  readonly atLeast: number;
  readonly shrinkSeconds: number;
  readonly workers: number;
  /** An oracle that is off. */
  readonly without: string | undefined;
  readonly asks: "found" | "matrix" | "purposes";
}

/** What cannot be understood is a `UsageError`: a zoo in which nothing is tried looks like one without survivors. */
export function zooChoice(flags: ZooFlags, oracles: readonly string[]): ZooChoice {
  const { without } = flags;
  if (without !== undefined && !oracles.includes(without)) {
    throw new UsageError(`No oracle "${without}"; there are ${oracles.join(", ")}`);
  }
  const chosen = chosenPlants(flags.only);
  const shrinkSeconds = countOf("--shrink", flags.shrink, 0);
  refusePairs(flags, shrinkSeconds);
  return {
    chosen,
    seeds: countOf("--seeds", flags.seeds),
    atLeast: flags.atLeast === undefined ? chosen.length : countOf("--at-least", flags.atLeast, 0),
    shrinkSeconds,
    workers:
      flags.workers === undefined ? availableParallelism() : countOf("--workers", flags.workers),
    without,
    asks: flags.matrix === true ? "matrix" : flags.purposes === true ? "purposes" : "found",
  };
}

function chosenPlants(only: string | undefined): readonly Plant[] {
  if (only === undefined) return plants;
  const parts = only.split(",");
  for (const part of parts) {
    if (part === "" || !plants.some(({ name }) => name.includes(part))) {
      throw new UsageError(`No planted bug has "${part}" in its name`);
    }
  }
  return plants.filter(({ name }) => parts.some((part) => name.includes(part)));
}

/** All oracles are asked there, and of several runs at once; so neither is anything shrunk nor one of them off. */
function refusePairs(
  { matrix, purposes, without, atLeast }: ZooFlags,
  shrinkSeconds: number,
): void {
  const said = Object.entries({
    "--matrix": matrix === true,
    "--purposes": purposes === true,
    "--shrink": shrinkSeconds > 0,
    "--without": without !== undefined,
    "--at-least": purposes === true && atLeast !== undefined,
  }).flatMap(([option, is]) => (is ? [option] : []));
  if (matrix !== true && purposes !== true) return;
  if (said.length > 1) throw new UsageError(`${said.join(" and ")}: say one of them`);
}
