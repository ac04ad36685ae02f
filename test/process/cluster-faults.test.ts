/**
 * Cluster faults: real processes are killed, paused, stopped and restarted while clients talk across nodes, in
 * clusters of three and of five.
 *
 * Each fault is met under a ledger that follows every message until it is delivered or its sender is told
 * (an error, or the end of a stream), and ends with everybody online, the same tables on every node and, once all
 * have logged out, empty ones. What is told how fast is measured by what the other nodes show.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Client } from "../support/client.ts";
import { linkSessionsAmong, sees, statusOf, tablesBecomeEqual } from "../support/cluster-status.ts";
import { startCluster, until, type ClusterNode, type RunningCluster } from "../support/cluster.ts";
import { Ledger } from "../support/ledger.ts";

interface Scene {
  readonly cluster: RunningCluster;
  readonly ledger: Ledger;
  readonly users: readonly string[];
}

/** Messages that arrive before a fault, and after it. */
const enough = 100;
/** Promised where redialling is refused. */
const refusedMax = 1_000;
/** Promised of a node that is silent: `heartbeat_timeout`, `link_grace`, and a second for either's clock. */
const silentMax = 11_000;

const faults: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "killed: gone from the others within a second, who are not disturbed": async (scene) => {
    const [victim, ...others] = scene.cluster.nodes as [ClusterNode, ...ClusterNode[]];
    await disturbsNobody(scene, victim, async () => {
      await goneWithin(refusedMax, victim, others, () => victim.kill("SIGKILL"));
      await victim.start();
    });
  },
  "killed and started again at once, under the same name: its old sessions are gone, and it is back":
    async (scene) => {
      const victim = scene.cluster.nodes.at(-1) as ClusterNode;
      const others = scene.cluster.nodes.slice(0, -1);
      await disturbsNobody(scene, victim, async () => {
        let restarted = Promise.resolve();
        await goneWithin(refusedMax, victim, others, async () => {
          victim.kill("SIGKILL");
          await victim.exited;
          restarted = victim.start();
        });
        await restarted;
      });
    },
  "paused for 20 s: gone within 11 s, and back and consistent afterwards": async ({ cluster }) => {
    const [first, victim, ...others] = cluster.nodes as [
      ClusterNode,
      ClusterNode,
      ...ClusterNode[],
    ];
    const pausedAt = performance.now();
    await goneWithin(silentMax, victim, [first, ...others], () => victim.kill("SIGSTOP"));
    await until(() => performance.now() - pausedAt > 20_000);
    victim.kill("SIGCONT");
  },
  "stopped: noticed at once": async (scene) => {
    const [, ...others] = scene.cluster.nodes;
    const leaver = scene.cluster.node(0);
    await disturbsNobody(scene, leaver, async () => {
      expect(await leaver.stop()).toBe(0);
      const stoppedAt = performance.now();
      await until(linked(others), 5_000);
      expect(performance.now() - stoppedAt).toBeLessThan(refusedMax);
      await leaver.start();
    });
  },
  "all restarted, one after the other": async ({ cluster, ledger, users }) => {
    for (const node of cluster.nodes) {
      const before = ledger.delivered;
      await until(() => ledger.online === users.length && ledger.delivered > before + enough);
      ledger.avoid(node.ports.c2s);
      expect(await node.stop()).toBe(0);
      await node.start();
    }
  },
  "PostgreSQL stopped and started: not noticed by those who talk": async (scene) => {
    const { cluster, ledger, users } = scene;
    const sessionsBefore = await linkSessionsAmong(cluster.nodes);
    await cluster.database.stop();
    const before = ledger.delivered;
    await until(() => ledger.delivered > before + 3 * enough, 60_000);
    await cluster.startDatabase();
    for (const node of cluster.nodes) await canLogIn(node);
    expect(ledger.online).toBe(users.length);
    expect(ledger.losses).toBe(0);
    expect(await linkSessionsAmong(cluster.nodes)).toEqual(sessionsBefore);
  },
};

