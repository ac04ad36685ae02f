/** Clock jump: a node's wall clock is set forward or back; its monotonic clock goes on. */
import { momentOf, nodeOf, severalRows, type Fault } from "./fault.ts";

export const clockJump: Fault = {
  kind: "clock-jump",
  hits: "node",
  amountMin: -Infinity,
  plan: (random, setting) =>
    severalRows("clock-jump", random, 3, () => {
      const startAt = momentOf(random, setting);
      const amount = random.pick([-86_400_000, -3_000, 3_000, 86_400_000]);
      return { target: nodeOf(random, setting), startAt, endAt: startAt, amount };
    }),
  start: ({ node }, { target, amount }) => node(target)?.jumpClock(amount),
  end: () => undefined,
};
