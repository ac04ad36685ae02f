/** The flight recorder of a node of a cluster: replayed to the same effects, and without the secret. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NodeCrypto } from "../../src/runtime/crypto.ts";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { verify } from "../../src/server/recording.ts";
import {} from "../support/server.ts";
import { freePorts } from "../../src/runtime/free-ports.ts";
import { clusterNode, joined, killAll, secret } from "../support/cluster-node.ts";
import { until } from "../support/started.ts";
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

test("recorder: a node that met another through a list in a file is verified without the secret", async () => {
  const [one = 0, two = 0] = await freePorts(2);
  const list = join(folder, "nodes.txt");
  writeFileSync(list, `a 127.0.0.1:${one}\nb 127.0.0.1:${two}\n`);
  const backend = `backend = "file"\nnode_list_file = "nodes.txt"`;
  const recording = join(folder, "a.recording");
  const a = await clusterNode({
    folder,
    database,
    name: "a",
    port: one,
    backend,
    args: ["--record", recording],
  });
  const b = await clusterNode({ folder, database, name: "b", port: two, backend });
  await until(async () => (await joined(a.http)) === "a,b" && (await joined(b.http)) === "a,b");
  b.running.child.kill("SIGTERM");
  expect(await b.running.exited).toBe(0);
  await until(async () => (await joined(a.http)) === "a");
  a.running.child.kill("SIGTERM");
  expect(await a.running.exited).toBe(0);
  const text = readFileSync(recording, "utf8");
  expect(text).not.toContain(secret);
  const verdict = verify(text.split("\n"), new NodeCrypto(() => undefined));
  expect(verdict).toMatchObject({ equal: true });
});
