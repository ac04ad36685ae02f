/** Config of a plan: what a simulated node is told, with the plan's limits. */
import { nodeNameOf } from "../src/cluster/node-list.ts";
import { linkLimits } from "../src/cluster/timing.ts";
import {
  defaultConfig,
  httpListenerDefaults,
  type Listener,
  type ClusterConfig,
  type Config,
} from "../src/server/config.ts";
import {
  listenerOf,
  listeners,
  servedHosts,
  type ListenerName,
  type ClusterPlan,
  type NodePlan,
  type Plan,
} from "./plan.ts";

/** As low as it goes: the cost of hashing is simulated, not paid. */
export const simulatedScramIterations = 16;

export const clusterName = "simulated";
export const clusterPort = 7_000;
/** What a cluster that is found by DNS is called there. */
export const nodesName = "nodes.meerkat.test";
export const nodeListFile = "/etc/meerkat/nodes";

/** Of a node's machine. */
export function ipOf({ topology }: Plan, node: string): string {
  return `10.1.0.${topology.nodes.findIndex(({ name }) => name === node) + 1}`;
}

/** Where other nodes reach it: by its host's name, but where a name server gives addresses. */
export function nodeAddressOf(plan: Plan, node: string): string {
  const byAddress = plan.topology.cluster?.discovery === "dns";
  return `${byAddress ? ipOf(plan, node) : node}:${clusterPort}`;
}

const backends = { static: "static", sql: "rdbms", dns: "dns", file: "file" } as const;

export function configOf(plan: Plan, node: NodePlan): Config {
  const { limits } = plan;
  const { cluster } = plan.topology;
  return {
    ...defaultConfig,
    general: { ...defaultConfig.general, hosts: servedHosts(plan), loglevel: "debug" },
    listen: [
      ...listenersOf(plan),
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
      ...failedLoginsOf(limits),
    },
    rdbms: { ...defaultConfig.rdbms, query_timeout: limits.queryTimeout },
    sessions: {
      ...defaultConfig.sessions,
      max_per_user: limits.maxSessionsPerUser,
      conflict: limits.conflict ?? defaultConfig.sessions.conflict,
      max_send_queue: limits.maxSendQueue,
      send_timeout: limits.sendTimeout,
      keepalive_interval: limits.keepAliveInterval,
    },
    registration: { enabled: true, ip_access: ["10.0.0.0/8"] },
    cluster: cluster === undefined ? undefined : clusterOf(plan, node, cluster),
  };
}

/** Those that some client of the plan comes in by, and the usual one. */
function listenersOf({ clients, limits }: Plan): readonly Listener[] {
  const names = new Set<ListenerName>(["c2s", ...clients.map(({ door }) => listenerOf(door))]);
  const files = { certfile: "", keyfile: "", cacertfile: "", hosts: {} };
  return [...names].map((name, index) => {
    const common = {
      name,
      ip_address: "0.0.0.0",
      port: 5222 + index,
      allow_plaintext: false,
      max_stanza_size: limits.maxStanzaSize,
      max_connections_per_address: 1_000,
      c2s_state_timeout: limits.negotiationTimeout,
    };
    if (name === "wss") {
      const web = { ...httpListenerDefaults, ...common, metrics: false };
      return { ...web, kind: "http", tls: { mode: "tls", ...files } };
    }
    const tls = { mode: listeners[name], ...files };
    return { ...common, kind: "c2s", tls, max_rate: limits.maxRate };
  });
}

function failedLoginsOf({ failedLogins }: Plan["limits"]): Partial<Config["auth"]> {
  if (failedLogins === undefined) return {};
  const { max, period } = failedLogins;
  return { max_failed_logins_per_address: max, failed_logins_period: period };
}

function clusterOf(plan: Plan, { name }: NodePlan, cluster: ClusterPlan): ClusterConfig {
  const nodes = plan.topology.nodes.map((each) => ({
    name: each.name,
    address: nodeAddressOf(plan, each.name),
  }));
  const address = nodeAddressOf(plan, name);
  return {
    // Who is known by nothing but an address bears the name that it has by default.
    node_name: cluster.discovery === "dns" ? nodeNameOf(address) : name,
    cluster_name: clusterName,
    listener: {
      name: "cluster",
      kind: "cluster",
      ip_address: "0.0.0.0",
      port: clusterPort,
      tls: undefined,
    },
    advertised_address: address,
    secret: "what every simulated node knows",
    backend: backends[cluster.discovery],
    nodes: cluster.discovery === "static" ? nodes : [],
    node_list_file: cluster.discovery === "file" ? nodeListFile : "",
    dns_name: cluster.discovery === "dns" ? nodesName : "",
    heartbeat_interval: cluster.heartbeatInterval,
    heartbeat_timeout: cluster.heartbeatTimeout,
    link_grace: cluster.linkGrace,
    expire_after: cluster.expireAfter,
    ...boundsOf(cluster),
  };
}

function boundsOf({ bounds }: ClusterPlan): Pick<ClusterConfig, "bounds"> {
  if (bounds === undefined) return {};
  const { window, queue, fragment, logOperations, chunk, syncWindow, retention } = bounds;
  const { requestPatience, overtaking = window, tableQueue, quickFor } = bounds;
  // Whoever takes little at a time must say soon that it has taken it.
  const ackBytes = Math.min(linkLimits.ackBytes, window >> 2);
  const links = { ackBytes, windowBytes: window, queueBytes: queue, fragmentBytes: fragment };
  return {
    bounds: {
      links: {
        ...links,
        overtakingBytes: overtaking,
        ...(tableQueue === undefined ? {} : { tableQueueBytes: tableQueue }),
        ...(syncWindow === undefined ? {} : { syncWindowBytes: syncWindow }),
      },
      tables: { logOperationsMax: logOperations, chunkBytesMax: chunk },
      ...(retention === undefined ? {} : { tablesTiming: { retention } }),
      ...(quickFor === undefined ? {} : { discoveryTiming: { quickFor } }),
      ...(requestPatience === undefined ? {} : { requestPatience }),
    },
  };
}
