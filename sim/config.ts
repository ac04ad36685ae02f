/** Config of a plan: what a simulated node is told, with the plan's limits. */
import { linkLimits } from "../src/cluster/timing.ts";
import {
  defaultConfig,
  httpListenerDefaults,
  type ClusterConfig,
  type Config,
} from "../src/server/config.ts";
import { planHost, type ClusterPlan, type NodePlan, type Plan } from "./plan.ts";

/** As low as it goes: the cost of hashing is simulated, not paid. */
export const simulatedScramIterations = 16;

/** Of every node; its name is its host's. */
export const addressOf = (node: string): string => `${node}:7000`;

export function configOf(plan: Plan, node: NodePlan): Config {
  const { limits } = plan;
  const { cluster } = plan.topology;
  return {
    ...defaultConfig,
    general: { ...defaultConfig.general, hosts: [planHost], loglevel: "debug" },
    listen: [
      {
        name: "c2s",
        kind: "c2s",
        ip_address: "0.0.0.0",
        port: 5222,
        tls: { mode: "starttls_required", certfile: "", keyfile: "", cacertfile: "", hosts: {} },
        allow_plaintext: false,
        max_stanza_size: limits.maxStanzaSize,
        max_connections_per_address: 1_000,
        c2s_state_timeout: limits.negotiationTimeout,
      },
      {
        ...httpListenerDefaults,
        name: "http",
        kind: "http",
        ip_address: "127.0.0.1",
        port: 5280,
        tls: undefined,
        metrics: true,
      },
    ],
    auth: {
      ...defaultConfig.auth,
      scram_iterations: simulatedScramIterations,
      max_attempts: limits.maxAuthAttempts,
    },
    rdbms: { ...defaultConfig.rdbms, query_timeout: limits.queryTimeout },
    sessions: {
      ...defaultConfig.sessions,
      max_per_user: limits.maxSessionsPerUser,
      max_send_queue: limits.maxSendQueue,
      send_timeout: limits.sendTimeout,
      keepalive_interval: limits.keepAliveInterval,
    },
    registration: { enabled: true, ip_access: ["10.0.0.0/8"] },
    cluster: cluster === undefined ? undefined : clusterOf(plan, node, cluster),
  };
}

function clusterOf(plan: Plan, { name }: NodePlan, cluster: ClusterPlan): ClusterConfig {
  const nodes = plan.topology.nodes.map((each) => ({
    name: each.name,
    address: addressOf(each.name),
  }));
  return {
    node_name: name,
    cluster_name: "simulated",
    listener: {
      name: "cluster",
      kind: "cluster",
      ip_address: "0.0.0.0",
      port: 7_000,
      tls: undefined,
    },
    advertised_address: addressOf(name),
    secret: "what every simulated node knows",
    backend: cluster.discovery === "sql" ? "rdbms" : "static",
    nodes: cluster.discovery === "static" ? nodes : [],
    node_list_file: "",
    dns_name: "",
    heartbeat_interval: cluster.heartbeatInterval,
    heartbeat_timeout: cluster.heartbeatTimeout,
    link_grace: cluster.linkGrace,
    expire_after: cluster.expireAfter,
    ...boundsOf(cluster),
  };
}

function boundsOf({ bounds }: ClusterPlan): Pick<ClusterConfig, "bounds"> {
  if (bounds === undefined) return {};
  const { window, queue, fragment, logOperations, chunk } = bounds;
  // Whoever takes little at a time must say soon that it has taken it.
  const ackBytes = Math.min(linkLimits.ackBytes, window >> 2);
  return {
    bounds: {
      links: { ackBytes, windowBytes: window, queueBytes: queue, fragmentBytes: fragment },
      tables: { logOperationsMax: logOperations, chunkBytesMax: chunk },
    },
  };
}
