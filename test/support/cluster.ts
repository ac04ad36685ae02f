/**
 * Cluster: several real nodes as processes of their own, one real PostgreSQL, for tests from outside.
 *
 * Nodes can be killed, stopped, paused and started again under the same name. Users are registered once.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ProtocolRange } from "../../src/cluster/protocol.ts";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { makePair, type Pair } from "./certificates.ts";
import { isAlive } from "./started.ts";
import { temporaryFolder } from "./temporary-folders.ts";
import { registerAll } from "./client.ts";
import { freePorts } from "../../src/runtime/free-ports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface ClusterOptions {
  readonly nodes: number;
  readonly backend?: "rdbms" | "static";
  /** More lines of `[cluster]`. */
  readonly cluster?: string;
  /** Another port than its own at which nodes find the database. */
  readonly databasePort?: (port: number) => Promise<number>;
}

export interface NodePorts {
  readonly c2s: number;
  readonly http: number;
  readonly cluster: number;
  /** Each node has one of its own, so that a firewall can tell who talks to whom. */
  readonly clusterAddress: string;
}

export class ClusterNode {
  readonly name: string;
  readonly ports: NodePorts;
  readonly #file: string;
  /** Versions of the protocol that its next process speaks; missing: those of this release. */
  release: ProtocolRange | undefined;
  child: ChildProcess | undefined;
  /** All that it printed, over all its lives. */
  output = "";
  exited: Promise<number | null> = Promise.resolve(null);

  constructor(name: string, ports: NodePorts, file: string) {
    this.name = name;
    this.ports = ports;
    this.#file = file;
  }

