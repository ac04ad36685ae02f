/**
 * Server: a real node as a process of its own, with a real PostgreSQL, for tests from outside.
 *
 * `startServer` returns when the node takes clients; `stop` when it has gone. Everybody on loopback may
 * register. Ports are chosen here, so two servers can run side by side.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../src/runtime/free-ports.ts";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { makePair, type Pair } from "./certificates.ts";
import { temporaryFolder } from "./temporary-folders.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface ServerOptions {
  readonly hosts?: readonly string[];
  /** Names of the configuration, e.g. `scram_sha256`. */
  readonly mechanisms?: readonly string[];
  /** More lines for each c2s listener and the websocket, for its TLS, and for `[sessions]`. */
  readonly listener?: string;
  /** More lines for each c2s listener alone. */
  readonly c2s?: string;
  readonly tls?: string;
  /** Whole sections. */
  readonly sections?: string;
  readonly sessions?: string;
  readonly auth?: string;
  readonly record?: string;
  /** Where the node finds its database, if not at the one that is started for it. */
  readonly databasePort?: (port: number) => Promise<number>;
  readonly shutdownTimeoutMs?: number;
}

export interface Ports {
  readonly starttls: number;
  readonly tls: number;
  readonly http: number;
}

export class RunningServer {
  readonly ports: Ports;
  readonly folder: string;
  readonly pair: Pair;
  database: DevDatabase;
  readonly child: ChildProcess;
  /** All that it printed. */
  output = "";
  readonly exited: Promise<number | null>;

  constructor(made: {
    ports: Ports;
    folder: string;
    pair: Pair;
    database: DevDatabase;
    child: ChildProcess;
  }) {
    this.ports = made.ports;
    this.folder = made.folder;
    this.pair = made.pair;
    this.database = made.database;
    this.child = made.child;
    const { child } = made;
    child.stdout?.on("data", (data) => (this.output += String(data)));
    child.stderr?.on("data", (data) => (this.output += String(data)));
    this.exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  }

  async get(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.ports.http}${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** The sum of a metric over its labels; undefined if it is not there. */
  async metric(name: string): Promise<number | undefined> {
    const { body } = await this.get("/metrics");
    const values = [...body.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))];
    if (values.length === 0) return undefined;
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Graceful, then the database; the exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null) this.child.kill("SIGTERM");
    const code = await this.exited;
    await this.database.stop();
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}

export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const folder = temporaryFolder();
  const [starttls = 0, tls = 0, http = 0] = await freePorts(3);
  const ports = { starttls, tls, http };
  const hosts = options.hosts ?? ["localhost"];
  const pair = await makePair(hosts[0] ?? "localhost", folder);
  const database = await startDevDatabase({
    dataDir: join(folder, "data"),
    log: { write: () => undefined },
  });
  const databasePort = (await options.databasePort?.(database.port)) ?? database.port;
  const file = join(folder, "meerkat.toml");
  writeFileSync(file, configuration({ options, ports, pair, hosts, database, databasePort }));
  const script = [join(root, "scripts/run.mjs"), "src/cli/main.ts", "serve", "--config", file];
  const recording = options.record === undefined ? [] : ["--record", options.record];
  const child = spawn(process.execPath, [...script, ...recording], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const running = new RunningServer({ ports, folder, pair, database, child });
  const kill = (): boolean => child.kill("SIGKILL"); // a test that failed may not have stopped it
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  await untilReady(running);
  return running;
}

interface Chosen {
  readonly options: ServerOptions;
  readonly ports: Ports;
  readonly pair: Pair;
  readonly hosts: readonly string[];
  readonly database: DevDatabase;
  readonly databasePort: number;
}

function configuration({ options, ports, pair, hosts, database, databasePort }: Chosen): string {
  const { mechanisms, listener = "", c2s: lines = "", tls = "", sections = "" } = options;
  const { sessions = "", auth = "" } = options;
  const offered = mechanisms === undefined ? "" : `sasl_mechanisms = ${JSON.stringify(mechanisms)}`;
  const files = `certfile = "${pair.certfile}"\nkeyfile = "${pair.keyfile}"`;
  const c2s = (port: number, mode: string): string =>
    `[[listen.c2s]]\nport = ${port}\nip_address = "127.0.0.1"\n${listener}\n${lines}\n` +
    `[listen.c2s.tls]\nmode = "${mode}"\n${files}\n${tls}\n`;
  return `
[general]
hosts = ${JSON.stringify(hosts)}
shutdown_timeout = ${options.shutdownTimeoutMs ?? 10_000}
${c2s(ports.starttls, "starttls_required")}
${c2s(ports.tls, "tls")}
[[listen.http]]
port = ${ports.http}
ip_address = "127.0.0.1"
allow_plaintext = true
[[listen.http.handlers.mongoose_websocket_handler]]
path = "/ws-xmpp"
${listener.replace(/max_connections_per_address.*/, "")}
[[listen.http.handlers.mongoose_prometheus_handler]]
[auth]
${offered}
${auth}
[auth.password]
scram_iterations = 4096
[outgoing_pools.rdbms.default]
workers = 5
[outgoing_pools.rdbms.default.connection]
host = "127.0.0.1"
port = ${databasePort}
database = "${database.database}"
username = "${database.username}"
password = "${database.password}"
query_timeout = 2000
[sessions]
${sessions}
${sections}
[modules.mod_register]
ip_access = [{ address = "127.0.0.0/8", policy = "allow" }]
`;
}

/** Until it says that it has started; an error with what it printed, if it ends before. */
function untilReady(running: RunningServer): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (running.output.includes("node-started")) resolve();
    };
    running.child.stdout?.on("data", look);
    running.child.stderr?.on("data", look);
    void running.exited.then(() => reject(new Error(`the server ended: ${running.output}`)));
  });
}
