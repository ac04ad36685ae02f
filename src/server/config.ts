/**
 * Config: everything that a node can be told, as plain validated values.
 *
 * `config/` reads it from TOML; the simulator makes it by hand. Periods are milliseconds and sizes
 * bytes here, whatever units the file used. `defaultConfig` is what an empty file means.
 */
import type { Duration } from "../base/time.ts";
import type { DiscoveryTiming } from "../cluster/discovery.ts";
import type { ProtocolRange } from "../cluster/protocol.ts";
import type { TablesLimits, TablesTiming } from "../cluster/tables-contract.ts";
import type { LinkLimits } from "../cluster/timing.ts";
import type { ListedNode } from "../cluster/node-list.ts";
import type { AccessRule } from "./access.ts";

export type SaslMechanism =
  | "SCRAM-SHA-512-PLUS"
  | "SCRAM-SHA-256-PLUS"
  | "SCRAM-SHA-1-PLUS"
  | "SCRAM-SHA-512"
  | "SCRAM-SHA-256"
  | "SCRAM-SHA-1"
  | "PLAIN"
  | "EXTERNAL"
  | "ANONYMOUS";

export interface TlsConfig {
  /** `starttls` offers, `starttls_required` demands, `tls` starts with it (XEP-0368). */
  readonly mode: "starttls" | "starttls_required" | "tls";
  readonly certfile: string;
  readonly keyfile: string;
  /** Authorities for client certificates (SASL EXTERNAL); empty: none asked for. */
  readonly cacertfile: string;
  /** Certificates by host name (SNI), over the default pair. */
  readonly hosts: Readonly<Record<string, { certfile: string; keyfile: string }>>;
}

/** Who may have a session; whom no rule names may not. Undefined: everybody. */
export type C2sAccess = readonly AccessRule<"allow" | "deny">[];

export interface C2sListener {
  readonly name: string;
  readonly kind: "c2s";
  readonly ip_address: string;
  readonly port: number;
  readonly tls: TlsConfig | undefined;
  /** May clients without TLS use PLAIN? For loopback and tests only. */
  readonly allow_plaintext: boolean;
  /** Bytes of one stanza. */
  readonly max_stanza_size: number;
  readonly max_connections_per_address: number;
  /** From connecting to being authenticated. */
  readonly c2s_state_timeout: Duration;
  /** Bytes per second that one connection may send us; undefined: as fast as it can. */
  readonly max_rate?: number | undefined;
  readonly access?: C2sAccess | undefined;
}

export interface HttpListener {
  readonly name: string;
  readonly kind: "http";
  readonly ip_address: string;
  readonly port: number;
  readonly tls: TlsConfig | undefined;
  /** Serve RFC 7395 on this path; empty: not at all. */
  readonly websocket_path: string;
  readonly max_stanza_size: number;
  readonly max_connections_per_address: number;
  readonly c2s_state_timeout: Duration;
  readonly allow_plaintext: boolean;
  readonly access?: C2sAccess | undefined;
  readonly health: boolean;
  readonly metrics: boolean;
}

export type Listener = C2sListener | HttpListener;

/** Where other nodes connect to us. Not one of `Config.listen`: it comes with `Config.cluster`. */
export interface ClusterListener {
  readonly name: "cluster";
  readonly kind: "cluster";
  readonly ip_address: string;
  readonly port: number;
  readonly tls: ClusterTls | undefined;
}

/** Links are mutual: both ends show a certificate, and both verify the other's by `cacertfile`. */
export interface ClusterTls {
  readonly certfile: string;
  readonly keyfile: string;
  readonly cacertfile: string;
}

export interface ClusterConfig {
  /** Stable, unique in the cluster; by default `meerkat@` and the advertised address. */
  readonly node_name: string;
  /** Nodes of another cluster are refused. */
  readonly cluster_name: string;
  readonly listener: ClusterListener;
  /** `host:port` at which other nodes reach us. */
  readonly advertised_address: string;
  /** Who has it is a member. */
  readonly secret: string;
  readonly backend: "rdbms" | "static" | "dns" | "file";
  /** For `static`: all nodes, ourselves included or not. */
  readonly nodes: readonly ListedNode[];
  /** For `file`: its path. */
  readonly node_list_file: string;
  /** For `dns`: a name with one address per node; all listen on our own port. */
  readonly dns_name: string;
  readonly heartbeat_interval: Duration;
  readonly heartbeat_timeout: Duration;
  readonly link_grace: Duration;
  /** For `sql`: a row that was not refreshed for so long is removed by the others. */
  readonly expire_after: Duration;
  /** No option of the file: for the simulator, which must meet bounds that production hardly meets. */
  readonly bounds?: ClusterBounds;
  /** Neither: versions of the protocol, where a node stands for another release. */
  readonly protocol?: ProtocolRange;
}

