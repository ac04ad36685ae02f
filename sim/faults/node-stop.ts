/** Node stop: a process is told to stop, and does so in order; it comes back, or leaves for good. */
import { momentOf, nodeOf, periodOf, severalRows, type Fault } from "./fault.ts";

export const nodeStop: Fault = {
  kind: "node-stop",
  hits: "node",
  plan: (random, setting) => {
    const rows = severalRows("node-stop", random, 2, () => ({
      target: nodeOf(random, setting),
      ...periodOf(random, setting, 20_000),
      amount: 0,
    }));
    // One of several may leave: its clients have other nodes.
    const leaver = setting.nodes.at(-1)?.name;
    if (setting.nodes.length < 3 || leaver === undefined || random.chance(0.7)) return rows;
    const startAt = momentOf(random, setting);
    return [...rows, { kind: "node-stop", target: leaver, startAt, endAt: startAt, amount: 0 }];
  },
  start: ({ node }, { target, startAt, endAt }) => node(target)?.stop(endAt > startAt),
  end: ({ node }, { target }) => node(target)?.revive(),
};

/** Nodes that a plan lets go for good. */
export function leavers(
  faults: readonly { kind: string; target: string; startAt: number; endAt: number }[],
): ReadonlySet<string> {
  const gone = faults.filter((row) => row.kind === "node-stop" && row.endAt <= row.startAt);
  return new Set(gone.map(({ target }) => target));
}
