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
  return [...lines, sentence(rows, oracles)];
}

/** Of each oracle a bug that it alone has seen, and whether all have one. */
export function purposes(
  rows: readonly Row[],
  oracles: readonly string[],
): { readonly lines: readonly string[]; readonly complete: boolean } {
  const lines = oracles.map((oracle) => {
    const own = rows.find((row) => isAlone(row, oracle));
    return `${oracle.padEnd(16)} ${own === undefined ? "sees nothing alone" : `alone sees ${own.name}`}`;
  });
  const complete = spareOf(rows, oracles).length === 0;
  return { lines: [...lines, sentence(rows, oracles)], complete };
}

export function isAlone({ seen }: Row, oracle: string): boolean {
  return seen.length === 1 && seen[0] === oracle;
}

function spareOf(rows: readonly Row[], oracles: readonly string[]): readonly string[] {
  return oracles.filter((oracle) => !rows.some((row) => isAlone(row, oracle)));
}

function sentence(rows: readonly Row[], oracles: readonly string[]): string {
  const spare = spareOf(rows, oracles);
  if (spare.length === 0) {
    return `switching off any one of the ${oracles.length} oracles lowers the count of bugs found`;
  }
  return `switched off, none is missed of: ${spare.join(", ")}`;
}
