/** Zoo matrix: what would each oracle's absence cost? */

export interface Row {
  readonly name: string;
  readonly found: boolean;
  /** Oracles that have seen it. */
  readonly seen: readonly string[];
}

/** A line for each oracle: how many bugs it sees, and those that nobody else does. */
export function matrixLines(rows: readonly Row[], oracles: readonly string[]): string[] {
  const lines = [`${"oracle".padEnd(16)} sees alone`];
  for (const oracle of oracles) {
    const seen = rows.filter((row) => row.seen.includes(oracle));
    const alone = seen.filter((row) => row.seen.length === 1);
    const names = alone.map(({ name }) => name).join(" ");
    lines.push(
      `${oracle.padEnd(16)} ${String(seen.length).padStart(4)} ${String(alone.length).padStart(5)}  ${names}`.trimEnd(),
    );
  }
  const spare = oracles.filter(
    (oracle) => !rows.some(({ seen }) => seen.length === 1 && seen[0] === oracle),
  );
  if (spare.length > 0) lines.push(`switched off, none is missed of: ${spare.join(", ")}`);
  return lines;
}
