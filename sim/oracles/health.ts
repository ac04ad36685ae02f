/**
 * Health: does a node say that it is alive while it runs, and that it is ready only when it is?
 *
 * Ready means: a process of a cluster has joined and does not shut down. Once all is healed every
 * node has as long as links and tables have, then it must be ready.
 */
import { traffic } from "../trace.ts";
import type { OracleMaker } from "./oracle.ts";

/** For discovery, links and the first tables after the heal. */
const boundMs = 30_000;

interface Life {
  readonly startedAt: number;
  joined: boolean;
  stopping: boolean;
  /** Asked and not answered yet. */
  open: number;
}

export const health: OracleMaker = ({ topology, duration }) => {
  const healAt = duration.setUp + duration.safety;
  const lives = new Map<string, Life>();
  const failures: string[] = [];
  let judged = 0;
  let unknown = 0;
  return {
    name: "health",
    counts: "answers to health checks",
    ignores: traffic,
    see({ kind, data, at, place }) {
      if (kind === "node-started") {
        const joined = topology.cluster === undefined;
        lives.set(place, { startedAt: at, joined, stopping: false, open: 0 });
        return;
      }
      const life = lives.get(place);
      if (life === undefined) return;
      switch (kind) {
        case "cluster-joined":
          life.joined = true;
          return;
        case "shutdown-requested":
          life.stopping = true;
          return;
        case "node-killed":
        case "node-stopped":
          // What it was asked when it ended, nobody answers any more.
          unknown += life.open;
          lives.delete(place);
          return;
        case "health-asked":
          life.open += 1;
          return;
        case "health-answered": {
          life.open -= 1;
          judged += 1;
          const { path, status } = data;
          const ready = status === 200;
          const said = `${place} answered ${status} to ${path} at ${at} ms`;
          if (path === "/healthz") {
            if (!ready) failures.push(said);
          } else if (ready && (!life.joined || life.stopping)) {
            failures.push(
              `${said} ${life.joined ? "while it was stopping" : "before it had joined"}`,
            );
          } else if (!ready && !life.stopping && at >= Math.max(healAt, life.startedAt) + boundMs) {
            failures.push(`${said} although all has long been well: ${data.body}`);
          }
          return;
        }
        default:
      }
    },
    judge() {
      for (const [node, { open }] of lives) {
        if (open > 0) failures.push(`${node} has left ${open} health checks unanswered`);
      }
      return { judged, unknown, failures };
    },
  };
};
