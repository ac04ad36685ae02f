/** Cluster status: what nodes show under `/cluster` of one another and of their tables, for tests from outside. */
import { until, type ClusterNode } from "./cluster.ts";

interface Table {
  readonly seq: number;
  readonly records: number;
  readonly replicas: readonly (Omit<Table, "replicas"> & {
    readonly peer: { readonly name: string; readonly boot: string };
    readonly visible: boolean;
    readonly diverged: number;
  })[];
}

export interface Status {
  readonly node: { readonly name: string; readonly boot: string };
  readonly links: readonly { readonly name: string; readonly sessions: number }[];
  readonly tables: readonly Table[];
}

/** Of a node that runs; one that has just started may have nothing to show yet. */
export async function statusOf(node: ClusterNode): Promise<Status> {
  let status: Partial<Status> = {};
  await until(async () => {
    status = JSON.parse((await node.get("/cluster"))?.body ?? "{}") as Partial<Status>;
    return status.tables !== undefined;
  }, 20_000);
  return status as Status;
}

/** How many sessions these nodes have begun with one another, each link as both of its ends count. */
export async function linkSessionsAmong(nodes: readonly ClusterNode[]): Promise<string[]> {
  const all = await Promise.all(nodes.map(statusOf));
  const names = all.map(({ node }) => node.name);
  return all.flatMap(({ node, links }) =>
    links
      .filter(({ name }) => names.includes(name))
      .map(({ name, sessions }) => `${node.name} ${name} ${sessions}`)
      .toSorted(),
  );
}

/**
 * Waits until every node shows the same tables: of each owner among them, up to which write and how many
 * records, whether its own or copied, with no digest that differed. Together they hold so many records.
 */
export async function tablesBecomeEqual(
  nodes: readonly ClusterNode[],
  records: number,
): Promise<void> {
  let shown: readonly string[] = [];
  const equal = async (): Promise<boolean> => {
    const all = await Promise.all(nodes.map(statusOf));
    shown = all.map((each) => contentsOf(each));
    const held = all.flatMap(({ tables }) => tables.map((table) => table.records));
    return new Set(shown).size === 1 && held.reduce((sum, count) => sum + count, 0) === records;
  };
  await until(equal, 30_000).catch(() => {
    throw new Error(`Tables that should hold ${records} alike are:\n${shown.join("\n\n")}`);
  });
}

function contentsOf({ node, tables }: Status): string {
  return tables
    .flatMap((table, number) => [
      `table ${number} of ${node.boot}: write ${table.seq}, ${table.records} records`,
      ...table.replicas
        .filter(({ visible }) => visible)
        .map(
          ({ peer, seq, records, diverged }) =>
            `table ${number} of ${peer.boot}: write ${seq}, ${records} records` +
            (diverged === 0 ? "" : `, diverged ${diverged} times`),
        ),
    ])
    .toSorted()
    .join("\n");
}

/** Are sessions of this process visible there? */
export async function sees(node: ClusterNode, boot: string): Promise<boolean> {
  const { tables } = await statusOf(node);
  return tables.some(({ replicas }) =>
    replicas.some(({ peer, visible, records }) => visible && records > 0 && peer.boot === boot),
  );
}
