/** Registry of a run: which nodes does the database list when it ends, past all simulated trouble? */
import { peerText } from "../src/cluster/peer.ts";
import { rowOf, selectNodes, type NodeColumns } from "../src/storage/discovery.ts";
import { clusterName } from "./config.ts";
import type { DatabaseEngine } from "./ports/database-faults.ts";

export function registryIn(engine: DatabaseEngine): readonly string[] {
  const answer = engine.execute(0, [{ statement: selectNodes, values: [clusterName] }]);
  if (answer.type === "query-failed") throw new Error(`Cannot list nodes: ${answer.detail}`);
  return (answer.results[0] ?? []).map((row) => peerText(rowOf(row as NodeColumns)));
}
