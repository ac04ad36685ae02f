/** Member: a process of a benched cluster; obeys orders that its parent sends. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { joinCluster, type ClusterMember } from "../../src/library/cluster-member.ts";
import type { ReplicatedTable } from "../../src/library/replicated-table.ts";
import type { Answer, Look, MemberSetup, Order, Written } from "./orders.ts";

const setup = JSON.parse(process.argv[2] ?? "{}") as MemberSetup;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

/** About 200 bytes, as a session's record: full JID, then who and since when. */
const keyOf = (owner: string, number: number): string =>
  `user${number}@example.org/${owner}-device`;
const valueOf = (number: number): string =>
  `${number}`.padStart(12, "0") +
  "7f3a9c1e5b2d4f60718293a4b5c6d7e8,gen=0,attached,available,priority=5,lang=en,ip=192.0.2.17,since=2026-01-01T00:00:00Z,mechanism=SCRAM-SHA-256";

const member = await joinCluster({
  name: setup.name,
  listen: { host: "127.0.0.1", port: setup.port },
  cluster: "bench",
  secret: "a secret of the bench alone",
  members: setup.members,
  tables: Array.from({ length: setup.tables }, (_, index) => ({
    name: `table-${index}`,
    schema: 1,
    indexBy: (key: string) => key.slice(0, key.indexOf("/")),
  })),
});
const table = member.table("table-0");

async function write(order: Extract<Order, { do: "write" }>): Promise<Written> {
  const latencies: number[] = [];
  const end = performance.now() + order.ms;
  let number = 0;
  let missing = 0;
  await Promise.all(
    Array.from({ length: order.writers }, async () => {
      while (performance.now() < end) {
        const began = performance.now();
        number += 1;
        table.put(keyOf(setup.name, number % 20_000), valueOf(number));
        missing += (await member.settled()).missing.length;
        latencies.push(performance.now() - began);
      }
    }),
  );
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? 0;
  return {
    writes: latencies.length,
    missing,
    latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}

async function fill(into: ReplicatedTable, from: number, records: number): Promise<void> {
  for (let done = 0; done < records; done += 2_000) {
    const end = Math.min(records, done + 2_000);
    for (let number = done; number < end; number++) {
      into.put(keyOf(setup.name, from + number), valueOf(number));
    }
    await member.settled();
  }
}

function look(watched: ClusterMember): Look {
  const { heapUsed, external } = process.memoryUsage();
  return {
    synced: watched.peers().filter((peer) => watched.synced(peer)).length,
    records: table.size,
    blockedMs: delay.max / 1e6,
    heapBytes: heapUsed,
    externalBytes: external,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function read(keys: number): number {
  const names = Array.from({ length: keys }, (_, number) => keyOf(setup.name, number));
  const began = performance.now();
  let found = 0;
  const rounds = Math.ceil(5_000_000 / keys);
  for (let round = 0; round < rounds; round++) {
    for (const name of names) if (table.has(name)) found += 1;
  }
  if (found === 0) throw new Error("nothing was found: this measured misses");
  return ((rounds * keys) / (performance.now() - began)) * 1_000;
}

async function obey(order: Order): Promise<Answer> {
  switch (order.do) {
    case "write":
      return write(order);
    case "fill":
      await fill(table, order.from, order.records);
      return look(member);
    case "look":
      return look(member);
    case "watch":
      delay.reset();
      return {};
    case "collect":
      globalThis.gc?.();
      return look(member);
    case "read":
      return { readsPerSecond: read(order.keys) };
    case "leave":
      await member.leave();
      setImmediate(() => process.exit(0));
      return {};
  }
}

process.on("message", ({ id, order }: { id: number; order: Order }) => {
  obey(order).then(
    (answer) => process.send?.({ id, answer }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
process.send?.({ id: 0, answer: {} });
