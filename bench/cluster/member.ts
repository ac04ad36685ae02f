/**
 * Member: a process of a benched cluster; obeys orders that its parent sends.
 *
 * The library comes from dist/, as a program that depends on us has it: the loader that runs this file from source
 * names each closure that is made, which is not free. `MEERKAT_BENCH_DIST` may name another build.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Library from "../../src/library/cluster-member.ts";
import type { ClusterMember } from "../../src/library/cluster-member.ts";
import { root } from "../subjects/subject.ts";
import type { Answer, Joined, Look, MemberSetup, Order, Reads, Written } from "./orders.ts";
import { Watch } from "./watch.ts";

const dist = resolve(root, process.env["MEERKAT_BENCH_DIST"] ?? "dist");
const built = pathToFileURL(resolve(dist, "src/library/cluster-member.js")).href;
const { joinCluster } = (await import(built)) as typeof Library;

const setup = JSON.parse(process.argv[2] ?? "{}") as MemberSetup;
const watch = new Watch();
let joined: ClusterMember | undefined;

/** About 200 bytes, as a session's record: full JID, then who and since when. */
const keyOf = (owner: string, number: number): string =>
  `user${number}@example.org/${owner}-device`;
const valueOf = (number: number): string =>
  `${number}`.padStart(12, "0") +
  "7f3a9c1e5b2d4f60718293a4b5c6d7e8,gen=0,attached,available,priority=5,lang=en,ip=192.0.2.17,since=2026-01-01T00:00:00Z,mechanism=SCRAM-SHA-256";

function member(): ClusterMember {
  if (joined === undefined) throw new Error(`${setup.name} has not joined`);
  return joined;
}

const table = (): ReturnType<ClusterMember["table"]> => member().table("table-0");

/** Looks in each turn or, when there is nothing to do, every millisecond. */
async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((next) => setTimeout(next, 1));
}

async function join(peers: number): Promise<Joined> {
  const began = performance.now();
  const self = await joinCluster({
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
  joined = self;
  const listeningAtMs = performance.timeOrigin + performance.now();
  await until(() => self.peers().filter((peer) => self.synced(peer)).length === peers);
  const syncedAtMs = performance.timeOrigin + performance.now();
  return { listeningAtMs, syncedAtMs, joinMs: performance.now() - began };
}

async function write(order: Extract<Order, { do: "write" }>): Promise<Written> {
  const [self, into] = [member(), table()];
  const latencies: number[] = [];
  const end = performance.now() + order.ms;
  let number = 0;
  let missing = 0;
  const writer = async (): Promise<void> => {
    while (performance.now() < end || number < (order.writes ?? 0)) {
      const began = performance.now();
      number += 1;
      into.put(keyOf(setup.name, number % 20_000), valueOf(number));
      missing += (await self.settled()).missing.length;
      latencies.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: order.writers }, writer));
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? 0;
  return {
    writes: latencies.length,
    missing,
    latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}

async function fill(from: number, records: number): Promise<void> {
  for (let done = 0; done < records; done += 2_000) {
    const end = Math.min(records, done + 2_000);
    for (let number = done; number < end; number++) {
      table().put(keyOf(setup.name, from + number), valueOf(number));
    }
    await member().settled();
  }
}

function look(): Look {
  watch.stop();
  const { heapUsed, external } = process.memoryUsage();
  return {
    records: joined?.table("table-0").size ?? 0,
    blockedMs: watch.wallMs,
    blockedCpuMs: watch.cpuMs,
    heapBytes: heapUsed,
    externalBytes: external,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function read(keys: number): Reads {
  const from = table();
  // In one piece, as strings are that came from a wire.
  const names = Array.from({ length: keys }, (_, number) =>
    Buffer.from(keyOf(setup.name, number)).toString("latin1"),
  );
  const rounds = Math.ceil(5_000_000 / keys);
  const perSecond = (find: (name: string) => number): number => {
    let found = 0;
    const began = performance.now();
    for (let round = 0; round < rounds; round++) for (const name of names) found += find(name);
    if (found !== rounds * keys) throw new Error("not all was found: this measured misses");
    return (found / (performance.now() - began)) * 1_000;
  };
  return {
    hasPerSecond: perSecond((name) => (from.has(name) ? 1 : 0)),
    getPerSecond: perSecond((name) => from.get(name).length),
  };
}

async function obey(order: Order): Promise<Answer> {
  switch (order.do) {
    case "join":
      return join(order.peers);
    case "write":
      return write(order);
    case "fill":
      await fill(order.from, order.records);
      return look();
    case "await":
      await until(() => table().size === order.records);
      return {};
    case "look":
      return look();
    case "watch":
      watch.start();
      return {};
    case "collect":
      globalThis.gc?.();
      return look();
    case "read":
      return read(order.keys);
    case "leave":
      await member().leave();
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