/** In place of the defaults of links and tables. */
export interface ClusterBounds {
  readonly links: Partial<LinkLimits>;
  readonly tables: Partial<TablesLimits>;
  readonly tablesTiming?: Partial<TablesTiming>;
  readonly discoveryTiming?: Partial<Omit<DiscoveryTiming, "expireAfter">>;
  /** How long a request waits for a node that is out of sight. */
  readonly requestPatience?: Duration;
}

export interface Config {
  readonly general: {
    readonly hosts: readonly string[];
    readonly loglevel: "debug" | "info" | "warning" | "error" | "none";
    /** How long a graceful shutdown may take. */
    readonly shutdown_timeout: Duration;
  };
  readonly listen: readonly Listener[];
  readonly auth: {
    readonly sasl_mechanisms: readonly SaslMechanism[];
    readonly scram_iterations: number;
    /** Attempts on one stream (RFC 6120 §6.4.5). */
    readonly max_attempts: number;
    /** Failed logins of one IP address that are answered within `failed_logins_period`; 0: no limit. */
    readonly max_failed_logins_per_address: number;
    readonly failed_logins_period: Duration;
  };
  readonly rdbms: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly username: string;
    readonly password: string;
    readonly pool_size: number;
    readonly query_timeout: Duration;
    readonly max_queue: number;
  };
  readonly sessions: {
    readonly max_per_user: number;
    /** For some users another number than `max_per_user`. */
    readonly max_user_sessions: readonly AccessRule<number>[];
    /** What a second login to a taken full JID does (RFC 6120 §7.7.2.2). */
    readonly conflict: "replace_existing" | "refuse_new" | "make_new_resource";
    /** Bytes that may wait for a client that does not read. */
    readonly max_send_queue: number;
    /** How long a client may not read before it is closed. */
    readonly send_timeout: Duration;
    /** Silence after which a ping-less client is asked for a sign of life by white space or a ping. */
    readonly keepalive_interval: Duration;
  };
  readonly registration: { readonly enabled: boolean; readonly ip_access: readonly string[] };
  /** Undefined: this node is alone. */
  readonly cluster: ClusterConfig | undefined;
}

export const defaultConfig: Config = {
  general: { hosts: ["localhost"], loglevel: "info", shutdown_timeout: 10_000 },
  listen: [],
  auth: {
    sasl_mechanisms: [
      "SCRAM-SHA-512-PLUS",
      "SCRAM-SHA-256-PLUS",
      "SCRAM-SHA-1-PLUS",
      "SCRAM-SHA-512",
      "SCRAM-SHA-256",
      "SCRAM-SHA-1",
      "PLAIN",
    ],
    scram_iterations: 10_000,
    max_attempts: 5,
    max_failed_logins_per_address: 100,
    failed_logins_period: 600_000,
  },
  rdbms: {
    host: "127.0.0.1",
    port: 5432,
    database: "meerkat",
    username: "meerkat",
    password: "",
    pool_size: 10,
    query_timeout: 5_000,
    max_queue: 10_000,
  },
  sessions: {
    max_per_user: 10,
    max_user_sessions: [],
    conflict: "replace_existing",
    max_send_queue: 1_048_576,
    send_timeout: 60_000,
    keepalive_interval: 180_000,
  },
  registration: { enabled: false, ip_access: [] },
  cluster: undefined,
};

/** What `[cluster]` means unless it says otherwise. */
export const clusterDefaults = {
  cluster_name: "meerkat",
  ip_address: "0.0.0.0",
  port: 7_000,
  backend: "rdbms",
  heartbeat_interval: 1_000,
  heartbeat_timeout: 5_000,
  link_grace: 5_000,
  expire_after: 3_600_000,
} as const;

/** What a listener does unless it says otherwise; port, certificates and purpose have no default. */
export const listenerDefaults = {
  ip_address: "0.0.0.0",
  max_stanza_size: 262_144,
  max_connections_per_address: 1_000,
  c2s_state_timeout: 30_000,
  allow_plaintext: false,
} as const;

export const httpListenerDefaults = {
  ...listenerDefaults,
  websocket_path: "/ws-xmpp",
  health: true,
} as const;
