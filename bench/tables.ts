/**
 * Tables: what do replicated tables cost inside one process, without a network?
 *
 *     node --expose-gc scripts/run.mjs bench/tables.ts [records]
 *
 * Records are like those of sessions: a full JID of some 30 bytes, a value that fills up to 200 bytes in
 * all, found by the bare JID too. Owner and reader are two machines whose messages are passed by hand, so
 * what is counted is encoding, decoding and applying.
 */
import { pathToFileURL } from "node:url";
import { bytesFromBinary } from "../src/base/bytes.ts";
import { Piece } from "../src/base/chunk.ts";
import type { TableOptions } from "../src/cluster/table.ts";
import { Tables, type TablesEffect } from "../src/cluster/tables.ts";
import { machine, writeJson } from "./report.ts";

export const tablesRow = "tables";

const table: TableOptions = {
  name: "sessions",
  schema: 1,
  indexBy: (key) => key.slice(0, key.indexOf("/")),
};
const recordBytes = 200;
const now = { at: 1_000, wall: 1_000 };
const peers = [1, 2].map((incarnation) => {
  return { name: `n${incarnation}`, incarnation, boot: String(incarnation).padStart(16, "0") };
});
const [owner, reader] = peers as [(typeof peers)[0], (typeof peers)[0]];

/** As strings are that were decoded: in one piece. */
const flat = (text: string): string => Buffer.from(text, "latin1").toString("latin1");
const keyOf = (at: number): string => flat(`user${at}@example.org/phone${at % 97}`);
const filler = "abcdefghijklmnopqrstuvwxyz0123456789".repeat(6);
function valueOf(at: number): string {
  const length = recordBytes - keyOf(at).length;
  return flat(`${at}`.padEnd(length, filler));
}

class Pair {
  readonly owner = new Tables({ self: owner, tables: [table] });
  readonly reader = new Tables({ self: reader, tables: [table] });
  bytes = 0;

  fill(records: number): void {
    const own = this.owner.table("sessions");
    for (let at = 0; at < records; at++) own.put(keyOf(at), valueOf(at));
    this.owner.flush(now);
  }

  /** From the first message to the last: a new peer gets everything. */
  join(): void {
    const answers = this.owner.step(now, { type: "peer-up", peer: reader, session: 1 });
    this.#pass(this.reader, owner, answers);
    for (;;) {
      const chunk = this.owner.pull(reader, 1_000);
      if (chunk === undefined) break;
      this.#give(this.reader, owner, chunk.kind, chunk.body);
    }
    this.flush();
    if (!this.reader.synced(owner)) throw new Error("The reader is not caught up");
  }

  start(): void {
    const asks = this.reader.step(now, { type: "peer-up", peer: owner, session: 1 });
    this.#early = asks;
  }
  #early: readonly TablesEffect[] = [];

  flush(): void {
    this.#pass(this.reader, owner, this.owner.flush(now));
  }

  #pass(to: Tables, from: typeof owner, effects: readonly TablesEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== "send") continue;
      this.#give(to, from, effect.kind, effect.body);
      if (effect.sync !== undefined) this.owner.sent(reader, effect.sync, 1);
    }
    const early = this.#early;
    this.#early = [];
    if (early.length > 0) this.#pass(this.owner, reader, early);
  }

  #give(to: Tables, from: typeof owner, kind: number, body: string): void {
    this.bytes += body.length;
    const input = {
      type: "message-received",
      peer: from,
      kind,
      body: Piece.of(bytesFromBinary(body)),
    } as const;
    const answers = to.step(now, input);
    if (to === this.owner) this.#pass(this.reader, owner, answers);
  }
}

/** The heap and what hangs on it outside. */
function memory(): number {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function cpuMicros(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

interface Figures {
  readonly records: number;
  readonly readsPerSecond: number;
  readonly indexReadsPerSecond: number;
  readonly bytesPerReplicatedRecord: number | undefined;
  readonly snapshotMicrosPerRecord: number;
  readonly snapshotBytesPerRecord: number;
  readonly writeMicrosSingly: number;
  readonly writeMicrosBatched: number;
  readonly loadMs: number;
}

export function measureTables(records = 1_000_000): string {
  const pair = new Pair();
  pair.fill(records);
  pair.start();
  const empty = memory();
  const began = performance.now();
  const joining = cpuMicros(() => pair.join());
  const loadMs = performance.now() - began;
  const full = memory();
  const { bytes } = pair;
  const reading = pair.reader.table("sessions");
  const keys = Array.from({ length: 4_096 }, (_, at) => keyOf((at * 7_919) % records));
  const users = keys.map((key) => flat(key.slice(0, key.indexOf("/"))));
  let found = 0;
  const reads = 4_000_000;
  const readMicros = cpuMicros(() => {
    for (let at = 0; at < reads; at++) if (reading.first(keys[at & 4_095] ?? "")) found += 1;
  });
  const count = (): void => void (found += 1);
  const indexMicros = cpuMicros(() => {
    for (let at = 0; at < reads; at++) reading.eachByIndex(users[at & 4_095] ?? "", count);
  });
  if (found !== 2 * reads) throw new Error(`${found} of ${2 * reads} reads found a record`);
  const writes = 200_000;
  const write = (every: number): number => {
    const own = pair.owner.table("sessions");
    const values = Array.from({ length: 4_096 }, (_, at) => valueOf(at + 1));
    const micros = cpuMicros(() => {
      for (let at = 0; at < writes; at++) {
        own.put(keys[at & 4_095] ?? "", values[at & 4_095] ?? "");
        if (at % every === every - 1) pair.flush();
      }
    });
    return micros / writes;
  };
  const figures: Figures = {
    records,
    readsPerSecond: (reads / readMicros) * 1e6,
    indexReadsPerSecond: (reads / indexMicros) * 1e6,
    bytesPerReplicatedRecord: globalThis.gc ? (full - empty) / records : undefined,
    snapshotMicrosPerRecord: joining / records,
    snapshotBytesPerRecord: bytes / records,
    writeMicrosSingly: write(1),
    writeMicrosBatched: write(50),
    loadMs,
  };
  writeJson(tablesRow, { machine: machine(), figures });
  return report(figures);
}

function report(figures: Figures): string {
  const { records, bytesPerReplicatedRecord: held } = figures;
  const million = (perSecond: number): string => `${(perSecond / 1e6).toFixed(1)} M/s`;
  const rows = [
    ["read by key (`first`)", million(figures.readsPerSecond)],
    ["read by index (`eachByIndex`)", million(figures.indexReadsPerSecond)],
    [
      "memory a replicated record, index included",
      held === undefined ? "–" : `${held.toFixed(0)} bytes`,
    ],
    ["snapshot, CPU a record, both ends", `${figures.snapshotMicrosPerRecord.toFixed(2)} µs`],
    ["snapshot, bytes a record on the wire", figures.snapshotBytesPerRecord.toFixed(0)],
    ["put, flush, apply: one a message", `${figures.writeMicrosSingly.toFixed(2)} µs`],
    ["put, flush, apply: 50 a message", `${figures.writeMicrosBatched.toFixed(2)} µs`],
    ["a join, until all is visible", `${(figures.loadMs / 1000).toFixed(1)} s`],
  ];
  return [
    `### ${tablesRow}: ${records.toLocaleString("en")} records of ${recordBytes} bytes, one process`,
    "",
    "| | |",
    "| --- | ---: |",
    ...rows.map(([what, figure]) => `| ${what} | ${figure} |`),
    "",
  ].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log(measureTables(Number(process.argv[2] ?? 1_000_000)));
}
