/**
 * Forks: how a member's process is started, as a node of its own or as a worker that shares our ports; and
 * how a command is started again with more threads.
 */
import { fork, type ChildProcess } from "node:child_process";
import cluster from "node:cluster";
import { fileURLToPath } from "node:url";

const fromSource = import.meta.url.endsWith(".ts");
const fileOf = (name: string): string =>
  fileURLToPath(new URL(`${name}.${fromSource ? "ts" : "js"}`, import.meta.url));
const program = fileOf("member");
const execArgv = fromSource
  ? ["--enable-source-maps", "--import", import.meta.resolve("tsx")]
  : ["--enable-source-maps"];

/** Has ports of its own. */
export function forkNode(): ChildProcess {
  return fork(program, [], { execArgv, serialization: "advanced" });
}

/** Accepts on ports that all workers share; this process hands connections out in turn. */
export function forkWorker(): ChildProcess {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: program, args: [], execArgv, serialization: "advanced" });
  return cluster.fork().process;
}

/** This very command once more, its thread pool of that size: what Node has made of its own, it cannot enlarge. */
export function forkCommand(threads: number): ChildProcess {
  const env = { ...process.env, UV_THREADPOOL_SIZE: String(threads) };
  return fork(fileOf("main"), process.argv.slice(2), { execArgv, env });
}
