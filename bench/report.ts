/** Report: medians of what was measured, as a table in Markdown and as JSON. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import type { LoadResult } from "./load/spec.ts";
import type { Row } from "./rows.ts";
import { root } from "./subjects/subject.ts";

/** Everything measured for one row, by subject. */
export type Measured = ReadonlyMap<string, readonly LoadResult[]>;

export function machine(): Readonly<Record<string, string | number>> {
  const [first] = cpus();
  return {
    date: new Date().toISOString(),
    cores: cpus().length,
    cpu: first?.model.trim() ?? "unknown",
    node: process.version,
    kernel: release(),
  };
}

export function writeJson(name: string, content: unknown): void {
  const folder = join(root, "bench", "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(content, undefined, 2)}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (upper + lower) / 2;
}

interface Column {
  readonly title: string;
  readonly of: (result: LoadResult) => number;
  readonly digits: number;
}

const micros: Column = {
  title: "CPU-µs each",
  of: (each) => each.serverMicrosPerOperation,
  digits: 1,
};
const perSecond: Column = { title: "a second", of: (each) => each.perSecond, digits: 0 };
const others: Column = { title: "cores of others", of: (each) => each.cores.others, digits: 2 };
const busy: readonly Column[] = [
  micros,
  perSecond,
  { title: "p50 ms", of: (each) => each.latencyMs.p50, digits: 2 },
  { title: "p99 ms", of: (each) => each.latencyMs.p99, digits: 2 },
  { title: "server cores", of: (each) => each.cores.server, digits: 2 },
  others,
];
const idle: readonly Column[] = [
  { title: "KiB each", of: (each) => each.residentBytesPerConnection / 1024, digits: 1 },
  { title: "MiB empty", of: (each) => each.residentBytesBefore / 2 ** 20, digits: 0 },
  { title: "% of a core", of: (each) => each.cores.server * 100, digits: 1 },
];

/** One table a row; ratios are of medians in this very run. */
export function table(row: Row, measured: Measured): string {
  const columns = row.load.mode === "idle" ? idle : busy;
  const [chief = micros] = columns;
  const medianOf = (name: string, { of }: Column): number =>
    median((measured.get(name) ?? []).map(of));
  const titles = ["", ...columns.map(({ title }) => title), "x relay", "faults"];
  const lines = [
    `### ${row.name}: ${row.title}`,
    "",
    `| ${titles.join(" | ")} |`,
    `| --- |${" ---: |".repeat(titles.length - 1)}`,
  ];
  for (const [name, results] of measured) {
    const figures = columns.map((column) => medianOf(name, column).toFixed(column.digits));
    const ratio = ratioText(medianOf(name, chief) / medianOf("relay", chief));
    lines.push(`| ${[name, ...figures, ratio, faultsText(results)].join(" | ")} |`);
  }
  for (const [ours, other] of [
    ["meerkat", "ejabberd"],
    ["meerkat", "prosody"],
    ["meerkat-2", "meerkat"],
  ] as const) {
    if (!measured.has(ours) || !measured.has(other)) continue;
    const ratio = medianOf(ours, chief) / medianOf(other, chief);
    lines.push("", `${ours} / ${other}: ${ratioText(ratio)}`);
  }
  return lines.join("\n");
}

const ratioText = (ratio: number): string => (Number.isFinite(ratio) ? ratio.toFixed(2) : "–");

function faultsText(results: readonly LoadResult[]): string {
  const sums = new Map<string, number>();
  for (const { faults } of results) {
    for (const [kind, count] of Object.entries(faults)) {
      if (count > 0) sums.set(kind, (sums.get(kind) ?? 0) + Number(count));
    }
  }
  return [...sums].map(([kind, count]) => `${count} ${kind}`).join(", ") || "none";
}
