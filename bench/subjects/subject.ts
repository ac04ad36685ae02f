/** Subject: a server that can be measured, and how a child process is started and stopped. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../src/runtime/free-ports.ts";
import { family } from "../processes.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Accounts u0, u1 … that every subject has. */
export const accounts = 5000;

export interface Subject {
  readonly name: string;
  /** Why it cannot be measured here, such as not being installed; undefined if it can. */
  unavailable(): string | undefined;
  /** A fresh one with empty storage but for the accounts. */
  start(options: StartOptions): Promise<Running>;
}

export interface StartOptions {
  readonly tls: boolean;
  readonly certificate: Certificate;
}

export interface Certificate {
  readonly certfile: string;
  readonly keyfile: string;
}

export interface Running {
  readonly port: number;
  /** Of all nodes, if there are several. */
  readonly ports?: readonly number[];
  pids(): readonly number[];
  /** See `LoadSpec`. */
  databasePids?(): readonly number[];
  stop(): Promise<void>;
}

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `meerkat-bench-${name}-`));
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

export interface ServerProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Everything it needs and writes; removed when it stops. */
  readonly folder: string;
  readonly port: number;
  /** More to wait for, once the port is open. */
  readonly ready?: () => boolean;
  /** Run after it has stopped. */
  readonly afterwards?: () => Promise<void>;
}

/** Starts it and waits until it listens; stops with SIGTERM, and SIGKILL after 10 s. */
export async function startServer(options: ServerProcess): Promise<Running> {
  const { command, args, folder, port } = options;
  const log = join(folder, "output.log");
  const output = openSync(log, "w");
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  const { pid } = child;
  const stop = async (): Promise<void> => {
    if (!hasEnded(child)) child.kill("SIGTERM");
    for (let waited = 0; waited < 10_000 && !hasEnded(child); waited += 50) await sleep(50);
    if (!hasEnded(child)) child.kill("SIGKILL");
    await options.afterwards?.();
    rmSync(folder, { recursive: true, force: true });
  };
  child.on("error", () => undefined);
  for (let waited = 0; ; waited += 100) {
    if (pid === undefined || hasEnded(child) || waited > 60_000) {
      const said = readFileSync(log, "utf8").slice(-2000);
      await stop();
      throw new Error(`${command} ${args.join(" ")} did not start: ${said}`);
    }
    if ((await isListening(port)) && options.ready?.() !== false) break;
    await sleep(100);
  }
  return { port, pids: () => family(pid), stop };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** Is there such a program in the PATH? */
export function installed(...paths: readonly string[]): boolean {
  return paths.every((path) => {
    try {
      closeSync(openSync(path, "r"));
      return true;
    } catch {
      return false;
    }
  });
}
