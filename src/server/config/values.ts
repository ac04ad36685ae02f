/**
 * Values: what a file that fits the schema means, and the rules that concern several options at once.
 *
 * Problems are collected, not thrown: all of them are told at once.
 */
import type { C2sListener, Config, HttpListener, Listener, TlsConfig } from "../config.ts";
import { defaultConfig, listenerDefaults } from "../config.ts";
import { prepareDomain } from "../../xmpp/jid.ts";
import { rulesOf } from "./access-values.ts";
import { clusterConfig } from "./cluster-values.ts";
import type { Problem } from "./explain.ts";
import type { KeyPath } from "./key-lines.ts";
import { nearest } from "./nearest.ts";
import { type ConfigFile, levels, mechanisms } from "./schema.ts";
import { secretOf, type Sources } from "./sources.ts";

type FileC2s = ConfigFile["listen"]["c2s"][number];
type FileHttp = ConfigFile["listen"]["http"][number];
type FileTls = NonNullable<FileHttp["tls"]>;

export function configOf(file: ConfigFile, sources: Sources, problems: Problem[]): Config {
  const { general, auth, sessions, access, modules } = file;
  const pool = file.outgoing_pools.rdbms.default;
  const { connection } = pool;
  const passwordAt = ["outgoing_pools", "rdbms", "default", "connection", "password"];
  const register = modules.mod_register;
  const listen = listeners(file, problems);
  return {
    general: {
      hosts: general.hosts.map((host) => prepareDomain(host) ?? host),
      loglevel: levels[general.loglevel],
      shutdown_timeout: general.shutdown_timeout,
    },
    listen,
    auth: {
      sasl_mechanisms: auth.sasl_mechanisms.map((name) => mechanisms[name]),
      scram_iterations: auth.password.scram_iterations,
      max_attempts: auth.max_attempts,
      max_failed_logins_per_address: auth.max_failed_logins_per_address,
      failed_logins_period: auth.failed_logins_period,
    },
    rdbms: {
      host: connection.host,
      port: connection.port,
      database: connection.database,
      username: connection.username,
      password: secretOf(connection.password, passwordAt, sources, problems),
      pool_size: pool.workers,
      query_timeout: connection.query_timeout,
      max_queue: pool.workers * pool.max_worker_queue_len,
    },
    sessions: {
      max_per_user: defaultConfig.sessions.max_per_user,
      max_user_sessions: rulesOf(
        file,
        ["access", "max_user_sessions"],
        access.max_user_sessions,
        problems,
      ),
      conflict: sessions.conflict,
      max_send_queue: sessions.max_send_queue,
      send_timeout: sessions.send_timeout,
      keepalive_interval: sessions.keepalive_interval,
    },
    registration: {
      enabled: register !== undefined,
      ip_access: register === undefined ? [] : networks(register.ip_access),
    },
    cluster:
      file.cluster === undefined
        ? undefined
        : clusterConfig({ file: file.cluster, listen, sources, problems }),
  };
}

/** No rule at all means everyone, as in MongooseIM. */
function networks(rules: readonly { address: string; policy: "allow" | "deny" }[]): string[] {
  if (rules.length === 0) return ["0.0.0.0/0", "::/0"];
  return rules.filter(({ policy }) => policy === "allow").map(({ address }) => address);
}

