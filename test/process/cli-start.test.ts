/**
 * `npm start` in a clone, as its user meets it: it builds, listens, says what to do, shares its database
 * with the account commands, and stops with whatever stops npm.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Only we may enter it (mode 0700), as /root is. */
const clone = mkdtempSync(join(tmpdir(), "meerkat-clone-"));
const started: ChildProcess[] = [];
let port = 0;

beforeAll(async () => {
  const parts = ["package.json", "package-lock.json", "src", "scripts", "bin"];
  for (const part of [...parts, "tsconfig.base.json", "tsconfig.build.json"]) {
    cpSync(join(root, part), join(clone, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
  port = await freePort();
});

afterAll(async () => {
  for (const child of started) {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
  await gone();
  rmSync(clone, { recursive: true, force: true });
});

/** Three ports that belong together; below those that the system gives to outgoing connections. */
async function freePort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 100) * 100; ; port += 100) {
    const taken = await Promise.all([port, port + 1, port + 58].map((each) => accepts(each)));
    if (!taken.includes(true)) return port;
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function npmStart(): Started {
  const args = ["start", "--silent", "--", "--port", String(port)];
  const child = spawn("npm", args, { cwd: clone, stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  let output = "";
  child.stdout.on("data", (data) => (output += String(data)));
  child.stderr.on("data", (data) => (output += String(data)));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, output: () => output, ended };
}

/** Polls, since what is waited for happens in other processes; the test's own limit ends it. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((wake) => setTimeout(wake, 50));
}

const ready = ({ output, ended }: Started): Promise<unknown> =>
  Promise.race([
    until(() => output().includes("Ctrl-C")),
    ended.then((code) => Promise.reject(new Error(`npm start ended (${code}): ${output()}`))),
  ]);

const accepts = (at = port): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(at, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });

/** Processes that have to do with the clone: the node, and the database on its data. */
function ours(): string[] {
  return execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(clone) && !line.includes(" ps "));
}
const gone = (): Promise<void> => until(async () => ours().length === 0 && !(await accepts()));

function meerkat(...args: string[]): string {
  const command = [join(clone, "bin/meerkat.mjs"), ...args];
  return execFileSync(process.execPath, command, { cwd: clone, encoding: "utf8" });
}

test(
  "start: builds, listens, and SIGTERM to npm stops everything",
  { timeout: 180_000 },
  async () => {
    const node = npmStart();
    await ready(node);
    expect(await accepts()).toBe(true);
    expect(node.output()).toContain(`localhost:${port}   STARTTLS`);
    expect(existsSync(join(clone, "dist/src/cli/main.js"))).toBe(true);
    expect(meerkat("account", "register", "alice@localhost", "secret")).toBe(
      "Registered alice@localhost.\n",
    );

    const second = npmStart();
    expect(await second.ended).not.toBe(0);
    expect(second.output()).toBe(
      `Cannot listen on 127.0.0.1 port ${port}: another program is using it.\n`,
    );
    expect(meerkat("account", "list", "localhost")).toBe("alice@localhost\n");

    node.child.kill("SIGTERM");
    await node.ended;
    await gone();
  },
);

test(
  "start: what kill -9 of npm leaves behind ends by itself, and the next start finds the data",
  { timeout: 180_000 },
  async () => {
    const node = npmStart();
    await ready(node);
    node.child.kill("SIGKILL");
    await gone();
    const next = npmStart();
    await ready(next);
    expect(meerkat("account", "list", "localhost")).toBe("alice@localhost\n");

    // Now the node itself, as the kernel does when memory runs out.
    const pid = childOf(next.child);
    process.kill(pid, "SIGKILL");
    await next.ended;
    await gone();
    const last = npmStart();
    await ready(last);
    expect(meerkat("account", "check", "alice@localhost", "secret")).toContain("is the password");
    last.child.kill("SIGINT");
    await last.ended;
    await gone();
  },
);

/** npm's only child: the node, since npm's script is `exec`ed. */
function childOf(parent: ChildProcess): number {
  const list = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" });
  for (const line of list.split("\n")) {
    const [pid, ppid] = line.trim().split(/\s+/).map(Number);
    if (ppid === parent.pid && pid !== undefined) return pid;
  }
  throw new Error("npm has no child");
}
