/**
 * Questions: what do the replicated tables cost between real processes?
 *
 * Records look like sessions and have about 200 bytes. CPU is that of all members together. Definitions
 * are those that CETS was measured by (docs/benchmarks.md), whose figures stand beside.
 */
import { cpuMicros } from "../processes.ts";
import { median } from "../report.ts";
import { Fleet } from "./fleet.ts";

export interface Question {
  readonly name: string;
  readonly title: string;
  /** Figures by name, of one repetition. */
  readonly ask: (quick: boolean) => Promise<Readonly<Record<string, number>>>;
  /** The same figures of CETS, where they were measured. */
  readonly cets: Readonly<Record<string, number>>;
}

async function withFleet<T>(
  options: Parameters<typeof Fleet.plan>[0],
  use: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  const fleet = await Fleet.plan(options);
  try {
    return await use(fleet);
  } finally {
    await fleet.stop();
  }
}

const writes = (members: number, writers: number) => (quick: boolean) =>
  withFleet({ members }, async (fleet) => {
    await fleet.start();
    const [writer] = fleet.members;
    if (writer === undefined) throw new TypeError("a fleet has members");
    await writer.ask({ do: "write", writers, ms: 2_000 });
    const before = cpuMicros(fleet.pids);
    const result = await writer.ask({ do: "write", writers, ms: quick ? 1_500 : 5_000 });
    const micros = cpuMicros(fleet.pids) - before;
    return {
      "CPU-µs a write": micros / result.writes,
      "writes a second": result.writes / (quick ? 1.5 : 5),
      "p50 ms": result.latencyMs.p50,
      "p99 ms": result.latencyMs.p99,
      missing: result.missing,
    };
  });

const join = (records: number) => () =>
  withFleet({ members: 3 }, async (fleet) => {
    await fleet.start(2);
    const [writer, second] = fleet.members;
    if (writer === undefined || second === undefined) throw new TypeError("two members");
    await writer.ask({ do: "fill", from: 100_000, records: records / 2 });
    await second.ask({ do: "fill", from: 100_000, records: records / 2 });
    const quiet = await writer.ask({ do: "write", writers: 10, ms: 3_000 });
    const during = writer.ask({ do: "write", writers: 10, ms: 15_000 });
    const joiner = fleet.setups[2];
    if (joiner === undefined) throw new TypeError("three are planned");
    const { Member } = await import("./fleet.ts");
    const third = new Member(joiner);
    fleet.members.push(third);
    await third.ready;
    const began = performance.now();
    await third.until("synced", ({ synced }) => synced === 2);
    const ms = performance.now() - began;
    const look = await third.ask({ do: "look" });
    const { latencyMs } = await during;
    return {
      "join s": ms / 1_000,
      "joiner's peak MiB": look.peakBytes / 2 ** 20,
      "longest write ms, without a join": quiet.latencyMs.max,
      "longest write ms, during the join": latencyMs.max,
      records: look.records,
    };
  });

const rejoin = (splitMs: number) => () =>
  withFleet({ members: 2, wires: true }, async (fleet) => {
    const records = 100_000;
    await fleet.start();
    const [writer, reader] = fleet.members;
    if (writer === undefined || reader === undefined) throw new TypeError("two members");
    await writer.ask({ do: "fill", from: 0, records });
    for (const wire of fleet.wires) wire.cut();
    await new Promise((resolve) => setTimeout(resolve, splitMs / 2));
    void writer.ask({ do: "fill", from: records, records: records / 100 });
    await new Promise((resolve) => setTimeout(resolve, splitMs / 2));
    for (const wire of fleet.wires) wire.bytes = 0;
    const began = performance.now();
    for (const wire of fleet.wires) wire.mend();
    await reader.until("all there", (look) => look.records === records * 1.01);
    return {
      "return s": (performance.now() - began) / 1_000,
      "KiB on the wire": fleet.wires.reduce((sum, { bytes }) => sum + bytes, 0) / 1_024,
    };
  });

const boot = (members: number) => () =>
  withFleet({ members, tables: 12 }, async (fleet) => {
    let last = 0;
    const all = fleet.start();
    void Promise.all(fleet.members.map(({ ready }) => ready)).then(
      () => (last = performance.now()),
    );
    await all;
    return { "s after the last one listens": (performance.now() - last) / 1_000 };
  });

