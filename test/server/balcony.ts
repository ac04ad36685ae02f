/** Balcony: a small cluster with Juliet on its first node and Romeo on its last, both bound and up to date. */
import { SmallCluster, type ClusterNodeOptions } from "./small-cluster.ts";

/** `presence` is Romeo's. */
export function balcony(
  names: readonly [string, ...string[]],
  presence = "<presence/>",
  options: ClusterNodeOptions = {},
) {
  const cluster = SmallCluster.of(names, options);
  const [first, last] = [cluster.node(names[0]), cluster.node(names.at(-1) ?? names[0])];
  const juliet = first.login("juliet", "balcony");
  const romeo = last.login("romeo", "orchard", presence);
  cluster.run(100);
  first.read(juliet);
  last.read(romeo);
  return { cluster, first, last, juliet, romeo };
}
