/** The flight recorder of a node of a cluster: replayed to the same effects, and without the secret. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NodeCrypto } from "../../src/runtime/crypto.ts";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { verify } from "../../src/server/recording.ts";
import { freePorts } from "../support/server.ts";
import { get, Started, until } from "../support/started.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";

const folder = temporaryFolder();
const secret = "nobody-shall-read-this";
const started: Started[] = [];
let database: DevDatabase;

beforeAll(async () => {
  database = await startDevDatabase({ dataDir: join(folder, "data") });
});
afterAll(async () => {
  for (const each of started) each.child.kill("SIGKILL");
  await Promise.all(started.map(({ exited }) => exited));
  await database.stop();
});

interface Wanted {
  readonly name: string;
  readonly port: number;
  readonly backend: string;
  readonly args?: readonly string[];
}

async function node({ name, port, backend, args = [] }: Wanted) {
  const [http = 0] = await freePorts(1);
  const file = join(folder, `${name}.toml`);
  writeFileSync(
    file,
    `
[[listen.http]]
port = ${http}
ip_address = "127.0.0.1"
[[listen.http.handlers.mongoose_prometheus_handler]]
[outgoing_pools.rdbms.default.connection]
port = ${database.port}
password = "${database.password}"
[cluster]
node_name = "${name}"
ip_address = "127.0.0.1"
port = ${port}
secret = "${secret}"
${backend}
`,
  );
  const running = new Started(["serve", "--config", file, ...args]);
  started.push(running);
  await running.prints("node-started");
  return { running, http };
}

async function joined(http: number): Promise<string> {
  const answer = await get(`http://127.0.0.1:${http}/cluster`);
  if (answer?.status !== 200) return "";
  const { nodes } = JSON.parse(answer.body) as { nodes: { joined: string[] } };
  return nodes.joined.toSorted().join();
}

test("recorder: a node that met another through a list in a file is verified without the secret", async () => {
  const [one = 0, two = 0] = await freePorts(2);
  const list = join(folder, "nodes.txt");
  writeFileSync(list, `a 127.0.0.1:${one}\nb 127.0.0.1:${two}\n`);
  const backend = `backend = "file"\nnode_list_file = "nodes.txt"`;
  const recording = join(folder, "a.recording");
  const a = await node({ name: "a", port: one, backend, args: ["--record", recording] });
  const b = await node({ name: "b", port: two, backend });
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

test("discovery: a node whose list cannot be read is not ready, and says why, until it can", async () => {
  const [port = 0] = await freePorts(1);
  const backend = `backend = "file"\nnode_list_file = "later.txt"`;
  const { running, http } = await node({ name: "c", port, backend });
  await until(async () => {
    const answer = await get(`http://127.0.0.1:${http}/readyz`);
    return answer?.status === 503 && answer.body.includes("there is no such file");
  });
  writeFileSync(join(folder, "later.txt"), `c 127.0.0.1:${port}\n`);
  await until(async () => (await get(`http://127.0.0.1:${http}/readyz`))?.status === 200);
  running.child.kill("SIGTERM");
  expect(await running.exited).toBe(0);
});