  /** Starts the process; resolves when it takes clients. */
  async start(): Promise<void> {
    const { release } = this;
    const program =
      release === undefined
        ? ["scripts/bundled.mjs", "src/cli/main.ts", "serve", "--config", this.#file]
        : ["scripts/run.mjs", "test/support/another-release.ts", this.#file].concat([
            `${release.min}`,
            `${release.max}`,
          ]);
    const child = spawn(process.execPath, program, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    const keep = (data: unknown): void => void (this.output += String(data));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    this.exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    process.once("exit", () => child.kill("SIGKILL"));
    let ended = false;
    void this.exited.then(() => (ended = true));
    await until(async () => {
      if (ended) throw new Error(`${this.name} ended: ${this.output.slice(-4_000)}`);
      return (await this.get("/readyz"))?.status === 200;
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Graceful; the exit code. */
  async stop(): Promise<number | null> {
    this.kill("SIGTERM");
    return this.exited;
  }

  async get(path: string): Promise<{ status: number; body: string } | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.ports.http}${path}`);
      return { status: response.status, body: await response.text() };
    } catch {
      return undefined;
    }
  }

  /** Sessions of the whole cluster, as this node sees it; NaN if it does not answer. */
  async sessions(): Promise<number> {
    const { tables = [] } = JSON.parse((await this.get("/cluster"))?.body ?? "{}") as {
      tables?: { records: number; replicas: { records: number; visible: boolean }[] }[];
    };
    const [table] = tables;
    if (table === undefined) return Number.NaN;
    const visible = table.replicas.filter((replica) => replica.visible);
    return visible.reduce((sum, { records }) => sum + records, table.records);
  }

  get running(): boolean {
    return (
      this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null
    );
  }

  /** The sum of a metric over its labels; NaN if the node does not answer or has none. */
  async metric(name: string): Promise<number> {
    const body = (await this.get("/metrics"))?.body ?? "";
    const values = [...body.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))];
    return values.length === 0
      ? Number.NaN
      : values.reduce((sum, [, value]) => sum + Number(value), 0);
  }
}

export class RunningCluster {
  readonly nodes: readonly ClusterNode[];
  database: DevDatabase;
  readonly #folder: string;

  constructor(nodes: readonly ClusterNode[], database: DevDatabase, folder: string) {
    this.nodes = nodes;
    this.database = database;
    this.#folder = folder;
  }

  node(index: number): ClusterNode {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`There is no node ${index}`);
    return node;
  }

  async register(users: readonly string[]): Promise<void> {
    await registerAll(this.node(0).ports.c2s, users);
  }

  /** After `database.stop()`: where it was, as the nodes know it by its port. */
  async startDatabase(): Promise<void> {
    const { port } = this.database;
    this.database = await startDatabase(this.#folder);
    if (this.database.port !== port) throw new Error(`port ${port} of the database was taken`);
  }

  /** Every node and the database run, whatever was done to them. */
  async restore(): Promise<void> {
    if (!isAlive(this.database.pid)) await this.startDatabase();
    for (const node of this.nodes) node.kill("SIGCONT");
    await Promise.all(this.nodes.filter((node) => !node.running).map((node) => node.start()));
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) node.kill("SIGCONT");
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.database.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Nodes are configured, not started. */
export async function planCluster(options: ClusterOptions): Promise<RunningCluster> {
  const folder = temporaryFolder();
  const pair = await makePair("localhost", folder);
  const database = await startDatabase(folder);
  const databasePort = (await options.databasePort?.(database.port)) ?? database.port;
  const ports = await freePorts(options.nodes * 3);
  const all = Array.from({ length: options.nodes }, (_, index) => {
    const [c2s = 0, http = 0, cluster = 0] = ports.slice(index * 3, index * 3 + 3);
    return { c2s, http, cluster, clusterAddress: `127.0.0.${11 + index}` };
  });
  const nodes = all.map((mine, index) => {
    const file = join(folder, `n${index + 1}.toml`);
    writeFileSync(file, configuration({ options, mine, all, pair, database, databasePort }));
    return new ClusterNode(`n${index + 1}`, mine, file);
  });
  return new RunningCluster(nodes, database, folder);
}

const startDatabase = (folder: string): Promise<DevDatabase> =>
  startDevDatabase({ dataDir: join(folder, "data"), log: { write: () => undefined } });

/** All nodes are started at once and ready. */
export async function startCluster(options: ClusterOptions): Promise<RunningCluster> {
  const cluster = await planCluster(options);
  try {
    await Promise.all(cluster.nodes.map((node) => node.start()));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

interface Chosen {
  readonly options: ClusterOptions;
  readonly mine: NodePorts;
  readonly all: readonly NodePorts[];
  readonly pair: Pair;
  readonly database: DevDatabase;
  readonly databasePort: number;
}

function configuration(chosen: Chosen): string {
  const { options, mine, all, pair, database, databasePort } = chosen;
  const { backend = "static" } = options;
  const listed = all
    .map(({ cluster, clusterAddress }) => `{ address = "${clusterAddress}:${cluster}" }`)
    .join(", ");
  return `
[general]
hosts = ["localhost"]
shutdown_timeout = 5_000
[[listen.c2s]]
port = ${mine.c2s}
ip_address = "127.0.0.1"
[listen.c2s.tls]
mode = "starttls_required"
certfile = "${pair.certfile}"
keyfile = "${pair.keyfile}"
[[listen.http]]
port = ${mine.http}
ip_address = "127.0.0.1"
allow_plaintext = true
[[listen.http.handlers.mongoose_prometheus_handler]]
[auth.password]
scram_iterations = 4096
[outgoing_pools.rdbms.default]
workers = 3
[outgoing_pools.rdbms.default.connection]
host = "127.0.0.1"
port = ${databasePort}
database = "${database.database}"
username = "${database.username}"
password = "${database.password}"
query_timeout = 2000
[modules.mod_register]
ip_access = [{ address = "127.0.0.0/8", policy = "allow" }]
[cluster]
ip_address = "${mine.clusterAddress}"
port = ${mine.cluster}
secret = "the secret of a cluster under test"
backend = "${backend}"
${backend === "static" ? `nodes = [${listed}]` : ""}
${options.cluster ?? ""}
`;
}

/** Waits until a condition holds; after two minutes it is an error. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  patience = 120_000,
): Promise<void> {
  const end = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${patience} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
