/** Clock jump: a node's wall clock is set forward or back; its monotonic clock goes on. */
import { momentOf, type Fault } from "./fault.ts";

export const clockJump: Fault = {
  kind: "clock-jump",
  plan: (random, setting) =>
    Array.from({ length: random.between(1, 3) }, () => {
      const startAt = momentOf(random, setting);
      const amount = random.pick([-86_400_000, -3_000, 3_000, 86_400_000]);
      return {
        kind: "clock-jump" as const,
        target: random.pick(setting.nodes),
        startAt,
        endAt: startAt,
        amount,
      };
    }),
  start: ({ jumpClock }, { target, amount }) => jumpClock(target, amount),
  end: () => undefined,
};
