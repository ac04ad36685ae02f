/**
 * RunUntilStopped: signals for a running node, until it has stopped.
 *
 * SIGTERM and SIGINT ask for a graceful shutdown, a second one ends it at once; SIGHUP reads certificates
 * again. A node that does not stop within its own timeout is left behind: exiting is then all we can do.
 */
import type { RunningNode } from "./node.ts";

export interface Watch {
  readonly node: RunningNode;
  /** Milliseconds that a graceful shutdown may take. */
  readonly shutdownTimeout: number;
  /** Also stop when the process that started us is gone (it was killed, and could not tell us). */
  readonly withParent?: boolean;
}

/** Resolves to the exit code: 0 after a graceful shutdown, 1 if it took too long. */
export async function runUntilStopped({
  node,
  shutdownTimeout,
  withParent,
}: Watch): Promise<number> {
  const parent = process.ppid;
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<number>((resolve) => {
    const stop = (): void => {
      if (timer !== undefined) return resolve(1);
      // The core keeps to the timeout by itself; this is for a node that cannot.
      timer = setTimeout(() => resolve(1), shutdownTimeout + 5_000);
      node.stop();
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    process.on("SIGHUP", () => node.reload());
    if (withParent !== true) return;
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      stop();
    }, 500);
    watch.unref();
  });
  const code = await Promise.race([node.stopped.then(() => 0), expired]);
  clearTimeout(timer);
  return code;
}
