/**
 * Workers: what is each of several processes on this machine told, so that together they are one node to
 * the outside and a cluster among themselves?
 *
 * They accept on the same ports. As members each has a name (`NAME/1`, …) and a port of its own: that of
 * the configuration for the first one, then those that follow it. A node without `[cluster]` makes a
 * cluster of its workers alone, on the loopback, with a secret that no other process has.
 */
import { randomBytes } from "node:crypto";
import { freePorts } from "../runtime/free-ports.ts";
import { clusterDefaults, type ClusterConfig, type Config } from "../server/config.ts";
import type { MemberPlan } from "./member-messages.ts";

export async function workerPlans(config: Config, count: number): Promise<readonly MemberPlan[]> {
  const members =
    config.cluster === undefined ? await aloneTogether(count) : membersOf(config.cluster, count);
  return members.map((cluster, at) => ({
    name: `worker ${at + 1}`,
    config: { ...config, cluster, rdbms: shared(config.rdbms, count) },
    logFields: { worker: at + 1 },
    metricLabels: { worker: String(at + 1) },
    gathersMetrics: true,
  }));
}

/** The database sees as many connections of this machine as the configuration says. */
function shared(rdbms: Config["rdbms"], count: number): Config["rdbms"] {
  const share = (total: number): number => Math.max(1, Math.ceil(total / count));
  return { ...rdbms, pool_size: share(rdbms.pool_size), max_queue: share(rdbms.max_queue) };
}

/** Workers of a node that is one of several. */
export function membersOf(cluster: ClusterConfig, count: number): readonly ClusterConfig[] {
  const members = Array.from({ length: count }, (_, at) => ({
    ...cluster,
    node_name: `${cluster.node_name}/${at + 1}`,
    advertised_address: portAdded(cluster.advertised_address, at),
    listener: { ...cluster.listener, port: cluster.listener.port + at },
  }));
  if (cluster.backend !== "static") return members;
  // Siblings need not be listed; where the node itself is, it means its first worker.
  const others = cluster.nodes.filter(({ name }) => name !== cluster.node_name);
  const siblings = members.map(({ node_name: name, advertised_address: address }) => ({
    ...{ name, address },
  }));
  const known = new Set(siblings.map(({ name }) => name));
  const nodes = [...others.filter(({ name }) => !known.has(name)), ...siblings];
  return members.map((member) => ({ ...member, nodes }));
}

function portAdded(address: string, add: number): string {
  const colon = address.lastIndexOf(":");
  return `${address.slice(0, colon)}:${Number(address.slice(colon + 1)) + add}`;
}

async function aloneTogether(count: number): Promise<readonly ClusterConfig[]> {
  const ports = await freePorts(count);
  const secret = randomBytes(24).toString("base64url");
  const nodes = ports.map((port, at) => ({
    name: `worker/${at + 1}`,
    address: `127.0.0.1:${port}`,
  }));
  return nodes.map(({ name, address }, at) => ({
    ...clusterDefaults,
    node_name: name,
    cluster_name: "workers",
    listener: {
      ...{ name: "cluster", kind: "cluster", ip_address: "127.0.0.1", port: ports[at] ?? 0 },
      tls: undefined,
    },
    advertised_address: address,
    secret,
    backend: "static",
    nodes,
    node_list_file: "",
    dns_name: "",
  }));
}