const down = () =>
  withFleet({ members: 3 }, async (fleet) => {
    await fleet.start();
    const [survivor, , victim] = fleet.members;
    if (survivor === undefined || victim === undefined) throw new TypeError("three members");
    await victim.ask({ do: "fill", from: 0, records: 100_000 });
    await survivor.until("all there", ({ records }) => records === 100_000);
    await survivor.ask({ do: "collect" });
    await survivor.ask({ do: "watch" });
    const began = performance.now();
    await victim.end();
    await survivor.until("gone", ({ records }) => records === 0);
    const seconds = (performance.now() - began) / 1_000;
    const { blockedMs } = await survivor.ask({ do: "look" });
    return { "gone after s": seconds, "longest block ms": blockedMs };
  });

const memory = () =>
  withFleet({ members: 2 }, async (fleet) => {
    const records = 200_000;
    await fleet.start();
    const [writer, reader] = fleet.members;
    if (writer === undefined || reader === undefined) throw new TypeError("two members");
    const before = await reader.ask({ do: "collect" });
    await writer.ask({ do: "fill", from: 0, records });
    await reader.until("all there", (look) => look.records === records);
    const after = await reader.ask({ do: "collect" });
    const used = after.heapBytes + after.externalBytes - before.heapBytes - before.externalBytes;
    const { readsPerSecond } = await writer.ask({ do: "read", keys: 10_000 });
    return {
      "bytes a replicated record": used / records,
      "million reads a second": readsPerSecond / 1e6,
    };
  });

export const questions: readonly Question[] = [
  {
    name: "cluster-write-3",
    title: "3 members, 100 writers on one, each waiting for all",
    ask: writes(3, 100),
    cets: { "CPU-µs a write": 52, "writes a second": 36_000, "p50 ms": 2.7, "p99 ms": 4.9 },
  },
  {
    name: "cluster-write-5",
    title: "5 members, 100 writers on one, each waiting for all",
    ask: writes(5, 100),
    cets: { "CPU-µs a write": 101, "writes a second": 19_000, "p50 ms": 5.3, "p99 ms": 9 },
  },
  {
    name: "cluster-flight-3",
    title: "3 members, 1000 writes under way",
    ask: writes(3, 1_000),
    cets: { "CPU-µs a write": 41, "writes a second": 47_000 },
  },
  {
    name: "cluster-flight-5",
    title: "5 members, 1000 writes under way",
    ask: writes(5, 1_000),
    cets: { "CPU-µs a write": 94, "writes a second": 21_000 },
  },
  {
    name: "cluster-join-100k",
    title: "a third member joins 100,000 records, 10 writers at work",
    ask: join(100_000),
    cets: { "join s": 0.42 },
  },
  {
    name: "cluster-join-1m",
    title: "a third member joins 1,000,000 records, 10 writers at work",
    ask: join(1_000_000),
    cets: { "join s": 11, "joiner's peak MiB": 1_600 },
  },
  {
    name: "cluster-return-2s",
    title: "back after a split of 2 s, 100,000 records, 1% more",
    ask: rejoin(2_000),
    cets: { "return s": 0.55, "KiB on the wire": 13_000 },
  },
  {
    name: "cluster-return-14s",
    title: "back after a split of 14 s (the session has ended), 100,000 records, 1% more",
    ask: rejoin(14_000),
    cets: {},
  },
  {
    name: "cluster-boot",
    title: "ten members with twelve tables start at once",
    ask: boot(10),
    cets: {},
  },
  {
    name: "cluster-down",
    title: "a member with 100,000 records is killed",
    ask: down,
    cets: { "gone after s": 0.24 },
  },
  {
    name: "cluster-memory",
    title: "200,000 replicated records, with an index; local reads",
    ask: memory,
    cets: { "bytes a replicated record": 413, "million reads a second": 0.56 },
  },
];

/** Medians of several repetitions, as a table. */
export async function answer(
  question: Question,
  repetitions: number,
  quick: boolean,
): Promise<{ readonly runs: readonly Readonly<Record<string, number>>[]; readonly table: string }> {
  const runs: Readonly<Record<string, number>>[] = [];
  for (let run = 0; run < repetitions; run++) runs.push(await question.ask(quick));
  const names = Object.keys(runs[0] ?? {});
  const lines = names.map((name) => {
    const ours = median(runs.map((run) => run[name] ?? Number.NaN));
    const theirs = question.cets[name];
    const shown = theirs === undefined ? ["", ""] : [`${theirs}`, `${(ours / theirs).toFixed(2)}×`];
    return `| ${name} | ${ours.toPrecision(3)} | ${shown.join(" | ")} |`;
  });
  const head = ["| | Meerkat | CETS | ratio |", "| --- | ---: | ---: | ---: |"];
  return {
    runs,
    table: [`### ${question.name}: ${question.title}`, "", ...head, ...lines].join("\n"),
  };
}