describe.each([
  { nodes: 3, backend: "static" },
  { nodes: 5, backend: "rdbms" },
] as const)("cluster of $nodes", ({ nodes, backend }) => {
  const users = Array.from({ length: 3 * nodes }, (_, index) => `user${index}`);
  let cluster: RunningCluster;
  let ledger: Ledger | undefined;

  beforeAll(async () => {
    cluster = await startCluster({ nodes, backend });
    await cluster.register([...users, "alice", "bob", "visitor"]);
  }, 180_000);
  /** Whatever a test that failed has left behind: the next one finds all nodes running and nobody logged in. */
  afterEach(async () => {
    ledger?.abandon();
    await cluster.restore();
  }, 60_000);
  afterAll(() => cluster.stop(), 60_000);

  test("a chat from node to node, and a request's answer", () => chat(cluster));
  test("one full JID logging in on two nodes is one session, and the older one is told", () =>
    oneFullJid(cluster));

  test.each(Object.entries(faults))(
    "%s",
    async (_, fault) => {
      await until(linked(cluster.nodes), 30_000);
      ledger = new Ledger({
        ports: cluster.nodes.map(({ ports }) => ports.c2s),
        users,
        every: 100,
      });
      await ledger.start();
      await until(() => (ledger?.delivered ?? 0) > enough);
      await fault({ cluster, ledger, users });
      await endsWell(cluster, ledger, users.length);
    },
    180_000,
  );
});

/** Everybody is heard again; nobody waits for a message that is gone, none overtook another, tables are equal. */
async function endsWell(cluster: RunningCluster, ledger: Ledger, online: number): Promise<void> {
  await until(linked(cluster.nodes), 30_000);
  const before = ledger.delivered;
  await until(() => ledger.online === online && ledger.delivered > before + enough);
  await tablesBecomeEqual(cluster.nodes, online);
  const account = await ledger.stop(25_000);
  expect(account.lost).toEqual([]);
  expect(account.misordered).toEqual([]);
  await tablesBecomeEqual(cluster.nodes, 0);
}

const linked = (nodes: readonly ClusterNode[]) => async (): Promise<boolean> => {
  const peers = await Promise.all(nodes.map((node) => node.metric("meerkat_cluster_peers")));
  return peers.every((count) => count === nodes.length - 1);
};

/** From here until none of these others shows sessions of the process that runs now as this node. */
async function goneWithin(
  max: number,
  victim: ClusterNode,
  others: readonly ClusterNode[],
  fault: () => void | Promise<void>,
): Promise<void> {
  const { boot } = (await statusOf(victim)).node;
  for (const node of others) expect(await sees(node, boot)).toBe(true);
  const from = Date.now();
  await fault();
  await Promise.all(others.map((node) => until(async () => !(await sees(node, boot)), 30_000)));
  const took = others.map((node) => noticedAt(node, boot) - from);
  expect(Math.max(...took)).toBeLessThan(max);
}

/** When it hid that process's sessions, as its log says: to be asked takes time of its own on a busy machine. */
function noticedAt(node: ClusterNode, boot: string): number {
  const line = node.output
    .split("\n")
    .find((each) => /"event":"peer-down"/.test(each) && each.includes(boot));
  return Date.parse((JSON.parse(line ?? "{}") as { time?: string }).time ?? "");
}

/** Only who was on the node that goes loses a stream, and the other nodes keep their links. */
async function disturbsNobody(
  { cluster, ledger, users }: Scene,
  victim: ClusterNode,
  fault: () => Promise<void>,
): Promise<void> {
  const others = cluster.nodes.filter((node) => node !== victim);
  const sessionsBefore = await linkSessionsAmong(others);
  expect(sessionsBefore).toHaveLength(others.length * (others.length - 1));
  ledger.avoid(victim.ports.c2s); // as soon as they lose it
  await fault();
  await until(() => ledger.online === users.length);
  expect(ledger.losses).toBe(users.length / cluster.nodes.length);
  expect(await linkSessionsAmong(others)).toEqual(sessionsBefore);
}

/** Its pool dials again by itself, with growing pauses. */
async function canLogIn(node: ClusterNode): Promise<void> {
  let client: Client | undefined;
  await until(async () => {
    client = await Client.login({ port: node.ports.c2s, user: "visitor" }).catch(() => undefined);
    return client !== undefined;
  }, 30_000);
  await client?.close();
}

/** A chat from the first node to the last, to a full and a bare JID, and a request that is answered. */
async function chat(cluster: RunningCluster): Promise<void> {
  const alice = await login(cluster.node(0), "alice", "a");
  const bob = await login(cluster.nodes.at(-1) as ClusterNode, "bob", "b");
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
}

async function oneFullJid(cluster: RunningCluster): Promise<void> {
  const older = await login(cluster.node(0), "alice", "same");
  const newer = await login(cluster.node(1), "alice", "same");
  await older.inbox.closed;
  expect(older.inbox.received).toContain("<conflict");
  await newer.ping();
  await newer.close();
}

const login = (node: ClusterNode, user: string, resource: string): Promise<Client> =>
  Client.login({ port: node.ports.c2s, user, resource });
