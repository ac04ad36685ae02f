/**
 * Many nodes: ten processes that know of one another by the database alone start at once, five leave at once,
 * two of the five that stay die at once.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { tablesBecomeEqual } from "../support/cluster-status.ts";
import { planCluster, until, type ClusterNode, type RunningCluster } from "../support/cluster.ts";
import { Ledger } from "../support/ledger.ts";

const users = Array.from({ length: 10 }, (_, index) => `user${index}`);
let cluster: RunningCluster;

beforeAll(async () => {
  cluster = await planCluster({ nodes: 10, backend: "rdbms" });
}, 120_000);
afterAll(() => cluster.stop(), 120_000);

const peersOf = (node: ClusterNode): Promise<number> => node.metric("meerkat_cluster_peers");
const newLedger = (nodes: readonly ClusterNode[]): Ledger =>
  new Ledger({ ports: nodes.map(({ ports }) => ports.c2s), users, every: 200 });
const linked = (nodes: readonly ClusterNode[]) => async (): Promise<boolean> => {
  const peers = await Promise.all(nodes.map(peersOf));
  return peers.every((count) => count === nodes.length - 1);
};

/** Everybody is online and is heard, nothing was lost or came in another order, and tables are equal. */
async function allSpeakAgain(ledger: Ledger, nodes: readonly ClusterNode[]): Promise<void> {
  const before = ledger.delivered;
  await until(() => ledger.online === users.length && ledger.delivered > before + 50);
  await tablesBecomeEqual(nodes, users.length);
  const account = await ledger.stop();
  expect(account.lost).toEqual([]);
  expect(account.misordered).toEqual([]);
  await tablesBecomeEqual(nodes, 0);
}

test("cluster: ten nodes start at once, find one another in the database and are one server", async () => {
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await until(linked(cluster.nodes), 30_000);
  await cluster.register(users);
  const ledger = newLedger(cluster.nodes);
  await ledger.start();
  await allSpeakAgain(ledger, cluster.nodes);
}, 180_000);

test("cluster: five of ten leave at once, and nobody waits in vain", async () => {
  const staying = cluster.nodes.slice(0, 5);
  const leaving = cluster.nodes.slice(5);
  const ledger = newLedger(cluster.nodes);
  await ledger.start();
  await until(() => ledger.delivered > 50);
  for (const node of leaving) ledger.avoid(node.ports.c2s);
  expect(await Promise.all(leaving.map((node) => node.stop()))).toEqual([0, 0, 0, 0, 0]);
  await until(linked(staying), 10_000);
  await allSpeakAgain(ledger, staying);
}, 180_000);

test("cluster: two of five die at once, and nobody waits in vain", async () => {
  const staying = cluster.nodes.slice(0, 5);
  const ledger = newLedger(staying);
  await ledger.start();
  await until(() => ledger.delivered > 50);
  const [first, second, ...rest] = staying;
  for (const victim of [first, second]) {
    victim?.kill("SIGKILL");
    ledger.avoid(victim?.ports.c2s ?? 0);
  }
  await until(linked(rest), 20_000);
  await allSpeakAgain(ledger, rest);
}, 180_000);
