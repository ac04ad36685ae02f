/** Messages: which message went from whom to whom, when, and which never arrived? */
import { userOf } from "../addresses.ts";
import type { Plan } from "../plan.ts";
import type { TraceEvent } from "../trace.ts";
import type { LaneFinder } from "./lanes.ts";

/** `[from lane, sent at, to lane, arrived at, fate, id]`; one that never arrived ends where it began. */
export type MessageLine = readonly [
  from: number,
  sentAt: number,
  to: number,
  arrivedAt: number,
  fate: "delivered" | "bounced" | "unsettled",
  id: string,
];

const linesMax = 8_000;

export function messageLines(
  plan: Plan,
  events: readonly TraceEvent[],
  laneOf: LaneFinder,
): { readonly lines: readonly MessageLine[]; readonly leftOut: number } {
  const sent = new Map<string, { lane: number; at: number; to: string; settled: boolean }>();
  const lines: MessageLine[] = [];
  for (const { kind, data, at, place } of events) {
    if (kind === "message-sent") {
      sent.set(data.id, { lane: laneOf(place), at, to: data.to, settled: false });
      continue;
    }
    if (kind !== "message-received" && kind !== "message-bounced") continue;
    const message = sent.get(data.id);
    if (message === undefined) continue;
    message.settled = true;
    const fate = kind === "message-received" ? "delivered" : "bounced";
    lines.push([message.lane, message.at, laneOf(place), at, fate, data.id]);
  }
  const lanes = new Map(plan.clients.map(({ user, name }) => [user, laneOf(name)]));
  for (const [id, { lane, at, to, settled }] of sent) {
    if (settled) continue;
    lines.push([lane, at, lanes.get(userOf(to)) ?? lane, at, "unsettled", id]);
  }
  lines.sort((one, other) => one[1] - other[1]);
  return { lines: lines.slice(0, linesMax), leftOut: Math.max(0, lines.length - linesMax) };
}
