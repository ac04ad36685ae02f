/**
 * Member: the program of one node among several on this machine, each a process of its own.
 *
 * It is started by the supervisor and told by it what to be. It ends when told to, on SIGTERM, and when
 * the supervisor is gone. Ctrl-C in a terminal reaches all processes at once; the supervisor's word counts.
 */
import cluster from "node:cluster";
import { Failure } from "./failure.ts";
import type { FromMember, MemberPlan, ToMember } from "./member-messages.ts";
import { startNode, type RunningNode } from "./node.ts";

/** For what the core itself keeps to; this is for a node that cannot. */
const graceMs = 2_000;
const gatherLimitMs = 4_000;

const gathering = new Map<number, (text: string) => void>();
let requests = 0;
let running: RunningNode | undefined;
let starting = false;
let stopping = false;
let shutdownTimeout = 0;

// Else a worker whose supervisor is gone would end at once, and tell its clients nothing.
if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
process.on("SIGINT", () => undefined);
process.on("SIGTERM", stop);
process.on("disconnect", stop);
process.on("message", (message) => {
  void take(message as ToMember);
});
tell({ type: "ready-to-start" });

async function take(message: ToMember): Promise<void> {
  switch (message.type) {
    case "start":
      return start(message.plan);
    case "stop":
      return stop();
    case "reload":
      return running?.reload();
    case "tell-metrics": {
      const text = (await running?.renderMetrics()) ?? "";
      return tell({ type: "metrics-told", request: message.request, text });
    }
    case "metrics-gathered":
      gathering.get(message.request)?.(message.text);
  }
}

async function start(plan: MemberPlan): Promise<void> {
  const { config, logFields, metricLabels } = plan;
  shutdownTimeout = config.general.shutdown_timeout;
  starting = true;
  try {
    const node = await startNode({
      ...{ config, logFields, metricLabels },
      ...(plan.gathersMetrics ? { collectMetrics: gather } : {}),
    });
    running = node;
    tell({ type: "started", listening: [...node.listening] });
    if (stopping) node.stop(); // asked for while it was starting
    await node.stopped;
    process.exit(0);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    tell({ type: "failed", message: error.message }, () => process.exit(1));
  }
}

function stop(): void {
  if (stopping) return;
  stopping = true;
  if (!starting) process.exit(0);
  setTimeout(() => process.exit(1), shutdownTimeout + graceMs).unref();
  running?.stop();
}

/** The metrics of all members; our own, if the supervisor does not answer. */
function gather(own: string): Promise<string> {
  const request = (requests += 1);
  return new Promise((resolve) => {
    const finish = (text: string): void => {
      clearTimeout(timer);
      gathering.delete(request);
      resolve(text);
    };
    const timer = setTimeout(() => finish(own), gatherLimitMs);
    gathering.set(request, finish);
    tell({ type: "gather-metrics", request });
  });
}

function tell(message: FromMember, told: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, {}, told);
  else told();
}
