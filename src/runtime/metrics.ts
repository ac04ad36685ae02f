/** Metrics: our cells and the process's own, in the text format that Prometheus reads. */
import { collectDefaultMetrics, Counter as PromCounter, Gauge, Registry } from "prom-client";
import type { Counter } from "../ports/metrics.ts";

/** Event loop, memory and file handles of this process; they know nothing of a node's cells. */
const processMetrics = new Registry();
let collecting = false;

/** `labels`: on every one, the process's own included. */
export async function renderMetrics(
  cells: () => Iterable<Counter>,
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  if (!collecting) {
    collecting = true;
    collectDefaultMetrics({ register: processMetrics });
  }
  const own = new Registry();
  own.setDefaultLabels(labels);
  processMetrics.setDefaultLabels(labels);
  const families = new Map<string, PromCounter | Gauge>();
  for (const cell of cells()) {
    const family = families.get(cell.name) ?? familyOf(cell, own);
    families.set(cell.name, family);
    family.inc({ ...cell.labels }, cell.value);
  }
  return `${await own.metrics()}\n${await processMetrics.metrics()}`;
}

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

function familyOf(cell: Counter, registry: Registry): PromCounter | Gauge {
  const labelNames = Object.keys(cell.labels);
  const options = { name: cell.name, help: cell.help, labelNames, registers: [registry] };
  return cell.kind === "counter" ? new PromCounter(options) : new Gauge(options);
}

/**
 * Texts of several processes as one. What belongs to one metric must stand together; its help is said
 * once. That samples differ, the labels of each process see to.
 */
export function mergeMetrics(texts: readonly string[]): string {
  const families = new Map<string, { readonly head: string[]; readonly samples: string[] }>();
  for (const text of texts) {
    let family: { readonly head: string[]; readonly samples: string[] } | undefined;
    for (const line of text.split("\n")) {
      if (line === "") continue;
      const name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1];
      if (name === undefined) {
        family?.samples.push(line);
        continue;
      }
      family = families.get(name) ?? { head: [], samples: [] };
      families.set(name, family);
      if (!family.head.includes(line)) family.head.push(line);
    }
  }
  const lines = [...families.values()].flatMap(({ head, samples }) => [...head, ...samples, ""]);
  return `${lines.join("\n")}\n`;
}
