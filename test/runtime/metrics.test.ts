import { expect, test } from "vitest";
import type { Counter } from "../../src/ports/metrics.ts";
import { mergeMetrics, renderMetrics } from "../../src/runtime/metrics.ts";

const cell = (value: number, labels: Record<string, string> = {}): Counter => ({
  ...{ kind: "counter", name: "meerkat_test_total", help: "A test.", labels, value },
});

test("metrics: labels of the process are on its own metrics and on the runtime's", async () => {
  const text = await renderMetrics(() => [cell(3, { kind: "a" })], { worker: "2" });
  expect(text).toMatch(/^meerkat_test_total\{kind="a",worker="2"\} 3$/m);
  expect(text).toMatch(/^process_resident_memory_bytes\{worker="2"\} \d+$/m);
  const plain = await renderMetrics(() => [cell(3)]);
  expect(plain).toMatch(/^meerkat_test_total 3$/m);
});

test("metrics: of several processes the samples of one metric stand together, its help once", async () => {
  const texts = await Promise.all(
    ["1", "2"].map((worker) => renderMetrics(() => [cell(Number(worker))], { worker })),
  );
  const lines = mergeMetrics([...texts, ""]).split("\n");
  const at = lines.indexOf("# HELP meerkat_test_total A test.");
  expect(lines.slice(at, at + 4)).toEqual([
    "# HELP meerkat_test_total A test.",
    "# TYPE meerkat_test_total counter",
    'meerkat_test_total{worker="1"} 1',
    'meerkat_test_total{worker="2"} 2',
  ]);
  expect(lines.filter((line) => line.startsWith("# HELP meerkat_test_total"))).toHaveLength(1);
  // Nothing is lost or made up.
  const samples = (text: string): string[] =>
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines.filter((line) => line !== "" && !line.startsWith("#")).toSorted()).toEqual(
    texts.flatMap(samples).toSorted(),
  );
});
