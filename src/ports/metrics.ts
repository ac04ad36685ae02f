/**
 * Metrics: plain cells that the core adds to, one set per node; whoever renders them reads the list.
 * Names follow Prometheus: `meerkat_` first, base units, counters end in `_total`.
 */
export interface Counter {
  readonly kind: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  value: number;
}
