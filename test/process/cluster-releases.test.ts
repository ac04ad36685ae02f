/** Two releases side by side, as real processes: what they speak with each other, and what if nothing. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { statusText } from "../../src/cli/cluster-status.ts";
import type { ClusterStatus } from "../../src/server/cluster-status.ts";
import { Client } from "../support/client.ts";
import { planCluster, until, type ClusterNode, type RunningCluster } from "../support/cluster.ts";

let cluster: RunningCluster;
beforeAll(async () => {
  cluster = await planCluster({ nodes: 3 });
  cluster.node(1).release = { min: 1, max: 2 };
  await Promise.all([cluster.node(0).start(), cluster.node(1).start()]);
  await cluster.register(["alice", "bob"]);
}, 180_000);
afterAll(() => cluster.stop(), 60_000);

async function statusOf(node: ClusterNode): Promise<ClusterStatus> {
  const answer = await node.get("/cluster");
  return JSON.parse(answer?.body ?? "") as ClusterStatus;
}

const linkTo = async (node: ClusterNode, port: number) =>
  (await statusOf(node)).links.find(({ address }) => address?.endsWith(`:${port}`) === true);

async function chat(from: ClusterNode, to: ClusterNode): Promise<void> {
  const alice = await Client.login({ port: from.ports.c2s, user: "alice", resource: "a" });
  const bob = await Client.login({ port: to.ports.c2s, user: "bob", resource: "b" });
  await Promise.all([alice.ping(), bob.ping()]);
  for (const [one, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    one.send(`<message to='${other.jid}' id='m' type='chat'><body>across</body></message>`);
    const heard = await other.inbox.find(({ name }) => name === "message");
    expect(heard.attributes["from"]).toBe(one.jid);
  }
  await Promise.all([alice.close(), bob.close()]);
}

test("releases: two that have one version in common are one cluster, and say which it is", async () => {
  const [old, next] = [cluster.node(0), cluster.node(1)];
  await chat(old, next);
  expect((await statusOf(old)).node.protocol).toEqual({ min: 1, max: 1 });
  expect((await statusOf(next)).node.protocol).toEqual({ min: 1, max: 2 });
  for (const [one, other] of [
    [old, next],
    [next, old],
  ] as const) {
    expect(await linkTo(one, other.ports.cluster)).toMatchObject({ state: "up", version: 1 });
  }
  expect(statusText(await statusOf(next))).toMatch(/this node +1 to 2\n.* up, joined +1 /);
}, 120_000);

test("releases: rolled forward and back one by one, nodes speak the highest that each pair has", async () => {
  const [first, second] = [cluster.node(0), cluster.node(1)];
  await first.stop();
  first.release = { min: 1, max: 2 };
  await first.start();
  await until(async () => (await linkTo(second, first.ports.cluster))?.version === 2);
  await chat(first, second);
  await second.stop();
  second.release = undefined;
  await second.start();
  await until(async () => (await linkTo(first, second.ports.cluster))?.version === 1);
  await chat(first, second);
}, 120_000);

test("releases: without a common version there is no link, and both ends name both ranges", async () => {
  const [first, third] = [cluster.node(0), cluster.node(2)];
  third.release = { min: 3, max: 4 };
  await third.start();
  const ranges = (dialler: string, acceptor: string): string =>
    `refused: version: the dialler speaks versions ${dialler}, the acceptor ${acceptor}`;
  await until(async () => {
    const [here, there] = [
      await linkTo(first, third.ports.cluster),
      await linkTo(third, first.ports.cluster),
    ];
    return (
      here?.lastError === ranges("1 to 2", "3 to 4") &&
      there?.lastError === ranges("3 to 4", "1 to 2")
    );
  });
  expect((await statusOf(first)).degraded).toBe(true);
  expect(statusText(await statusOf(third))).toContain(ranges("3 to 4", "1 to 2"));
  await chat(first, cluster.node(1));
}, 120_000);
