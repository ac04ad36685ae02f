/**
 * Meerkat as a subject: the built program, as `meerkat serve` runs it in production, on a real PostgreSQL.
 *
 * The database's CPU time counts as the server's, for logins would look too cheap without it.
 */
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { password } from "../load/spec.ts";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { family } from "../processes.ts";
import {
  accounts,
  freePort,
  root,
  startServer,
  temporaryFolder,
  type Running,
  type StartOptions,
  type Subject,
} from "./subject.ts";

/** The default of `auth.password.scram_iterations`. */
const iterations = 10_000;
const salt = Buffer.from("8d5a9c1e-bench");

export const meerkat: Subject = {
  name: "meerkat",
  unavailable: () => undefined,
  start: (options) => startNodes(1, options),
};

/** Two nodes of one cluster. Clients take them in turn, so that every message crosses. */
export const meerkat2: Subject = {
  name: "meerkat-2",
  unavailable: () => undefined,
  start: (options) => startNodes(2, options),
};

/** Where nodes have their ports; the first is that of clients. */
interface NodePorts {
  readonly clients: number;
  readonly links: number;
  readonly http: number;
}

async function startNodes(count: number, options: StartOptions): Promise<Running> {
  const databaseFolder = temporaryFolder("database");
  chmodSync(databaseFolder, 0o755); // PostgreSQL does not run as root, and must get in
  const database = await startDevDatabase({ dataDir: databaseFolder });
  const all: NodePorts[] = [];
  for (let made = 0; made < count; made++) {
    all.push({ clients: await freePort(), links: await freePort(), http: await freePort() });
  }
  const nodes: Running[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.stop();
    rmSync(databaseFolder, { recursive: true, force: true });
  };
  try {
    for (const own of all) nodes.push(await startNode(own, all, database, options));
    for (const { http } of count > 1 ? all : []) await untilReady(http);
    await makeAccounts(database);
  } catch (error) {
    await stop();
    throw error;
  }
  const ports = all.map(({ clients }) => clients);
  return {
    port: ports[0] ?? 0,
    ports,
    pids: () => nodes.flatMap((node) => node.pids()),
    databasePids: () => family(database.pid),
    stop,
  };
}

function startNode(
  own: NodePorts,
  all: readonly NodePorts[],
  database: DevDatabase,
  options: StartOptions,
): Promise<Running> {
  const folder = temporaryFolder("meerkat");
  const file = join(folder, "meerkat.toml");
  const cluster = all.length === 1 ? "" : membership(own, all);
  writeFileSync(file, configuration(own.clients, database, options) + cluster);
  const profiling = process.env["MEERKAT_BENCH_NODE"]?.split(" ") ?? [];
  return startServer({
    command: process.execPath,
    // One process a node: workers are nodes, too, and would make local messages cross.
    args: [
      ...profiling,
      join(root, "bin", "meerkat.mjs"),
      "serve",
      "--workers",
      "1",
      "--config",
      file,
    ],
    env: { NODE_ENV: "production" },
    folder,
    port: own.clients,
  });
}

async function untilReady(port: number): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 100) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error("a node was not ready within 30 s");
}

function membership({ links, http }: NodePorts, all: readonly NodePorts[]): string {
  return `
[[listen.http]]
port = ${http}
ip_address = "127.0.0.1"
allow_plaintext = true

[cluster]
ip_address = "127.0.0.1"
port = ${links}
secret = "a secret of the bench alone"
backend = "static"
${all.map((node) => `[[cluster.nodes]]\naddress = "127.0.0.1:${node.links}"`).join("\n")}
`;
}

function configuration(
  port: number,
  rdbms: DevDatabase,
  { tls, certificate }: StartOptions,
): string {
  const security = tls
    ? `tls = { mode = "tls", certfile = "${certificate.certfile}", keyfile = "${certificate.keyfile}" }`
    : "allow_plaintext = true";
  return `
[general]
hosts = ["localhost"]
loglevel = "warning"

[[listen.c2s]]
port = ${port}
ip_address = "127.0.0.1"
max_connections_per_address = 100000
${security}

[outgoing_pools.rdbms.default.connection]
host = "127.0.0.1"
port = ${rdbms.port}
database = "${rdbms.database}"
username = "${rdbms.username}"
password = "${rdbms.password}"
`;
}

/** All accounts have the keys of the same password and salt (RFC 5802 §3). */
async function makeAccounts({ port, database, username, password: secret }: DevDatabase) {
  const client = new Client({
    host: "127.0.0.1",
    port,
    database,
    user: username,
    password: secret,
  });
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query(
      "INSERT INTO accounts (host, username) SELECT 'localhost', 'u' || i FROM generate_series(0, $1 - 1) i",
      [accounts],
    );
    for (const hash of ["sha-1", "sha-256", "sha-512"]) {
      const { storedKey, serverKey } = keysOf(hash.replace("-", ""));
      await client.query(
        `INSERT INTO scram_keys (host, username, hash, salt, iterations, stored_key, server_key)
          SELECT 'localhost', 'u' || i, $2, $3, $4, $5, $6 FROM generate_series(0, $1 - 1) i`,
        [accounts, hash, salt, iterations, storedKey, serverKey],
      );
    }
    await client.query("COMMIT");
    await client.query("ANALYZE");
  } finally {
    await client.end();
  }
}

function keysOf(hash: string): { storedKey: Buffer; serverKey: Buffer } {
  const length = createHash(hash).digest().length;
  const salted = pbkdf2Sync(password, salt, iterations, length, hash);
  const hmac = (text: string): Buffer => createHmac(hash, salted).update(text).digest();
  return {
    storedKey: createHash(hash).update(hmac("Client Key")).digest(),
    serverKey: hmac("Server Key"),
  };
}
