/** Metrics: our cells and the process's own, in the text format that Prometheus reads. */
import { collectDefaultMetrics, Counter as PromCounter, Gauge, Registry } from "prom-client";
import type { Counter } from "../ports/metrics.ts";

/** Event loop, memory and file handles of this process; they know nothing of a node's cells. */
const processMetrics = new Registry();
let collecting = false;

export async function renderMetrics(cells: () => Iterable<Counter>): Promise<string> {
  if (!collecting) {
    collecting = true;
    collectDefaultMetrics({ register: processMetrics });
  }
  const own = new Registry();
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
