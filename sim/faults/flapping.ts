/** Flapping: two nodes lose each other and find each other again, over and over. */
import type { Instant } from "../../src/base/time.ts";
import { nodePairOf, periodOf, severalRows, type Fault, type FaultWorld } from "./fault.ts";
import { bothWays, cutAll, mendAll, pairOf } from "../kit/paths.ts";
import type { FaultPlan } from "../plan.ts";

export const flapping: Fault = {
  kind: "flapping",
  hits: "pair",
  nodesMin: 2,
  plan: (random, setting) =>
    severalRows("flapping", random, 2, () => {
      const target = nodePairOf(random, setting).join("~");
      const amount = random.pick([300, 1_500, 4_000, 12_000]);
      return { target, ...periodOf(random, setting, 40_000), amount };
    }),
  start: (world, fault) => flap(world, fault, fault.startAt),
  end: () => undefined,
};

/** From this moment cut for a period and open for one, and so on for as long as it is on. */
function flap(world: FaultWorld, fault: FaultPlan, at: Instant): void {
  if (!world.isOn(fault)) return;
  const { after, network } = world;
  const paths = bothWays(pairOf(fault.target));
  const period = Math.max(50, fault.amount);
  cutAll(network.fabric, paths);
  after(Math.min(period, fault.endAt - at), () => mendAll(network.fabric, paths));
  after(2 * period, () => flap(world, fault, at + 2 * period));
}