function listeners(file: ConfigFile, problems: Problem[]): readonly Listener[] {
  const allowed = rulesOf(file, ["access", "c2s"], file.access.c2s, problems);
  const accessOf = (name: "all" | "c2s" | undefined, path: KeyPath) => {
    if (name !== "c2s") return undefined;
    const message = "names rules that are not there: access.c2s";
    if (allowed.length === 0) problems.push({ path: [...path, "access"], message });
    return allowed;
  };
  const { c2s, http } = file.listen;
  const names = new Map<string, number>();
  const all = [
    ...c2s.map((listener, at) => ({
      ...c2sListener(listener, ["listen", "c2s", at], problems),
      max_rate: maxRate(file, listener.shaper, ["listen", "c2s", at, "shaper"], problems),
      access: accessOf(listener.access, ["listen", "c2s", at]),
    })),
    ...http.map((listener, at) => ({
      ...httpListener(listener, ["listen", "http", at], problems),
      access: accessOf(listener.handlers.mongoose_websocket_handler[0]?.access, [
        "listen",
        "http",
        at,
        "handlers",
        "mongoose_websocket_handler",
        0,
      ]),
    })),
  ];
  const taken = new Map<string, string>();
  [...c2s, ...http].forEach((listener, index) => {
    if (listener.port === 0) return;
    const address = `${listener.ip_address} port ${listener.port}`;
    const kind = index < c2s.length ? "c2s" : "http";
    const at = index < c2s.length ? index : index - c2s.length;
    const other = taken.get(address);
    if (other === undefined) taken.set(address, `listen.${kind}[${at + 1}]`);
    else {
      const message = `is taken: ${other} listens on ${address} already`;
      problems.push({ path: ["listen", kind, at, "port"], message });
    }
  });
  // A listener's name stays the same when another is added behind it: logs and metrics bear it.
  return all.map((listener) => {
    const count = (names.get(listener.name) ?? 0) + 1;
    names.set(listener.name, count);
    return count === 1 ? listener : { ...listener, name: `${listener.name}-${count}` };
  });
}

function c2sListener(listener: FileC2s, path: KeyPath, problems: Problem[]): C2sListener {
  const { port, ip_address, max_stanza_size, max_connections_per_address } = listener;
  needsTls(listener, path, problems);
  return {
    name: `c2s-${port}`,
    kind: "c2s",
    port,
    ip_address,
    tls: listener.tls === undefined ? undefined : tlsConfig(listener.tls, listener.tls.mode),
    allow_plaintext: listener.allow_plaintext,
    max_stanza_size,
    max_connections_per_address,
    c2s_state_timeout: listener.state_timeout,
  };
}

function maxRate(
  { shaper }: ConfigFile,
  name: string,
  path: KeyPath,
  problems: Problem[],
): number | undefined {
  const { max_rate } = Object.hasOwn(shaper, name) ? (shaper[name] ?? {}) : {};
  if (max_rate !== undefined || name === "none") return max_rate;
  const near = nearest(name, Object.keys(shaper));
  const hint =
    near === undefined ? `there is no section [shaper.${name}]` : `did you mean "${near}"?`;
  problems.push({ path, message: `names no shaper: ${hint}` });
  return undefined;
}

function httpListener(listener: FileHttp, path: KeyPath, problems: Problem[]): HttpListener {
  const { port, ip_address, max_connections_per_address, handlers } = listener;
  const [websocket] = handlers.mongoose_websocket_handler;
  if (websocket !== undefined) needsTls(listener, path, problems);
  return {
    name: `http-${port}`,
    kind: "http",
    port,
    ip_address,
    tls: listener.tls === undefined ? undefined : tlsConfig(listener.tls, "tls"),
    websocket_path: websocket?.path ?? "",
    max_stanza_size: websocket?.max_stanza_size ?? listenerDefaults.max_stanza_size,
    max_connections_per_address,
    c2s_state_timeout: websocket?.state_timeout ?? listenerDefaults.c2s_state_timeout,
    allow_plaintext: listener.allow_plaintext,
    health: listener.health,
    metrics: handlers.mongoose_prometheus_handler.length > 0,
  };
}

/** Passwords in the clear are never an accident (RFC 6120 §13.8). */
function needsTls(
  { tls, allow_plaintext }: { tls?: unknown; allow_plaintext: boolean },
  path: KeyPath,
  problems: Problem[],
): void {
  if (tls !== undefined || allow_plaintext) return;
  const message = "needs certificates (tls.certfile and tls.keyfile), or allow_plaintext = true";
  problems.push({ path, message });
}

function tlsConfig(tls: FileTls, mode: TlsConfig["mode"]): TlsConfig {
  const { certfile, keyfile, cacertfile = "", hosts } = tls;
  return { mode, certfile, keyfile, cacertfile, hosts };
}
