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

function first<T>(members: readonly T[]): readonly [T, T, T] {
  const [one, two, three] = members;
  if (one === undefined || two === undefined) throw new TypeError("a fleet has two members");
  return [one, two, three ?? two];
}

const writes = (members: number, writers: number) => (quick: boolean) =>
  withFleet({ members }, async (fleet) => {
    await fleet.start();
    const [writer] = first(fleet.members);
    // By number, too: on a busy machine two seconds are not enough for the compiler to see what is hot.
    await writer.ask({ do: "write", writers, ms: 2_000, writes: 60_000 });
    const before = cpuMicros(fleet.pids);
    const began = performance.now();
    const result = await writer.ask({
      ...{ do: "write", writers },
      ...(quick ? { ms: 1_500, writes: 20_000 } : { ms: 5_000, writes: 100_000 }),
    });
    const micros = cpuMicros(fleet.pids) - before;
    return {
      "CPU-µs a write": micros / result.writes,
      "writes a second": (result.writes / (performance.now() - began)) * 1_000,
      "p50 ms": result.latencyMs.p50,
      "p99 ms": result.latencyMs.p99,
      missing: result.missing,
    };
  });

/**
 * A member joins while nobody writes, as CETS's writers stand still during a join; then another one while
 * ten writers are at work. They write for `ms` in all, without a join and with one: a longer look would
 * see longer delays.
 */
const join = (records: number, ms: number) => () =>
  withFleet({ members: 4 }, async (fleet) => {
    await fleet.start(2);
    const [writer, second] = first(fleet.members);
    for (const member of [writer, second]) {
      await member.ask({ do: "fill", from: 100_000, records: records / 2 });
    }
    const [third, fourth] = await fleet.launch();
    if (third === undefined || fourth === undefined) throw new TypeError("four are planned");
    const alone = await third.ask({ do: "join", peers: 2 });
    await third.ask({ do: "leave" });
    await writer.ask({ do: "write", writers: 10, ms: 1_000 });
    const quiet = await writer.ask({ do: "write", writers: 10, ms });
    const during = writer.ask({ do: "write", writers: 10, ms });
    const pids = [writer.pid, second.pid, fourth.pid];
    const before = cpuMicros(pids);
    const { joinMs } = await fourth.ask({ do: "join", peers: 2 });
    const micros = cpuMicros(pids) - before;
    const look = await fourth.ask({ do: "look" });
    const { latencyMs } = await during;
    return {
      "join s": alone.joinMs / 1_000,
      "join s, ten writers at work": joinMs / 1_000,
      "CPU s of the second join, all three, writes included": micros / 1e6,
      "joiner's peak MiB": look.peakBytes / 2 ** 20,
      "longest write ms, without a join": quiet.latencyMs.max,
      "longest write ms, during the join": latencyMs.max,
      "longest write, ratio": latencyMs.max / quiet.latencyMs.max,
      records: look.records,
    };
  });

const rejoin =
  (splitMs: number, changed = 1_000) =>
  () =>
    withFleet({ members: 2, wires: true }, async (fleet) => {
      const records = 100_000;
      await fleet.start();
      const [writer, reader] = first(fleet.members);
      await writer.ask({ do: "fill", from: 0, records });
      for (const wire of fleet.wires) wire.cut();
      await new Promise((resolve) => setTimeout(resolve, splitMs / 2));
      const filling = writer.ask({ do: "fill", from: records, records: changed });
      await new Promise((resolve) => setTimeout(resolve, splitMs / 2));
      for (const wire of fleet.wires) wire.bytes = 0;
      const began = performance.now();
      for (const wire of fleet.wires) wire.mend();
      await reader.ask({ do: "await", records: records + changed });
      const seconds = (performance.now() - began) / 1_000;
      await filling;
      const bytes = fleet.wires.reduce((sum, wire) => sum + wire.bytes, 0);
      return {
        "return s": seconds,
        "KiB on the wire": bytes / 1_024,
        "bytes a changed record": bytes / changed,
      };
    });

const boot = (members: number) => () =>
  withFleet({ members, tables: 12 }, async (fleet) => {
    const all = await fleet.start();
    const last = Math.max(...all.map(({ listeningAtMs }) => listeningAtMs));
    const synced = Math.max(...all.map(({ syncedAtMs }) => syncedAtMs));
    return { "s after the last one listens": (synced - last) / 1_000 };
  });

const down = () =>
  withFleet({ members: 3 }, async (fleet) => {
    await fleet.start();
    const [survivor, , victim] = first(fleet.members);
    await victim.ask({ do: "fill", from: 0, records: 100_000 });
    await survivor.ask({ do: "await", records: 100_000 });
    await survivor.ask({ do: "collect" });
    // The watch itself is compiled and warmed up first: what it then sees is the survivor's.
    await survivor.ask({ do: "watch" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await survivor.ask({ do: "watch" });
    const began = performance.now();
    await victim.end("SIGKILL");
    await survivor.ask({ do: "await", records: 0 });
    const seconds = (performance.now() - began) / 1_000;
    const { blockedMs, blockedCpuMs } = await survivor.ask({ do: "look" });
    return {
      "gone after s": seconds,
      "longest block ms": blockedMs,
      "longest block, CPU ms": blockedCpuMs,
    };
  });

const memory = () =>
  withFleet({ members: 2 }, async (fleet) => {
    const records = 200_000;
    await fleet.start();
    const [writer, reader] = first(fleet.members);
    const before = await reader.ask({ do: "collect" });
    await writer.ask({ do: "fill", from: 0, records });
    await reader.ask({ do: "await", records });
    const after = await reader.ask({ do: "collect" });
    const used = after.heapBytes + after.externalBytes - before.heapBytes - before.externalBytes;
    const { hasPerSecond, getPerSecond } = await writer.ask({ do: "read", keys: 10_000 });
    return {
      "bytes a replicated record": used / records,
      "million reads a second, has": hasPerSecond / 1e6,
      "million reads a second, get": getPerSecond / 1e6,
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
    title: "a member joins 100,000 records",
    ask: join(100_000, 3_000),
    cets: { "join s": 0.42 },
  },
  {
    name: "cluster-join-1m",
    title: "a member joins 1,000,000 records",
    ask: join(1_000_000, 10_000),
    cets: { "join s": 11, "joiner's peak MiB": 1_600 },
  },
  {
    name: "cluster-return-2s",
    title: "back after a split of 2 s, 100,000 records, 1% more",
    ask: rejoin(2_000),
    cets: { "return s": 0.55, "KiB on the wire": 13_000 },
  },
  {
    name: "cluster-return-2s-less",
    title: "the same with 0.1% more",
    ask: rejoin(2_000, 100),
    cets: {},
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
    cets: { "bytes a replicated record": 413, "million reads a second, has": 0.56 },
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
