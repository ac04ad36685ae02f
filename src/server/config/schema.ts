/**
 * Schema: which sections and options may a configuration file have?
 *
 * The names are MongooseIM's wherever the same thing is meant; what is ours alone says so. Defaults are
 * those of `defaultConfig`. The reference (docs/reference/configuration.md) is written from this file.
 */
import * as z from "zod";
import { defaultConfig, httpListenerDefaults, listenerDefaults } from "../config.ts";
import { prepareDomain, prepareResource, prepareUsername } from "../../xmpp/jid.ts";
import { cluster } from "./cluster-schema.ts";
import {
  about,
  bytes,
  flag,
  hostName,
  integer,
  ipAddress,
  milliseconds,
  network,
  oneOf,
  path,
  secret,
  text,
} from "./options.ts";

const { general, auth, rdbms, sessions } = defaultConfig;
const day = 86_400_000;

export const mechanisms = {
  scram_sha512_plus: "SCRAM-SHA-512-PLUS",
  scram_sha256_plus: "SCRAM-SHA-256-PLUS",
  scram_sha1_plus: "SCRAM-SHA-1-PLUS",
  scram_sha512: "SCRAM-SHA-512",
  scram_sha256: "SCRAM-SHA-256",
  scram_sha1: "SCRAM-SHA-1",
  plain: "PLAIN",
  external: "EXTERNAL",
  anonymous: "ANONYMOUS",
} as const;
type MechanismName = keyof typeof mechanisms;
const mechanismNames = Object.keys(mechanisms) as [MechanismName, ...MechanismName[]];
const nameOf = (wire: string): MechanismName | undefined =>
  mechanismNames.find((name) => mechanisms[name] === wire);
const defaultMechanisms = auth.sasl_mechanisms.flatMap((wire) => nameOf(wire) ?? []);

/** Fewer levels exist here than there: the others mean the nearest of ours. */
export const levels = {
  none: "none",
  emergency: "error",
  alert: "error",
  critical: "error",
  error: "error",
  warning: "warning",
  notice: "info",
  info: "info",
  debug: "debug",
  all: "debug",
} as const;
type LevelName = keyof typeof levels;
const levelNames = Object.keys(levels) as [LevelName, ...LevelName[]];

const pair = {
  certfile: about(
    "PEM file with the certificate, followed by the intermediate certificates.",
    path(),
  ),
  keyfile: about("PEM file with the certificate's private key, without a password.", path()),
};

const tls = {
  ...pair,
  cacertfile: about(
    "PEM file with the authorities for client certificates (SASL EXTERNAL). Without it none is asked for.",
    path().optional(),
  ),
  hosts: about(
    "Ours. Certificates by host name (SNI), in place of the default pair.",
    z.record(hostName(), z.strictObject(pair)).default({}),
  ),
};

const listener = {
  port: about("The TCP port. 0 lets the system choose one.", integer(0, 65_535)),
  ip_address: about(
    "The address to listen on; `0.0.0.0` is all of IPv4, `::` all there are.",
    ipAddress().default(listenerDefaults.ip_address),
  ),
  max_connections_per_address: about(
    "Ours. How many connections one IP address may have on this listener; each worker counts alone.",
    integer(1, 1_000_000).default(listenerDefaults.max_connections_per_address),
  ),
  allow_plaintext: about(
    "Ours. Serve clients without TLS, passwords included: for loopback, tests, or behind a proxy that does TLS.",
    flag().default(false),
  ),
};

const stream = {
  max_stanza_size: about(
    "Bytes of one stanza; a larger one closes its stream (RFC 6120 §13.12 allows no less than 10000).",
    bytes(10_000, 16_000_000).default(listenerDefaults.max_stanza_size), // in a frame of 16 MiB between nodes
  ),
  state_timeout: about(
    "From connecting to being logged in.",
    milliseconds(100, day).default(listenerDefaults.c2s_state_timeout),
  ),
};

const access = about(
  "Which rule of `access` says who may have a session here. `all`: everybody may.",
  oneOf(["all", "c2s"]).default("all"),
);

const part = (allowed: string, prepare: (part: string) => string | undefined) =>
  z
    .string()
    .refine((text) => prepare(text) !== undefined)
    .meta({ allowed })
    .optional();

const aclPattern = z.strictObject({
  match: about(
    "`none` fits nobody. The others are the same here: whoever logs in is of a domain of ours.",
    oneOf(["all", "none", "current_domain", "any_hosted_domain"]).default("current_domain"),
  ),
  user: about("Fits this user alone.", part("the part of a JID before the @", prepareUsername)),
  server: about("Fits users of this domain alone.", part("a domain name", prepareDomain)),
  resource: about("Fits this resource alone.", part("the resource of a JID", prepareResource)),
});

const rule = <T extends z.ZodType>(value: T) =>
  z.strictObject({
    acl: about("For whom: a list of `acl`, or `all`, or `none`.", text("the name of a list")),
    value,
  });

