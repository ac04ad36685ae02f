/** Started: a command of ours as a process, what it prints, and all that it leaves behind. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const root = fileURLToPath(new URL("../..", import.meta.url));

export class Started {
  readonly child: ChildProcess;
  /** All that it and its children printed. */
  output = "";
  readonly exited: Promise<number | null>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const script = [join(root, "scripts/run.mjs"), "src/cli/main.ts", ...args];
    this.child = spawn(process.execPath, script, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.child.stdout?.on("data", (data) => (this.output += String(data)));
    this.child.stderr?.on("data", (data) => (this.output += String(data)));
    // Of its output, not only of the process: children hold it open too.
    this.exited = new Promise((resolve) => this.child.once("close", (code) => resolve(code)));
  }

  /** Resolves when it has printed this; rejects if it ends before. */
  async prints(text: string | RegExp): Promise<void> {
    const printed = (): boolean =>
      typeof text === "string" ? this.output.includes(text) : text.test(this.output);
    const ended = this.exited.then((code) => {
      throw new Error(`it ended (${code}): ${this.output}`);
    });
    await Promise.race([until(printed), ended]);
  }

  /** The processes that it started, and theirs, that live now. */
  descendants(): readonly number[] {
    return descendantsOf(this.child.pid ?? 0);
  }
}

/** Polls, since what is waited for happens in other processes; the test's own limit ends it. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((wake) => setTimeout(wake, 50));
}

function descendantsOf(pid: number): readonly number[] {
  const parents = new Map<number, number[]>();
  const list = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" });
  for (const line of list.split("\n")) {
    const [child, parent, command] = line.trim().split(/\s+/);
    if (child === undefined || parent === undefined || command === "ps") continue;
    const siblings = parents.get(Number(parent)) ?? [];
    parents.set(Number(parent), [...siblings, Number(child)]);
  }
  const found: number[] = [];
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const children = parents.get(next) ?? [];
    found.push(...children);
    queue.push(...children);
  }
  return found;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What `url` answers; undefined while nobody does. */
export async function get(url: string): Promise<{ status: number; body: string } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    return { status: response.status, body: await response.text() };
  } catch {
    return undefined;
  }
}
