/** Database cut: one node cannot reach the database; the others can. */
import { nodeOf, periodOf, severalRows, type Fault } from "./fault.ts";
import { bothWays, cutAll, mendAll } from "../kit/paths.ts";

export const databaseCut: Fault = {
  kind: "database-cut",
  plan: (random, setting) =>
    severalRows("database-cut", random, 3, () => ({
      target: nodeOf(random, setting),
      ...periodOf(random, setting, 20_000),
      amount: 0,
    })),
  start: ({ network }, { target }) => cutAll(network.fabric, bothWays([target, "database"])),
  end: ({ network }, { target }) => mendAll(network.fabric, bothWays([target, "database"])),
};
