/** DevConfig: what `meerkat dev` serves, all of it on 127.0.0.1. */
import { randomBytes } from "node:crypto";
import type { ClusterConfig, Config, Listener, TlsConfig } from "../server/config.ts";
import {
  clusterDefaults,
  defaultConfig,
  httpListenerDefaults,
  listenerDefaults,
} from "../server/config.ts";

export interface DevSettings {
  readonly certfile: string;
  readonly keyfile: string;
  readonly rdbms: Pick<Config["rdbms"], "host" | "port" | "database" | "username" | "password">;
  /** STARTTLS is here, direct TLS one above; HTTP is 58 above (5222, 5223, 5280). */
  readonly port: number;
}

export function devConfig({ certfile, keyfile, rdbms, port }: DevSettings): Config {
  const tls = (mode: TlsConfig["mode"]): TlsConfig => ({
    mode,
    certfile,
    keyfile,
    cacertfile: "",
    hosts: {},
  });
  // A load test on this machine comes from one address.
  const local = { ip_address: "127.0.0.1", max_connections_per_address: 20_000 };
  const listen: readonly Listener[] = [
    {
      ...listenerDefaults,
      ...local,
      name: "c2s",
      kind: "c2s",
      port,
      tls: tls("starttls_required"),
    },
    {
      ...listenerDefaults,
      ...local,
      name: "c2s-tls",
      kind: "c2s",
      port: port + 1,
      tls: tls("tls"),
    },
    {
      ...httpListenerDefaults,
      ...local,
      name: "http",
      kind: "http",
      port: port + 58,
      tls: undefined,
      allow_plaintext: true,
      metrics: true,
    },
  ];
  return {
    ...defaultConfig,
    listen,
    rdbms: { ...defaultConfig.rdbms, ...rdbms },
    registration: { enabled: true, ip_access: ["127.0.0.0/8", "::1"] },
  };
}

export const devPort = 5222;
/** The folder of the database and the certificate. */
export const defaultData = "data";

export interface NodePorts {
  readonly starttls: number;
  readonly tls: number;
  readonly http: number;
  readonly cluster: number;
}

/** Of the node with this number, from 1; no port of one is that of another. */
export function nodePorts(port: number, number: number): NodePorts {
  const starttls = port + 10 * (number - 1);
  return { starttls, tls: starttls + 1, http: starttls + 58, cluster: starttls + 59 };
}

/** How far above the first port the last one of so many nodes is. */
export const devPorts = (nodes: number): number => {
  const { http, cluster } = nodePorts(0, nodes);
  return nodes === 1 ? http : cluster;
};

/** Drawn at each start, and known to the processes of this start alone. */
const secret = randomBytes(24).toString("base64url");

/** Node `number` of the cluster whose first node has `port`. */
export function membership(port: number, number: number): ClusterConfig {
  const { cluster } = nodePorts(port, number);
  return {
    ...clusterDefaults,
    node_name: `node-${number}`,
    cluster_name: `dev-${port}`,
    listener: {
      ...{ name: "cluster", kind: "cluster", ip_address: "127.0.0.1", port: cluster },
      tls: undefined,
    },
    advertised_address: `127.0.0.1:${cluster}`,
    secret,
    nodes: [],
    node_list_file: "",
    dns_name: "",
    // What a killed start with more nodes has left shall not be dialled for an hour.
    expire_after: 60_000,
  };
}
