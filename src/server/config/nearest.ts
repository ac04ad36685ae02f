/** Nearest: which of the known names was probably meant? */

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [];
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 0; i <= a.length; i += 1) {
    const row: number[] = [];
    rows.push(row);
    for (let j = 0; j <= b.length; j += 1) {
      if (i === 0 || j === 0) {
        row.push(i + j);
        continue;
      }
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, cell(i - 2, j - 2) + 1);
      }
      row.push(least);
    }
  }
  return cell(a.length, b.length);
}

/** The nearest known name, if it is near enough to be meant. Hyphens, underscores and case do not count. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll("-", "_");
  // What someone typed may be long; what we know is not.
  const asked = plain(name.slice(0, 64));
  let best: string | undefined;
  let distance = Math.max(1, Math.floor(asked.length / 3)) + 1;
  for (const candidate of known) {
    const found = editDistance(asked, plain(candidate));
    if (found < distance) [best, distance] = [candidate, found];
  }
  return best;
}
