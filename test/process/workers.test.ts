/** `meerkat serve --workers N`: several processes on the same ports, as one server, supervised. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";
import {} from "../support/server.ts";
import { freePorts } from "../../src/runtime/free-ports.ts";
import { get, isAlive, Started, until } from "../support/started.ts";

const folder = temporaryFolder();
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

interface Ports {
  readonly c2s: number;
  readonly http: number;
}

async function configuration(name: string, more = ""): Promise<Ports & { file: string }> {
  const [c2s = 0, http = 0] = await freePorts(2);
  const file = join(folder, `${name}.toml`);
  writeFileSync(
    file,
    `
[[listen.c2s]]
port = ${c2s}
ip_address = "127.0.0.1"
allow_plaintext = true
[[listen.http]]
port = ${http}
ip_address = "127.0.0.1"
[[listen.http.handlers.mongoose_prometheus_handler]]
[outgoing_pools.rdbms.default.connection]
port = ${database.port}
password = "${database.password}"
${more}`,
  );
  return { c2s, http, file };
}

async function serve(file: string, ...args: string[]): Promise<Started> {
  const running = new Started(["serve", "--config", file, ...args]);
  started.push(running);
  await running.prints("workers-started");
  return running;
}

/** The value of a metric by the worker that tells it. */
async function byWorker(http: number, name: string): Promise<Record<string, number>> {
  const { body = "" } = (await get(`http://127.0.0.1:${http}/metrics`)) ?? {};
  const found = body.matchAll(new RegExp(`^${name}\\{worker="(\\d+)"\\} (\\S+)$`, "gm"));
  return Object.fromEntries([...found].map(([, worker, value]) => [worker, Number(value)]));
}

const connected = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.once("error", reject);
  });

test(
  "workers: share the ports, tell themselves apart, are restarted, and end with their supervisor",
  { timeout: 180_000 },
  async () => {
    const { file, c2s, http } = await configuration("alone");
    const running = await serve(file, "--workers", "2");
    await until(async () => (await get(`http://127.0.0.1:${http}/readyz`))?.status === 200);

    const sockets: Socket[] = [];
    await until(async () => {
      sockets.push(await connected(c2s)); // in turn, as far as workers are quick to take them
      const counts = await byWorker(http, "meerkat_connections_opened_total");
      return (counts["1"] ?? 0) > 0 && (counts["2"] ?? 0) > 0;
    });
    for (const socket of sockets) socket.destroy();
    for (const worker of [1, 2]) {
      expect(running.output).toMatch(new RegExp(`"worker":${worker},.*"event":"node-started"`));
    }
    const { body = "" } = (await get(`http://127.0.0.1:${http}/metrics`)) ?? {};
    expect(body.match(/^# HELP meerkat_connections /gm)).toHaveLength(1);
    expect(body.match(/^process_resident_memory_bytes\{worker="/gm)).toHaveLength(2);

    const status = new Started(["cluster", "status", "--config", file]);
    await until(async () => (await get(`http://127.0.0.1:${http}/readyz`))?.status === 200);
    expect(await status.exited).toBe(0);
    expect(status.output).toMatch(
      /^Cluster workers \(static\), as worker\/\d at .* sees it: ready\./,
    );
    expect(status.output).toMatch(/^worker\/\d +127\.0\.0\.1:\d+ +up, joined/m);

    const before = running.descendants();
    const worker = workerProcesses(running)[0] ?? 0;
    process.kill(worker, "SIGKILL");
    await running.prints(/worker \d ended by SIGKILL; it starts again/);
    await running.prints(/worker \d runs again/);
    await until(async () => Object.keys(await byWorker(http, "meerkat_connections")).length === 2);

    const processes = [...before, ...running.descendants()];
    running.child.kill("SIGTERM");
    expect(await running.exited).toBe(0);
    await until(() => !processes.some(isAlive));
  },
);

function workerProcesses(running: Started): readonly number[] {
  const ps = (pid: number): string =>
    execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  return running.descendants().filter((pid) => ps(pid).includes("cli/member"));
}

test(
  "workers: of a node of a cluster each is a member with a name and port of its own; none outlives the supervisor",
  { timeout: 120_000 },
  async () => {
    const [port = 0] = await freePorts(1);
    const { file, http } = await configuration(
      "member",
      `[cluster]\nnode_name = "east"\nip_address = "127.0.0.1"\nport = ${port}\nsecret = "0123456789abcdef"\n`,
    );
    const running = await serve(file, "--workers", "2");
    const names = async (): Promise<string> => {
      const answer = await get(`http://127.0.0.1:${http}/cluster`);
      if (answer?.status !== 200) return "";
      const status = JSON.parse(answer.body) as { nodes: { joined: string[] } };
      return status.nodes.joined.toSorted().join();
    };
    await until(async () => (await names()) === "east/1,east/2");
    const processes = running.descendants();
    running.child.kill("SIGKILL");
    await until(() => !processes.some(isAlive));
  },
);

test.each([
  [["--workers", "0"], "--workers must be an integer from 1 to 128."],
  [["--workers", "2", "--record", "r"], "--record writes down one node: use it with --workers 1."],
])("workers: %j is refused in one line", async (args, line) => {
  const { file } = await configuration("refused");
  const refused = new Started(["serve", "--config", file, ...args]);
  expect(await refused.exited).toBe(1);
  expect(refused.output).toBe(`${line}\n`);
});

test("workers: if one cannot start, none runs, and what it says is told once", async () => {
  const file = join(folder, "no-database.toml");
  const listener = "[[listen.c2s]]\nport = 0\nallow_plaintext = true\n";
  writeFileSync(file, `${listener}[outgoing_pools.rdbms.default.connection]\nport = 1\n`);
  const refused = new Started(["serve", "--config", file, "--workers", "2"]);
  expect(await refused.exited).toBe(1);
  expect(refused.output).toBe(
    "Cannot use the database meerkat at 127.0.0.1:1: the connection is refused.\n",
  );
});