const c2s = z.strictObject({
  ...listener,
  ...stream,
  shaper: about(
    "Which section `shaper` limits how fast one connection is read. `none`: nothing does.",
    text("the name of a shaper").default("none"),
  ),
  access,
  tls: about(
    "Required unless `allow_plaintext = true`.",
    z
      .strictObject({
        mode: about(
          "`starttls` offers TLS, `starttls_required` demands it, `tls` begins with it (XEP-0368).",
          oneOf(["starttls", "starttls_required", "tls"]).default("starttls_required"),
        ),
        ...tls,
      })
      .optional(),
  ),
});

const anyHost = about("Only `_`, any host, is supported.", oneOf(["_"]).default("_"));

const http = z.strictObject({
  ...listener,
  tls: about("Without it the listener speaks plain HTTP.", z.strictObject(tls).optional()),
  health: about("Ours. Serve `/healthz` and `/readyz`.", flag().default(true)),
  handlers: about(
    "What is served.",
    z
      .strictObject({
        mongoose_websocket_handler: about(
          "WebSocket (RFC 7395).",
          z
            .array(
              z.strictObject({
                host: anyHost,
                path: about(
                  "Path of the endpoint.",
                  z
                    .string()
                    .regex(/^\/[\w\-./~]*$/)
                    .meta({ allowed: 'a path such as "/ws-xmpp"' })
                    .default(httpListenerDefaults.websocket_path),
                ),
                ...stream,
                access: about("Ours. As of `listen.c2s`.", access),
              }),
            )
            .max(1)
            .meta({ allowed: "one table" })
            .default([]),
        ),
        mongoose_prometheus_handler: about(
          "Metrics for Prometheus.",
          z
            .array(
              z.strictObject({
                host: anyHost,
                path: about("Path of the metrics.", oneOf(["/metrics"]).default("/metrics")),
              }),
            )
            .max(1)
            .meta({ allowed: "one table" })
            .default([]),
        ),
      })
      .default({ mongoose_websocket_handler: [], mongoose_prometheus_handler: [] }),
  ),
});

const pool = z.strictObject({
  scope: about("Only `global` is supported.", oneOf(["global"]).default("global")),
  workers: about(
    "How many connections to the database.",
    integer(1, 1_000).default(rdbms.pool_size),
  ),
  max_worker_queue_len: about(
    "How many requests may wait per connection; what exceeds it fails at once.",
    integer(0, 100_000).default(Math.floor(rdbms.max_queue / rdbms.pool_size)),
  ),
  connection: about(
    "Where the database is.",
    z
      .strictObject({
        driver: about("PostgreSQL 15 or newer.", oneOf(["pgsql"]).default("pgsql")),
        host: about("Host name or address.", text().default(rdbms.host)),
        port: about("TCP port.", integer(1, 65_535).default(rdbms.port)),
        database: about("Name of the database.", text().default(rdbms.database)),
        username: about("Role to log in as.", text().default(rdbms.username)),
        password: about(
          "The role's password, from the environment or a file if it should not stand here.",
          secret().default(rdbms.password),
        ),
        query_timeout: about(
          "How long one request may take.",
          milliseconds(10, day).default(rdbms.query_timeout),
        ),
      })
      .prefault({}),
  ),
});

/** A module that is always there, so its section may only be empty. */
const builtIn = (meaning: string) => about(meaning, z.strictObject({}).optional());

