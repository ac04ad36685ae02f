/**
 * Sync time: how long may a plan's largest snapshot take on its way, if all goes well?
 *
 * A source has at least half of what its limits allow under way (or one chunk), and waits a round trip for room. With the
 * smallest limits that a plan draws and a thousand sessions these are many trips; with production's, not one.
 */
import { linkLimits } from "../../src/cluster/timing.ts";
import { tablesLimits } from "../../src/cluster/tables-contract.ts";
import type { Plan } from "../plan.ts";

/** A record of a session in a frame of its own. */
const recordBytes = 300;

export function syncTimeMs({ topology, clients }: Plan): number {
  const { nodes, network, cluster } = topology;
  const {
    window = linkLimits.windowBytes,
    syncWindow = linkLimits.syncWindowBytes,
    chunk = tablesLimits.chunkBytesMax,
  } = cluster?.bounds ?? {};
  // Sessions are spread, but not evenly.
  const records = Math.ceil((2 * clients.length) / nodes.length);
  const underWay = Math.max(Math.min(window, syncWindow) >> 1, Math.min(chunk, window));
  const [least, most] = network.latencyMs;
  const roundTripMs = least + most + 2 * (network.noise?.latencyMs ?? 0);
  return Math.ceil((records * recordBytes) / underWay) * roundTripMs;
}
