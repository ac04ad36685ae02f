/** Forks: how a member's process is started, as a node of its own or as a worker that shares our ports. */
import { fork, type ChildProcess } from "node:child_process";
import cluster from "node:cluster";
import { fileURLToPath } from "node:url";

const fromSource = import.meta.url.endsWith(".ts");
const program = fileURLToPath(new URL(fromSource ? "member.ts" : "member.js", import.meta.url));
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
