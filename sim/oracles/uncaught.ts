/** Uncaught: did any input, whatever it was, make a node throw, run in a circle or report a bug of its own? */
import type { Oracle } from "./oracle.ts";

export function uncaught(): Oracle {
  const failures: string[] = [];
  let inputs = 0;
  return {
    name: "uncaught",
    counts: "inputs",
    sees: [
      "bytes-received",
      "query-answered",
      "query-failed",
      "connection-closed",
      "deadline-reached",
      "node-crashed",
      "time-stood-still",
      "logged",
    ],
    see({ kind, data, at, place }) {
      if (kind === "bytes-received" || kind === "query-answered" || kind === "query-failed")
        inputs += 1;
      if (kind === "connection-closed" || kind === "deadline-reached") inputs += 1;
      if (kind === "node-crashed") failures.push(`${place} threw at ${at} ms: ${data.error}`);
      if (kind === "time-stood-still") failures.push(`${place}: ${data.what}`);
      if (kind === "logged" && isBug(data)) {
        failures.push(`${place} reported a bug at ${at} ms: ${data.event} ${data.detail}`);
      }
    },
    judge: () => ({ judged: inputs, unknown: 0, failures }),
  };
}

/**
 * Faults of the server's own, replicas whose digests differ from their owner's, and operations with a gap
 * before them: a link loses nothing and an owner that holds back goes on from the last one it sent, so
 * only a peer that breaks the rules makes one, and there is none such here.
 */
function isBug({ level, event }: { readonly level: string; readonly event: string }): boolean {
  if (event === "table-gap") return true;
  if (level !== "error") return false;
  return event.endsWith("-fault") || event === "table-diverged" || event === "table-message-bad";
}
