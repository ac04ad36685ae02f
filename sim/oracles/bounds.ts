/**
 * Bounds: do queues of links and logs of tables stay within their limits, whatever peers do?
 *
 * And when nobody has spoken for long, nothing waits any more; where noise never ends, something may. Nor is any
 * request to the world open at every look.
 */
import { tablesLimits } from "../../src/cluster/tables-contract.ts";
import { linkLimits } from "../../src/cluster/timing.ts";
import type { OracleMaker } from "./oracle.ts";

/** Of what surrounds a stanza in a message. */
const slackBytes = 4_096;

export const bounds: OracleMaker = (plan) => {
  const shrunk = plan.topology.cluster?.bounds;
  const queueBytes = shrunk?.queue ?? linkLimits.queueBytes;
  const windowBytes = shrunk?.window ?? linkLimits.windowBytes;
  const operations = shrunk?.logOperations ?? tablesLimits.logOperationsMax;
  // One more may be taken in when there is room for a part of it.
  const oneMessage = Math.max(linkLimits.fragmentBytes, plan.limits.maxStanzaSize) + slackBytes;
  const noisy = plan.topology.network.noise !== undefined;
  const failures: string[] = [];
  /** What waited at each running node when it was last looked at. */
  const waiting = new Map<string, number>();
  let judged = 0;
  return {
    name: "bounds",
    counts: "looks at queues",
    sees: ["node-killed", "node-stopped", "cluster-observed", "metrics-observed"],
    see({ kind, data, at, place }) {
      if (kind === "metrics-observed") {
        const { openRequests = 0 } = data;
        judged += 1;
        if (openRequests > 0) {
          failures.push(`${place} has ${openRequests} requests open, though nothing is asked`);
        }
      }
      if (kind === "node-killed" || kind === "node-stopped") waiting.delete(place);
      if (kind !== "cluster-observed") return;
      judged += 1;
      waiting.set(place, data.queuedBytes);
      const checks = [
        ["queue", data.queuedBytes, 2 * queueBytes + oneMessage],
        ["window", data.unackedBytes, windowBytes + oneMessage],
        ["log", data.logBytes, tablesLimits.logBytesMax + tablesLimits.recordBytesMax],
      ] as const;
      const { logOperations = 0 } = data;
      if (logOperations > operations) {
        failures.push(`${place} has a log of ${logOperations} operations at ${at} ms`);
      }
      for (const [what, bytes, max] of checks) {
        if (bytes > max) failures.push(`${place} has a ${what} of ${bytes} bytes at ${at} ms`);
      }
    },
    judge(cut = false) {
      for (const [place, bytes] of waiting) {
        if (bytes === 0 || noisy || cut) continue;
        failures.push(`${place} has a queue of ${bytes} bytes at the end, though nobody speaks`);
      }
      return { judged, unknown: 0, failures };
    },
  };
};
