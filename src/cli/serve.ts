/** `meerkat serve --config FILE`: a node, as it runs in production; or several that share its ports. */
import { availableParallelism } from "node:os";
import { PinoLog } from "../runtime/log.ts";
import type { Config } from "../server/config.ts";
import { readConfig } from "./config-file.ts";
import { Failure } from "./failure.ts";
import { forkWorker } from "./forks.ts";
import { startNode } from "./node.ts";
import { runUntilStopped } from "./run-until-stopped.ts";
import { superviseUntilStopped } from "./supervise-until-stopped.ts";
import { Supervisor } from "./supervisor.ts";
import { workerPlans } from "./workers.ts";

export interface ServeOptions {
  readonly config: string;
  readonly record?: string;
  readonly workers?: number;
}

/** The bits of a node's number are for all nodes of a cluster. */
const workersMax = 128;

export async function serve(options: ServeOptions): Promise<void> {
  const config = readConfig(options.config);
  if (config.listen.length === 0) {
    const what = "add [[listen.c2s]] or [[listen.http]]";
    throw new Failure(`${options.config} has no listener: ${what}.`);
  }
  const workers = workersOf(options, config);
  if (workers > 1) process.exit(await runWorkers(config, workers));
  const node = await startNode({ config, record: options.record });
  const code = await runUntilStopped({ node, shutdownTimeout: config.general.shutdown_timeout });
  process.exit(code);
}

function workersOf({ workers, record }: ServeOptions, { cluster }: Config): number {
  if (
    workers !== undefined &&
    (!Number.isInteger(workers) || workers < 1 || workers > workersMax)
  ) {
    throw new Failure(`--workers must be an integer from 1 to ${workersMax}.`);
  }
  const dns = cluster?.backend === "dns";
  if (workers === undefined) {
    const alone = record !== undefined || dns || process.env["NODE_ENV"] !== "production";
    return alone ? 1 : availableParallelism();
  }
  if (workers > 1 && record !== undefined) {
    throw new Failure("--record writes down one node: use it with --workers 1.");
  }
  if (workers > 1 && dns) {
    const why = 'backend = "dns" finds one node at each address';
    throw new Failure(`${why}: use --workers 1, or backend = "rdbms".`);
  }
  return workers;
}

async function runWorkers(config: Config, count: number): Promise<number> {
  const log = new PinoLog(config.general.loglevel);
  const supervisor = new Supervisor({
    plans: await workerPlans(config, count),
    fork: forkWorker,
    stopTimeout: config.general.shutdown_timeout + 5_000,
    onEvent: ({ event, member, text }) => log.write("warning", event, { member, text }),
  });
  return superviseUntilStopped(supervisor, {
    started: () => log.write("info", "workers-started", { workers: count }),
  });
}
