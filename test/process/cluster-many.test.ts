/**
 * Many nodes: ten processes that know of one another by the database alone start at once, five leave at once,
 * two of those that stay die at once.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client } from "../support/client.ts";
import { planCluster, until, type ClusterNode, type RunningCluster } from "../support/cluster.ts";
import { Ledger } from "../support/ledger.ts";

const users = Array.from({ length: 10 }, (_, index) => `user${index}`);
let cluster: RunningCluster;

beforeAll(async () => {
  cluster = await planCluster({ nodes: 10, backend: "rdbms" });
}, 120_000);
afterAll(() => cluster.stop(), 120_000);

const peersOf = (node: ClusterNode): Promise<number> => node.metric("meerkat_cluster_peers");
const linked = (nodes: readonly ClusterNode[]) => async (): Promise<boolean> => {
  const peers = await Promise.all(nodes.map(peersOf));
  return peers.every((count) => count === nodes.length - 1);
};

test("cluster: ten nodes start at once, find one another in the database and are one server", async () => {
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await until(linked(cluster.nodes), 30_000);
  await cluster.register(users);
  const clients = await Promise.all(
    cluster.nodes.map((node, index) =>
      Client.login({ port: node.ports.c2s, user: users[index] ?? "", resource: "r" }),
    ),
  );
  for (const [index, client] of clients.entries()) {
    const next = clients[(index + 1) % clients.length];
    client.send(`<message to='${next?.jid}' id='from-${index}'/>`);
  }
  const received = await Promise.all(clients.map((client) => client.inbox.next()));
  expect(received.map(({ attributes }) => attributes["id"])).toEqual(
    users.map((_, index) => `from-${(index + users.length - 1) % users.length}`),
  );
  await Promise.all(clients.map((client) => client.close()));
}, 180_000);

test("cluster: five of ten leave at once, two of the others die at once, and nobody waits in vain", async () => {
  const staying = cluster.nodes.slice(0, 5);
  const leaving = cluster.nodes.slice(5);
  const ledger = new Ledger({
    ports: cluster.nodes.map(({ ports }) => ports.c2s),
    users,
    every: 200,
  });
  await ledger.start();
  await until(() => ledger.delivered > 50);
  for (const node of leaving) ledger.avoid(node.ports.c2s);
  expect(await Promise.all(leaving.map((node) => node.stop()))).toEqual([0, 0, 0, 0, 0]);
  await until(linked(staying), 10_000);
  const before = ledger.delivered;
  await until(() => ledger.online === users.length && ledger.delivered > before + 50);
  const [first, second, ...rest] = staying;
  for (const victim of [first, second]) {
    victim?.kill("SIGKILL");
    ledger.avoid(victim?.ports.c2s ?? 0);
  }
  await until(linked(rest), 20_000);
  const later = ledger.delivered;
  await until(() => ledger.online === users.length && ledger.delivered > later + 50);
  const account = await ledger.stop();
  expect(account.lost).toEqual([]);
  expect(account.misordered).toEqual([]);
  const counts = await Promise.all(rest.map((node) => node.sessions()));
  expect(new Set(counts).size).toBe(1);
}, 180_000);
