/**
 * Cluster faults: real processes are killed, paused, stopped and restarted while clients talk across nodes, and
 * every message is followed to its end.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Client } from "../support/client.ts";
import { startCluster, until, type ClusterNode, type RunningCluster } from "../support/cluster.ts";
import { Ledger, type Account } from "../support/ledger.ts";

const users = Array.from({ length: 12 }, (_, index) => `user${index}`);
let cluster: RunningCluster;
const ledgers: Ledger[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
  await cluster.register([...users, "alice", "bob"]);
}, 180_000);
/** Whatever a test that failed has left behind: the next one finds all nodes running and nobody logged in. */
afterEach(async () => {
  for (const ledger of ledgers.splice(0)) ledger.abandon();
  await cluster.restore();
}, 60_000);
afterAll(() => cluster.stop(), 60_000);

const login = (node: ClusterNode, user: string, resource: string): Promise<Client> =>
  Client.login({ port: node.ports.c2s, user, resource });

function newLedger(): Ledger {
  const ports = cluster.nodes.map((node) => node.ports.c2s);
  const ledger = new Ledger({ ports, users, every: 100 });
  ledgers.push(ledger);
  return ledger;
}

/** Nobody waits for a message that is gone, none came twice but where that is announced, all in order. */
function expectWhole(account: Account, atLeast: number): void {
  expect(account.lost).toEqual([]);
  expect(account.misordered).toEqual([]);
  expect(account.delivered).toBeGreaterThan(atLeast);
}

/** Sessions that this node believes to exist in the cluster. */
const seen = (node: ClusterNode): Promise<number> => node.sessions();

async function agree(count: number): Promise<void> {
  await until(async () => {
    const counts = await Promise.all(cluster.nodes.map(seen));
    return counts.every((each) => each === count);
  }, 30_000);
}

test("cluster: a chat from node to node, to full and bare JIDs, and a ping's answer", async () => {
  const alice = await login(cluster.node(0), "alice", "a");
  const bob = await login(cluster.node(2), "bob", "b");
  await alice.ping();
  await bob.ping();
  alice.send(`<message to='${bob.jid}' id='full' type='chat'><body>to one</body></message>`);
  alice.send("<message to='bob@localhost' id='bare' type='chat'><body>to all</body></message>");
  const [first, second] = [await bob.inbox.next(), await bob.inbox.next()];
  expect([first.attributes["id"], second.attributes["id"]]).toEqual(["full", "bare"]);
  expect(first.attributes["from"]).toBe(alice.jid);
  alice.send(`<iq to='${bob.jid}' id='q' type='get'><query xmlns='jabber:iq:version'/></iq>`);
  const asked = await bob.inbox.next();
  bob.send(
    `<iq to='${asked.attributes["from"]}' id='q' type='result'><query xmlns='jabber:iq:version'/></iq>`,
  );
  const answered = await alice.inbox.find(({ attributes }) => attributes["id"] === "q");
  expect([answered.attributes["type"], answered.attributes["from"]]).toEqual(["result", bob.jid]);
  await alice.close();
  await bob.close();
}, 60_000);

test("cluster: one full JID logging in on two nodes is one session, and the older one is told", async () => {
  const older = await login(cluster.node(0), "alice", "same");
  const newer = await login(cluster.node(1), "alice", "same");
  await older.inbox.closed;
  expect(older.inbox.received).toContain("<conflict");
  await newer.ping();
  await newer.close();
}, 60_000);

test("cluster: a node killed under load is gone from the others, who lose nothing", async () => {
  const ledger = newLedger();
  await ledger.start();
  await until(() => ledger.delivered > 200);
  const victim = cluster.node(1);
  victim.kill("SIGKILL");
  const killedAt = performance.now();
  ledger.avoid(victim.ports.c2s);
  await until(async () => {
    const [first, third] = [await seen(cluster.node(0)), await seen(cluster.node(2))];
    return first === third && first === ledger.online;
  }, 20_000);
  // Its port refuses redialling, so the grace ends early.
  expect(performance.now() - killedAt).toBeLessThan(6_000);
  const before = ledger.delivered;
  await until(() => ledger.online === users.length && ledger.delivered > before + 200);
  expectWhole(await ledger.stop(), 400);
  await victim.start();
  await agree(0);
}, 120_000);

test("cluster: a node paused for 20 s counts as gone, and comes back consistent", async () => {
  const ledger = newLedger();
  await ledger.start();
  await until(() => ledger.delivered > 100);
  const victim = cluster.node(2);
  victim.kill("SIGSTOP");
  const pausedAt = performance.now();
  await until(async () => (await seen(cluster.node(0))) <= (users.length * 2) / 3, 20_000);
  expect(performance.now() - pausedAt).toBeLessThan(12_000);
  await until(() => performance.now() - pausedAt > 20_000);
  victim.kill("SIGCONT");
  await until(async () => {
    const counts = await Promise.all(cluster.nodes.map(seen));
    return new Set(counts).size === 1 && counts[0] === ledger.online;
  }, 30_000);
  expectWhole(await ledger.stop(25_000), 100);
  await agree(0);
}, 120_000);

test("cluster: a graceful stop is noticed at once, and a restart under the same name joins again", async () => {
  const ledger = newLedger();
  await ledger.start();
  await until(() => ledger.delivered > 100);
  const leaver = cluster.node(0);
  ledger.avoid(leaver.ports.c2s);
  expect(await leaver.stop()).toBe(0);
  const stoppedAt = performance.now();
  await until(async () => (await cluster.node(1).metric("meerkat_cluster_peers")) === 1, 5_000);
  expect(performance.now() - stoppedAt).toBeLessThan(1_000);
  await leaver.start();
  await until(async () => (await cluster.node(1).metric("meerkat_cluster_peers")) === 2, 10_000);
  const before = ledger.delivered;
  await until(() => ledger.online === users.length && ledger.delivered > before + 100);
  expectWhole(await ledger.stop(), 200);
  await agree(0);
}, 120_000);

test("cluster: a rolling restart of all nodes under load loses nothing", async () => {
  const ledger = newLedger();
  await ledger.start();
  for (const node of cluster.nodes) {
    const before = ledger.delivered;
    await until(() => ledger.online === users.length && ledger.delivered > before + 100);
    ledger.avoid(node.ports.c2s);
    expect(await node.stop()).toBe(0);
    await node.start();
  }
  const before = ledger.delivered;
  await until(() => ledger.online === users.length && ledger.delivered > before + 100);
  expectWhole(await ledger.stop(), 400);
  await agree(0);
}, 180_000);

test("cluster: PostgreSQL stopped and started is not noticed by those who talk", async () => {
  const ledger = newLedger();
  await ledger.start();
  await until(() => ledger.delivered > 100);
  await cluster.database.stop();
  const before = ledger.delivered;
  await until(() => ledger.delivered > before + 300, 30_000);
  expect(ledger.online).toBe(users.length);
  const account = await ledger.stop();
  expect(account.losses).toBe(0);
  expectWhole(account, 400);
}, 120_000);
