/**
 * Cluster status: what does this node see of the cluster?
 *
 * One plain value for the HTTP page and the command line. Lists of nodes are named as operators of
 * MongooseIM know them: discovered (on the list in force), available (linked), joined (their tables are
 * here), unavailable (listed and not linked).
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { DiscoveryStatus } from "../cluster/discovery.ts";
import { protocolVersions, type ProtocolRange } from "../cluster/protocol.ts";
import type { LinkStatus } from "../cluster/mesh.ts";
import type { Peer } from "../cluster/peer.ts";
import type { TableStatus, UnsharedTables } from "../cluster/tables.ts";
import type { DiscoveredNode } from "./cluster-readiness.ts";
import type { ClusterConfig } from "./config.ts";

export interface ClusterStatusSource {
  readonly config: ClusterConfig;
  readonly self: Peer | undefined;
  readonly notReady: string | undefined;
  readonly discovered: readonly DiscoveredNode[] | undefined;
  readonly cluster: Cluster | undefined;
  readonly discovery: DiscoveryStatus | undefined;
  readonly conflicts: number;
}

export interface ClusterStatus {
  readonly cluster: string;
  readonly node: {
    readonly name: string;
    readonly address: string;
    /** Versions that it speaks; a link has the highest that both ends do. */
    readonly protocol: ProtocolRange;
  } & Partial<Peer>;
  readonly ready: boolean;
  /** Why not. */
  readonly reason: string | null;
  /** A listed node is not linked, or a linked one has not given its tables. */
  readonly degraded: boolean;
  /** Of discovery, as the configuration spells it. */
  readonly backend: string;
  readonly discovery: DiscoveryStatus;
  readonly nodes: {
    readonly discovered: readonly DiscoveredNode[];
    readonly available: readonly string[];
    readonly joined: readonly string[];
    readonly unavailable: readonly string[];
  };
  readonly links: readonly LinkStatus[];
  readonly tables: readonly TableStatus[];
  /** Peers with other tables than ours: missing there, or unknown here. */
  readonly unshared: readonly UnsharedTables[];
  /** Sessions of this node that have ended since another node's of the same full JID stayed. */
  readonly conflicts: number;
}

export function clusterStatus(source: ClusterStatusSource): ClusterStatus {
  const { config, self, notReady, cluster } = source;
  const name = config.node_name;
  const discovered = source.discovered ?? [];
  const peers = cluster?.peers() ?? [];
  const available = [name, ...peers.map((peer) => peer.name)];
  const joined = peers.filter((peer) => cluster?.synced(peer) === true).map((peer) => peer.name);
  const unavailable = discovered
    .map((node) => node.name)
    .filter((listed) => !available.includes(listed));
  const { links = [], tables = [], unshared = [] } = cluster?.status() ?? {};
  return {
    cluster: config.cluster_name,
    node: {
      ...{ name, address: config.advertised_address },
      protocol: config.protocol ?? protocolVersions,
      ...self,
    },
    ready: notReady === undefined,
    reason: notReady ?? null,
    degraded: unavailable.length > 0 || joined.length < peers.length,
    backend: config.backend,
    discovery: source.discovery ?? { listedAt: null, failures: 0 },
    nodes: { discovered, available, joined: [name, ...joined], unavailable },
    links,
    tables,
    unshared,
    conflicts: source.conflicts,
  };
}
