/** A node that starts while what names the other nodes is away: it waits, is not ready, and says why. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { clusterNode, joined, killAll } from "../support/cluster-node.ts";
import {} from "../support/server.ts";
import { freePorts } from "../../src/runtime/free-ports.ts";
import { get, until } from "../support/started.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";

const folder = temporaryFolder();
let database: DevDatabase;

beforeAll(async () => {
  database = await startDevDatabase({ dataDir: join(folder, "data") });
});
afterAll(async () => {
  await killAll();
  await database.stop();
});

const readiness = (http: number) => get(`http://127.0.0.1:${http}/readyz`);

test("discovery: a node that boots in an outage of the database joins when it is over", async () => {
  const [one = 0, two = 0] = await freePorts(2);
  await database.stop();
  const a = await clusterNode({ folder, database, name: "a", port: one });
  await until(async () => {
    const answer = await readiness(a.http);
    return answer?.status === 503 && answer.body.includes("the database does not answer since");
  });
  database = await startDevDatabase({ dataDir: join(folder, "data") });
  await until(async () => (await readiness(a.http))?.status === 200);
  expect(a.running.output).toContain("database-away");
  expect(a.running.output).toContain("database-back");
  const b = await clusterNode({ folder, database, name: "b", port: two });
  await until(async () => (await joined(a.http)) === "a,b" && (await joined(b.http)) === "a,b");

  // A running cluster does not notice: nobody goes, nobody is less ready.
  await database.stop();
  await until(() => b.running.output.includes("discovery-failed"));
  expect([await joined(a.http), await joined(b.http)]).toEqual(["a,b", "a,b"]);
  expect((await readiness(a.http))?.status).toBe(200);
  database = await startDevDatabase({ dataDir: join(folder, "data") });
  for (const { running } of [a, b]) {
    running.child.kill("SIGTERM");
    expect(await running.exited).toBe(0);
  }
}, 180_000);

test("discovery: a wrong password is no outage: the node says so and ends", async () => {
  const [port = 0] = await freePorts(1);
  const wrong = { port: database.port, password: "not this" };
  await expect(clusterNode({ folder, database: wrong, name: "w", port })).rejects.toThrow(
    /Cannot use the database .*password authentication failed/,
  );
});

test("discovery: a node whose list cannot be read is not ready, and says why, until it can", async () => {
  const [port = 0] = await freePorts(1);
  const backend = `backend = "file"\nnode_list_file = "later.txt"`;
  const { running, http } = await clusterNode({ folder, database, name: "c", port, backend });
  await until(async () => {
    const answer = await get(`http://127.0.0.1:${http}/readyz`);
    return answer?.status === 503 && answer.body.includes("there is no such file");
  });
  writeFileSync(join(folder, "later.txt"), `c 127.0.0.1:${port}\n`);
  await until(async () => (await get(`http://127.0.0.1:${http}/readyz`))?.status === 200);
  running.child.kill("SIGTERM");
  expect(await running.exited).toBe(0);
});
