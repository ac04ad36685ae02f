/**
 * SuperviseUntilStopped: signals for a supervisor of nodes, until all have stopped.
 *
 * SIGTERM and SIGINT ask all for a graceful shutdown, a second one ends them at once; SIGHUP has them read
 * their certificates again.
 */
import type { Supervisor } from "./supervisor.ts";

export interface Supervision {
  /** Called when all members have started. */
  readonly started: () => void;
  /** Also stop when the process that started us is gone (it was killed, and could not tell us). */
  readonly withParent?: boolean;
}

/** Resolves to the exit code; rejects, with all ended, if a member cannot start. */
export async function superviseUntilStopped(
  supervisor: Supervisor,
  { started, withParent }: Supervision,
): Promise<number> {
  const parent = process.ppid;
  process.on("SIGTERM", () => supervisor.stop());
  process.on("SIGINT", () => supervisor.stop());
  process.on("SIGHUP", () => supervisor.reload());
  const watch = setInterval(() => {
    if (withParent !== true || process.ppid === parent) return;
    clearInterval(watch);
    supervisor.stop();
  }, 500);
  try {
    await supervisor.start();
    started();
    return await supervisor.stopped;
  } finally {
    clearInterval(watch);
  }
}
