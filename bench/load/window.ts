/** Window: what the server, the load and the rest of the machine used between two moments. */
import { cpuMicros, machineBusyMicros } from "../processes.ts";
import type { Faults, LoadResult } from "./spec.ts";

/** Latencies over this many milliseconds all count as this. */
const latencyMaxMs = 10_000;
const bucketsPerMs = 100;

export const nowMicros = (): number => Math.round(performance.now() * 1000);

interface Reading {
  readonly at: number;
  readonly server: number;
  readonly load: number;
  readonly machine: number;
}

export class Window {
  operations = 0;
  isOpen = false;
  readonly #pids: readonly number[];
  readonly #latencies = new Uint32Array(latencyMaxMs * bucketsPerMs + 1);
  #begin: Reading | undefined;
  #end: Reading | undefined;

  constructor(pids: readonly number[]) {
    this.#pids = pids;
  }

  open(): void {
    this.#begin = this.#read();
    this.isOpen = true;
  }

  close(): void {
    this.isOpen = false;
    this.#end = this.#read();
  }

  count(latencyMicros: number): void {
    if (!this.isOpen) return;
    this.operations += 1;
    const bucket = Math.round((latencyMicros / 1000) * bucketsPerMs);
    const at = Math.min(bucket, this.#latencies.length - 1);
    this.#latencies[at] = (this.#latencies[at] ?? 0) + 1;
  }

  result(faults: Faults, more: Partial<LoadResult> = {}): LoadResult {
    const begin = this.#begin;
    const end = this.#end;
    if (begin === undefined || end === undefined) throw new Error("the window was never closed");
    const span = end.at - begin.at;
    const server = end.server - begin.server;
    const load = end.load - begin.load;
    const others = end.machine - begin.machine - server - load;
    return {
      operations: this.operations,
      perSecond: (this.operations / span) * 1e6,
      serverMicrosPerOperation: server / this.operations,
      cores: { server: server / span, load: load / span, others: Math.max(0, others / span) },
      latencyMs: { p50: this.#quantile(0.5), p99: this.#quantile(0.99), max: this.#quantile(1) },
      residentBytesPerConnection: 0,
      residentBytesBefore: 0,
      senderLateMs: 0,
      faults,
      ...more,
    };
  }

  #quantile(share: number): number {
    let left = Math.max(1, Math.ceil(this.operations * share));
    for (const [bucket, count] of this.#latencies.entries()) {
      left -= count;
      if (left <= 0) return bucket / bucketsPerMs;
    }
    return latencyMaxMs;
  }

  #read(): Reading {
    const { user: own, system } = process.cpuUsage();
    return {
      at: nowMicros(),
      server: cpuMicros(this.#pids),
      load: own + system,
      machine: machineBusyMicros(),
    };
  }
}
