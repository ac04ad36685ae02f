/**
 * A PostgreSQL that is there and far too slow: a running cluster does not notice, a node that boots waits and says why.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client } from "../support/client.ts";
import { planCluster, until, type RunningCluster } from "../support/cluster.ts";
import { Gate } from "../support/gate.ts";

const gate = new Gate();
let cluster: RunningCluster;

beforeAll(async () => {
  cluster = await planCluster({
    ...{ nodes: 3, backend: "rdbms" },
    databasePort: (port) => gate.open(port),
  });
  await Promise.all([cluster.node(0).start(), cluster.node(1).start()]);
  await cluster.register(["alice", "bob"]);
}, 180_000);

afterAll(async () => {
  gate.delayMs = 0;
  await cluster.stop();
  gate.close();
});

test("database slow: who is there talks on and stays ready; who boots waits, and says why", async () => {
  const [n1, n2, n3] = [cluster.node(0), cluster.node(1), cluster.node(2)];
  const alice = await Client.login({ port: n1.ports.c2s, user: "alice" });
  const bob = await Client.login({ port: n2.ports.c2s, user: "bob" });
  let got = 0;
  bob.inbox.onNode = ({ name }) => void (got += name === "message" ? 1 : 0);
  const talk = async (): Promise<void> => {
    const before = got;
    for (let count = 0; count < 20; count += 1) {
      alice.send(`<message to='${bob.jid}' id='${count}'><body>hello</body></message>`);
    }
    await until(() => got === before + 20, 5_000);
  };
  await talk();
  const lost = async (): Promise<number> => {
    const [one, two] = await Promise.all(
      [n1, n2].map((node) => node.metric("meerkat_cluster_peers")),
    );
    return 2 - (one ?? 0) - (two ?? 0);
  };
  expect(await lost()).toBe(0);

  gate.delayMs = 5_000; // more than a query may take
  await until(
    () => n1.output.includes("discovery-failed") && n2.output.includes("discovery-failed"),
  );
  const boots = n3.start();
  const why = async (): Promise<string> => {
    const answer = await n3.get("/readyz");
    expect(answer?.status ?? 503).toBe(503);
    return answer?.body ?? "";
  };
  await until(async () =>
    /database (does not answer since|has not answered yet)/.test(await why()),
  );
  for (const node of [n1, n2]) expect((await node.get("/readyz"))?.status).toBe(200);
  await talk();
  expect(await lost()).toBe(0);

  gate.delayMs = 0;
  await boots;
  await until(async () => (await n3.metric("meerkat_cluster_peers")) === 2);
  await talk();
  const carol = await Client.login({ port: n3.ports.c2s, user: "bob" });
  await Promise.all([alice, bob, carol].map((client) => client.close()));
}, 240_000);
