/** Spans: when was a node up, a login online, a link there? */
import type { TraceEvent } from "../trace.ts";
import type { LaneFinder } from "./lanes.ts";

/** `[lane, from, to, state, label]`. */
export type Span = readonly [
  lane: number,
  from: number,
  to: number,
  state: "up" | "paused" | "connecting" | "online" | "link",
  label: string,
];

export function spansOf(
  events: readonly TraceEvent[],
  laneOf: LaneFinder,
  endMs: number,
): readonly Span[] {
  const spans: Span[] = [];
  const open = new Map<string, { lane: number; from: number; state: Span[3]; label: string }>();
  const begin = (key: string, place: string, from: number, state: Span[3], label: string): void => {
    finish(key, from);
    open.set(key, { lane: laneOf(place), from, state, label });
  };
  const finish = (key: string, to: number): void => {
    const span = open.get(key);
    if (span === undefined) return;
    open.delete(key);
    spans.push([span.lane, span.from, to, span.state, span.label]);
  };
  for (const { kind, data, at, place } of events) {
    switch (kind) {
      case "node-started":
        begin(place, place, at, "up", `process ${data.generation}`);
        break;
      case "node-paused":
        begin(`${place} paused`, place, at, "paused", "stands still");
        break;
      case "node-resumed":
        finish(`${place} paused`, at);
        break;
      case "node-killed":
      case "node-stopped":
      case "node-crashed":
        for (const key of [...open.keys()]) {
          if (key === place || key.startsWith(`${place} `)) finish(key, at);
        }
        break;
      case "peer-up":
        begin(`${place} ${data.peer}`, place, at, "link", data.peer);
        break;
      case "peer-down":
        finish(`${place} ${data.peer}`, at);
        break;
      case "login-started":
        begin(data.login, data.login, at, "connecting", `${data.login} to ${data.node}`);
        break;
      case "login-bound":
        begin(data.login, data.login, at, "online", `${data.login} as ${data.jid}`);
        break;
      case "login-ended":
        finish(data.login, at);
        break;
      default:
        break;
    }
  }
  for (const key of [...open.keys()]) finish(key, endMs);
  return spans.sort((one, other) => one[1] - other[1] || one[0] - other[0]);
}
