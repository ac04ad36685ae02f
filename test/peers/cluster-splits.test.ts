/**
 * Cluster splits: real links between real nodes are cut by the kernel's packet filter, silently, and mended; a
 * node dies whose host does not even refuse to be dialled.
 *
 * Needs nftables and root; elsewhere it says so and is skipped.
 */
import { spawnSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Client } from "../support/client.ts";
import { sees, statusOf, tablesBecomeEqual } from "../support/cluster-status.ts";
import { startCluster, until, type ClusterNode, type RunningCluster } from "../support/cluster.ts";
import { Ledger } from "../support/ledger.ts";

const filter = "meerkat_splits";
const nft = (rules: string): number | null =>
  spawnSync("nft", ["-f", "-"], { input: rules }).status;
const possible =
  process.getuid?.() === 0 && nft(`table ip ${filter} {\n}\ndelete table ip ${filter}\n`) === 0;
if (!possible) console.log("cluster splits: skipped, since they need nftables and root");

const users = Array.from({ length: 9 }, (_, index) => `user${index}`);
const ledgers: Ledger[] = [];
let cluster: RunningCluster;

beforeAll(async () => {
  if (!possible) return;
  cluster = await startCluster({ nodes: 3 });
  await cluster.register([...users, "alice"]);
}, 180_000);
afterEach(() => {
  mend();
  for (const ledger of ledgers.splice(0)) ledger.abandon();
});
afterAll(async () => {
  if (possible) await cluster.stop();
}, 60_000);

/** No packet passes between these nodes, in either direction, and nobody is told. */
function cut(...pairs: readonly (readonly [ClusterNode, ClusterNode])[]): void {
  filtered(
    pairs.flatMap(([a, b]) => [
      `ip saddr ${a.ports.clusterAddress} ip daddr ${b.ports.clusterAddress} drop`,
      `ip saddr ${b.ports.clusterAddress} ip daddr ${a.ports.clusterAddress} drop`,
    ]),
  );
}

/** Whoever dials this node hears nothing, not even that its port is closed. */
function dialInVain({ ports }: ClusterNode): void {
  const { clusterAddress, cluster: port } = ports;
  filtered([`ip daddr ${clusterAddress} tcp dport ${port} tcp flags & (syn | ack) == syn drop`]);
}

function filtered(drop: readonly string[]): void {
  const chain = ["type filter hook input priority 0", ...drop].join("\n");
  const rules = `table ip ${filter} {\nchain links {\n${chain}\n}\n}\n`;
  if (nft(rules) !== 0) throw new Error("nft refused the rules");
}

function mend(): void {
  if (possible) nft(`delete table ip ${filter}\n`);
}

function newLedger(): Ledger {
  const ports = cluster.nodes.map((node) => node.ports.c2s);
  const ledger = new Ledger({ ports, users, every: 100 });
  ledgers.push(ledger);
  return ledger;
}

test.skipIf(!possible)(
  "cluster: a node split off for 20 s costs nobody a message without an answer, and is back in seconds",
  async () => {
    const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const ledger = newLedger();
    await ledger.start();
    await until(() => ledger.delivered > 100);
    cut([first, third], [second, third]);
    const cutAt = performance.now();
    // Silent for the heartbeat's timeout and the grace: each side goes on without the other.
    await until(async () => (await third.metric("meerkat_cluster_peers")) === 0, 20_000);
    await until(async () => (await first.metric("meerkat_cluster_peers")) === 1, 20_000);
    expect(performance.now() - cutAt).toBeLessThan(12_000);
    await until(() => performance.now() - cutAt > 20_000);
    mend();
    const mendedAt = performance.now();
    await until(async () => (await third.metric("meerkat_cluster_peers")) === 2, 30_000);
    await tablesBecomeEqual(cluster.nodes, users.length);
    expect(performance.now() - mendedAt).toBeLessThan(10_000);
    const account = await ledger.stop(30_000);
    expect(account.lost).toEqual([]);
    expect(account.misordered).toEqual([]);
    await tablesBecomeEqual(cluster.nodes, 0);
    expect(account.errors).toBeGreaterThan(0); // those who were out of reach, and their senders were told
    expect(account.losses).toBe(0);
  },
  120_000,
);

test.skipIf(!possible)(
  "cluster: a node killed where dialling it gets no answer is gone from the others within 6 s",
  async () => {
    const [first, victim, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const ledger = newLedger();
    await ledger.start();
    await until(() => ledger.delivered > 100);
    const { boot } = (await statusOf(victim)).node;
    const seen = async (): Promise<boolean[]> => [await sees(first, boot), await sees(third, boot)];
    expect(await seen()).toEqual([true, true]);
    dialInVain(victim);
    ledger.avoid(victim.ports.c2s);
    victim.kill("SIGKILL");
    const killedAt = performance.now();
    await until(async () => !(await seen()).includes(true), 20_000);
    const took = performance.now() - killedAt;
    expect(took).toBeLessThan(6_000);
    expect(took).toBeGreaterThan(4_000); // it was the grace that has ended, not a refused dial
    mend();
    await victim.start();
    const before = ledger.delivered;
    await until(() => ledger.online === users.length && ledger.delivered > before + 100);
    await tablesBecomeEqual(cluster.nodes, users.length);
    const account = await ledger.stop(30_000);
    expect(account.lost).toEqual([]);
    expect(account.misordered).toEqual([]);
    expect(account.losses).toBe(users.length / 3);
    await tablesBecomeEqual(cluster.nodes, 0);
  },
  120_000,
);

test.skipIf(!possible)(
  "cluster: two nodes that do not see each other, though both see a third, take nobody down",
  async () => {
    const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const ledger = newLedger();
    await ledger.start();
    await until(() => ledger.delivered > 100);
    cut([first, third]);
    await until(async () => (await first.metric("meerkat_cluster_peers")) === 1, 20_000);
    await until(async () => (await third.metric("meerkat_cluster_peers")) === 1, 20_000);
    expect(await second.metric("meerkat_cluster_peers")).toBe(2);
    const status = JSON.parse((await first.get("/cluster"))?.body ?? "{}") as {
      degraded: boolean;
      nodes: { unavailable: readonly string[] };
    };
    expect(status.degraded).toBe(true);
    expect(status.nodes.unavailable).toHaveLength(1);
    const before = ledger.delivered;
    await until(() => ledger.delivered > before + 100);
    mend();
    await tablesBecomeEqual(cluster.nodes, users.length);
    const account = await ledger.stop(30_000);
    expect(account.lost).toEqual([]);
    expect(account.misordered).toEqual([]);
    await tablesBecomeEqual(cluster.nodes, 0);
    expect(account.losses).toBe(0);
  },
  120_000,
);

test.skipIf(!possible)(
  "cluster: one full JID on both sides of a split is one session after it, and the other is told",
  async () => {
    const [first, , third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    cut(...cluster.nodes.slice(0, 2).map((node) => [node, third] as const));
    await until(async () => (await third.metric("meerkat_cluster_peers")) === 0, 20_000);
    await until(async () => (await first.metric("meerkat_cluster_peers")) === 1, 20_000);
    const login = (node: ClusterNode): Promise<Client> =>
      Client.login({ port: node.ports.c2s, user: "alice", resource: "same" });
    const older = await login(first);
    const newer = await login(third);
    await older.ping();
    mend();
    await older.inbox.closed;
    expect(older.inbox.received).toContain("<conflict");
    await newer.ping();
    await newer.close();
    await tablesBecomeEqual(cluster.nodes, 0);
  },
  120_000,
);