export const fileSchema = z.strictObject({
  general: about(
    "What holds for the whole node.",
    z
      .strictObject({
        hosts: about(
          "The domains that are served.",
          z
            .array(hostName())
            .min(1)
            .refine((hosts) => new Set(hosts.map(prepareDomain)).size === hosts.length)
            .meta({ allowed: "a list of different domain names, at least one" })
            .default([...general.hosts]),
        ),
        loglevel: about(
          "The least severe events that are logged. The names that syslog adds mean the nearest of `error`, `warning`, `info` and `debug`.",
          oneOf(levelNames).default(general.loglevel),
        ),
        shutdown_timeout: about(
          "Ours. How long a graceful shutdown may take.",
          milliseconds(0, day).default(general.shutdown_timeout),
        ),
      })
      .prefault({}),
  ),
  listen: about(
    "Where connections are accepted.",
    z
      .strictObject({
        c2s: about("XMPP clients over TCP.", z.array(c2s).default([])),
        http: about("WebSocket, health and metrics.", z.array(http).default([])),
      })
      .default({ c2s: [], http: [] }),
  ),
  auth: about(
    "How clients log in.",
    z
      .strictObject({
        methods: about(
          "Where accounts live. Only `rdbms` is supported.",
          z.array(oneOf(["rdbms"])).default(["rdbms"]),
        ),
        rdbms: builtIn("Accounts in the database: what there is. May be given, empty."),
        sasl_mechanisms: about(
          "The mechanisms offered, in this order, where the connection allows them: `plain` over TLS alone, `_plus` where channel binding is possible, `external` with a client certificate.",
          z.array(oneOf(mechanismNames)).min(1).default(defaultMechanisms),
        ),
        password: about(
          "How passwords are stored.",
          z
            .strictObject({
              format: about("Only salted keys are ever stored.", oneOf(["scram"]).default("scram")),
              scram_iterations: about(
                "Rounds for a password that is set from now on (RFC 7677 demands 4096).",
                integer(4_096, 10_000_000).default(auth.scram_iterations),
              ),
            })
            .prefault({}),
        ),
        max_attempts: about(
          "Ours. Failed logins on one stream before it is closed (RFC 6120 §6.4.5).",
          integer(1, 100).default(auth.max_attempts),
        ),
        max_failed_logins_per_address: about(
          "Ours. Failed logins of one IP address (IPv6: of one /64) within `failed_logins_period`, on any streams; what exceeds it is answered `temporary-auth-failure`, right passwords too. Each worker counts alone. 0: no limit, for a node behind a proxy that hides its clients' addresses.",
          integer(0, 1_000_000).default(auth.max_failed_logins_per_address),
        ),
        failed_logins_period: about(
          "Ours. The time in which that many failed logins are forgotten, one after the other.",
          milliseconds(1_000, day).default(auth.failed_logins_period),
        ),
      })
      .prefault({}),
  ),
  outgoing_pools: about(
    "Connections that the node makes.",
    z
      .strictObject({
        rdbms: about(
          "The database.",
          z.strictObject({ default: about("The only pool.", pool.prefault({})) }).prefault({}),
        ),
      })
      .prefault({}),
  ),
  cluster: about(
    "Ours. Several nodes as one server; without this section the node is alone.",
    cluster.optional(),
  ),
  shaper: about(
    "How fast clients may send, by the names that listeners refer to. Who sends faster is read more slowly: nothing is lost.",
    z
      .record(
        z.string(),
        z.strictObject({
          max_rate: about(
            "Bytes per second of one connection, once a second's worth has been sent.",
            integer(1, 1_000_000_000),
          ),
        }),
      )
      .default({}),
  ),
  acl: about(
    'Lists of users, by the names that rules of `access` refer to. Who fits one entry is on the list; a list is written `NAME = [{ user = "juliet" }, …]`.',
    z.record(z.string(), z.array(aclPattern)).default({}),
  ),
  access: about(
    "Rules of who may do what.",
    z
      .strictObject({
        c2s: about(
          'Who may have a session, where a listener says `access = "c2s"`. The first rule that fits counts; whom none fits may not.',
          z.array(rule(about("What is done.", oneOf(["allow", "deny"])))).default([]),
        ),
        max_user_sessions: about(
          `How many sessions one account may have. The first rule that fits counts; where none does, it is ${sessions.max_per_user}.`,
          z.array(rule(about("The maximum.", integer(1, 1_000)))).default([]),
        ),
      })
      .prefault({}),
  ),
  sessions: about(
    "Ours. What a logged-in client may do to us.",
    z
      .strictObject({
        conflict: about(
          "What a login to a resource in use does (RFC 6120 §7.7.2.2).",
          oneOf(["replace_existing", "refuse_new", "make_new_resource"]).default(sessions.conflict),
        ),
        max_send_queue: about(
          "Bytes that may wait for a client that does not read; more closes its stream.",
          bytes(10_000, 1_073_741_824).default(sessions.max_send_queue),
        ),
        send_timeout: about(
          "How long a client may not read at all.",
          milliseconds(1_000, day).default(sessions.send_timeout),
        ),
        keepalive_interval: about(
          "Silence after which white space, or over WebSocket a ping, is sent, so that a dead connection is noticed.",
          milliseconds(1_000, day).default(sessions.keepalive_interval),
        ),
      })
      .prefault({}),
  ),
  modules: about(
    "Extensions. Those without options are always on; their sections may be given, empty.",
    z
      .strictObject({
        mod_register: about(
          "In-band registration (XEP-0077), off unless the section is there.",
          z
            .strictObject({
              ip_access: about(
                "Who may register: the addresses allowed; all, if none is given. Since what is not allowed is denied, `deny` is accepted for `0.0.0.0/0` and `::/0` only.",
                z
                  .array(
                    z
                      .strictObject({
                        address: about("An address or network.", network()),
                        policy: about("What is done.", oneOf(["allow", "deny"])),
                      })
                      .refine((rule) => rule.policy === "allow" || /^[0:.]+\/0$/.test(rule.address))
                      .meta({
                        allowed: '"allow" with any network, or "deny" with 0.0.0.0/0 or ::/0',
                      }),
                  )
                  .default([]),
              ),
            })
            .optional(),
        ),
        mod_disco: builtIn("Service discovery (XEP-0030)."),
        mod_ping: builtIn("Ping (XEP-0199)."),
        mod_version: builtIn("Software version (XEP-0092)."),
        mod_time: builtIn("Entity time (XEP-0202)."),
        mod_last: builtIn("Last activity of the server (XEP-0012)."),
      })
      .prefault({}),
  ),
});

export type ConfigFile = z.infer<typeof fileSchema>;
