/**
 * Health: does a node say that it is alive while it runs, and that it is ready only when it is?
 *
 * Ready means: a process of a cluster has been told who else is there, has joined and does not shut down.
 * A failed look-up, a name without addresses and an empty file tell nobody of anybody. Once all is healed every
 * node has as long as links and tables have, then it must be ready.
 */
import { traffic, type TraceEvent } from "../trace.ts";
import type { OracleMaker } from "./oracle.ts";

/** For discovery, links and the first tables after the heal. */
const boundMs = 30_000;

/** The one that brings the list of nodes with it. */
const listingStatement = "refresh_discovery_node";
/** A line that is no comment. */
const namesNode = /^[^\S\n]*[^#\s]/m;

interface Life {
  readonly startedAt: number;
  joined: boolean;
  /** It has been told of nodes. */
  listed: boolean;
  stopping: boolean;
  /** Asked and not answered yet. */
  open: number;
  /** Requests to the database for the list of nodes. */
  readonly listings: Set<number>;
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
    see(event) {
      const { kind, data, at, place } = event;
      if (kind === "node-started") {
        const joined = topology.cluster === undefined;
        const listed = joined || topology.cluster.discovery === "static";
        lives.set(place, {
          ...{ startedAt: at, joined, listed, stopping: false, open: 0 },
          listings: new Set(),
        });
        return;
      }
      const life = lives.get(place);
      if (life === undefined) return;
      life.listed ||= listsNodes(event, life);
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
          } else if (ready && (!life.joined || !life.listed || life.stopping)) {
            failures.push(`${said} ${whyNot(life)}`);
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

/** Is it told here who else is there? */
function listsNodes({ kind, data }: TraceEvent, { listings }: Life): boolean {
  switch (kind) {
    case "host-resolved":
      return data.addresses.length > 0;
    case "file-read":
      return namesNode.test(data.text);
    case "query-sent":
      if (data.statements.includes(listingStatement)) listings.add(data.request);
      return false;
    case "query-answered":
      return listings.has(data.request);
    default:
      return false;
  }
}

function whyNot({ joined, listed }: Life): string {
  if (!joined) return "before it had joined";
  return listed ? "while it was stopping" : "before it knew who else is there";
}
