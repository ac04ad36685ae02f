/**
 * Discovery rows: which nodes of a cluster have said that they are there, and which number is whose?
 *
 * MongooseIM's table `discovery_nodes`, with the incarnation and boot of the process that wrote a row: an
 * old process must neither refresh nor remove the row of its successor. All times are the database's.
 */
import type { SqlRow, SqlValue, Statement } from "../ports/database.ts";
import { atomically, query, QueryFailed, rows, type Work } from "../ports/work.ts";

/** A process that wants, or has, a row. */
export interface NodeIdentity {
  readonly cluster: string;
  readonly name: string;
  /** Random, drawn at its start. */
  readonly boot: string;
  readonly address: string;
}

export interface NodeRow {
  readonly name: string;
  readonly address: string;
  readonly number: number;
  readonly incarnation: number;
  readonly boot: string;
}

export type Registration =
  | { readonly type: "registered"; readonly incarnation: number; readonly number: number }
  /** A later process has this name. */
  | { readonly type: "superseded"; readonly by: NodeRow };

/** Ids have ten bits for it; 0 is for a node that is alone. */
export const nodeNumberMax = 1_023;
/** Each attempt of many nodes at once gives one of them a number; whoever has none tries again later. */
const attemptsMax = 16;

export type NodeColumns = SqlRow & {
  readonly node_name: string;
  readonly address: string;
  readonly node_num: number;
  readonly incarnation: number;
  readonly boot: string;
};

export const selectNodes: Statement<[string], NodeColumns> = {
  name: "select_discovery_nodes",
  text: `SELECT node_name, address, node_num, incarnation, boot FROM discovery_nodes
    WHERE cluster_name = $1 ORDER BY node_name`,
};

export const insertNode: Statement<[string, string, number, string, number, string]> = {
  name: "insert_discovery_node",
  text: `INSERT INTO discovery_nodes
    (cluster_name, node_name, node_num, address, incarnation, boot, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())`,
};

/** Only the row that was seen is taken over. */
export const replaceNode: Statement<
  [string, string, string, number, string, number, string],
  SqlRow & { node_num: number }
> = {
  name: "replace_discovery_node",
  text: `UPDATE discovery_nodes
    SET address = $3, incarnation = $4, boot = $5, updated_at = clock_timestamp()
    WHERE cluster_name = $1 AND node_name = $2 AND incarnation = $6 AND boot = $7
    RETURNING node_num`,
};

export const refreshNode: Statement<[string, string, string], SqlRow & { node_num: number }> = {
  name: "refresh_discovery_node",
  text: `UPDATE discovery_nodes SET updated_at = clock_timestamp()
    WHERE cluster_name = $1 AND node_name = $2 AND boot = $3 RETURNING node_num`,
};

/** After so many seconds. */
export const expireNodes: Statement<[string, number], SqlRow & { node_name: string }> = {
  name: "expire_discovery_nodes",
  text: `DELETE FROM discovery_nodes
    WHERE cluster_name = $1 AND updated_at < clock_timestamp() - make_interval(0, 0, 0, 0, 0, 0, $2)
    RETURNING node_name`,
};

export const removeNode: Statement<[string, string, string]> = {
  name: "remove_discovery_node",
  text: "DELETE FROM discovery_nodes WHERE cluster_name = $1 AND node_name = $2 AND boot = $3",
};

/** All statements of this file, for whoever prepares or checks them. */
export const discoveryStatements: readonly Statement<readonly SqlValue[]>[] = [
  selectNodes,
  insertNode,
  replaceNode,
  refreshNode,
  expireNodes,
  removeNode,
] as readonly { readonly name: string; readonly text: string }[];

/**
 * Makes this process the owner of its name's row, with the lowest free number if there was none.
 * `incarnation` is the one that the process has had; else it gets the larger of `wall` and one more
 * than that of the row. Throws `QueryFailed`.
 */
export function* register(
  node: NodeIdentity,
  incarnation: number | undefined,
  wall: number,
): Work<Registration> {
  const { cluster, name, boot, address } = node;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const found = yield* list(cluster);
    const own = found.find((row) => row.name === name);
    if (own !== undefined && incarnation !== undefined && isLater(own, incarnation, boot)) {
      return { type: "superseded", by: own };
    }
    const mine = own?.boot === boot ? own.incarnation : Math.max(wall, (own?.incarnation ?? 0) + 1);
    const wanted = incarnation ?? mine;
    if (own !== undefined) {
      const seen = [own.incarnation, own.boot] as const;
      const values = [cluster, name, address, wanted, boot, ...seen] as const;
      const [replaced] = yield* rows(replaceNode, [...values]);
      if (replaced === undefined) continue; // somebody was quicker
      return { type: "registered", incarnation: wanted, number: replaced.node_num };
    }
    const number = lowestFree(found);
    if (number === undefined) {
      const detail = `The cluster ${cluster} has ${nodeNumberMax} nodes, which is the maximum`;
      throw new QueryFailed("rejected", detail);
    }
    try {
      yield* rows(insertNode, [cluster, name, number, address, wanted, boot]);
      return { type: "registered", incarnation: wanted, number };
    } catch (error) {
      if (!(error instanceof QueryFailed) || error.failure !== "constraint") throw error;
    }
  }
  throw new QueryFailed("constraint", `Others took a number first, ${attemptsMax} times`);
}

/** Of two processes with one name: the greater incarnation, then the greater boot. */
function isLater(row: NodeRow, incarnation: number, boot: string): boolean {
  if (row.boot === boot) return false;
  return row.incarnation === incarnation ? row.boot > boot : row.incarnation > incarnation;
}

export interface Refreshed {
  /** False: this process has no row (any more). */
  readonly refreshed: boolean;
  readonly nodes: readonly NodeRow[];
}

/** Refreshes the row of this process, removes those not refreshed for so long, lists the rest. */
export function* refresh(node: NodeIdentity, expireAfterMs: number): Work<Refreshed> {
  const { cluster, name, boot } = node;
  const [own = [], , found = []] = yield* atomically([
    query(refreshNode, [cluster, name, boot]),
    query(expireNodes, [cluster, expireAfterMs / 1_000]),
    query(selectNodes, [cluster]),
  ]);
  return { refreshed: own.length > 0, nodes: (found as readonly NodeColumns[]).map(rowOf) };
}

/** Removes the row of this process; that of a later one with its name stays. */
export function* remove({ cluster, name, boot }: NodeIdentity): Work<void> {
  yield* rows(removeNode, [cluster, name, boot]);
}

/** In the order of their names. */
export function* list(cluster: string): Work<readonly NodeRow[]> {
  return (yield* rows(selectNodes, [cluster])).map(rowOf);
}

export function rowOf(row: NodeColumns): NodeRow {
  const { node_name: name, node_num: number, address, incarnation, boot } = row;
  return { name, address, number, incarnation, boot };
}

function lowestFree(found: readonly NodeRow[]): number | undefined {
  const taken = new Set(found.map(({ number }) => number));
  for (let number = 1; number <= nodeNumberMax; number += 1) {
    if (!taken.has(number)) return number;
  }
  return undefined;
}
