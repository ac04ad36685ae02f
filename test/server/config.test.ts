import { expect, test } from "vitest";
import { defaultConfig } from "../../src/server/config.ts";
import { configErrorText, parseConfig } from "../../src/server/config/parse.ts";

const environment = (name: string): string | undefined =>
  name === "DB_PASSWORD" ? "from the environment" : undefined;
const readFile = (path: string): string | undefined =>
  path === "/run/secrets/db" ? "from a file\n" : undefined;

const parse = (text: string) => parseConfig(text, environment, readFile);
/** What an operator reads, one line per error. */
const errors = (text: string): string[] =>
  (parse(text).errors ?? []).map((error) => configErrorText("m.toml", error));

function config(text: string) {
  const { config, errors } = parse(text);
  if (config === undefined) throw new Error(JSON.stringify(errors));
  return config;
}

test("config: an empty file means the default configuration", () => {
  expect(config("")).toEqual(defaultConfig);
  expect(config("# nothing\n[general]\n[modules]\n[auth.rdbms]\n")).toEqual(defaultConfig);
});

const full = `
[general]
  hosts = ["example.org", "example.net"]
  loglevel = "notice"
  shutdown_timeout = 3_000

[[listen.c2s]]
  port = 5222
  ip_address = "::"
  max_stanza_size = 65536
  max_connections_per_address = 20
  state_timeout = 5_000
  tls.certfile = "cert.pem"
  tls.keyfile = "key.pem"

[[listen.c2s]]
  port = 5223
  tls.mode = "tls"
  tls.certfile = "cert.pem"
  tls.keyfile = "key.pem"
  tls.cacertfile = "ca.pem"
  shaper = "normal"
  access = "c2s"
  tls.hosts."example.net" = { certfile = "net.pem", keyfile = "net.key" }

[[listen.http]]
  port = 5280
  ip_address = "127.0.0.1"
  allow_plaintext = true
  [[listen.http.handlers.mongoose_websocket_handler]]
    path = "/ws"
  [[listen.http.handlers.mongoose_prometheus_handler]]

[shaper.normal]
  max_rate = 50_000

[acl]
  blocked = [{ user = "Iago" }, { server = "EXAMPLE.net", resource = "bot" }]
  nobody = [{ match = "none", user = "othello" }]

[auth]
  sasl_mechanisms = ["scram_sha256_plus", "scram_sha256"]
  password.scram_iterations = 20_000
  max_attempts = 3
[auth.rdbms]

[outgoing_pools.rdbms.default]
  workers = 5
  max_worker_queue_len = 100
[outgoing_pools.rdbms.default.connection]
  driver = "pgsql"
  host = "db.example.org"
  port = 5433
  database = "chat"
  username = "chat"
  password = { env = "DB_PASSWORD" }
  query_timeout = 1_000

[[access.max_user_sessions]]
  acl = "all"
  value = 4
[[access.c2s]]
  acl = "blocked"
  value = "deny"
[[access.c2s]]
  acl = "nobody"
  value = "allow"
[[access.c2s]]
  acl = "all"
  value = "allow"

[sessions]
  conflict = "refuse_new"

[modules.mod_register]
  ip_access = [
    { address = "10.0.0.0/8", policy = "allow" },
    { address = "0.0.0.0/0", policy = "deny" },
  ]
[modules.mod_disco]
`;

test("config: every section is read", () => {
  expect(config(full)).toMatchSnapshot();
});

test("config: a secret comes from a file, without the newline at its end", () => {
  const text = `[outgoing_pools.rdbms.default.connection]\npassword = { file = "/run/secrets/db" }\n`;
  expect(config(text).rdbms.password).toBe("from a file");
});

test.each([
  ["a wrong section", "[genral]\n", ['m.toml:1: genral is not known; did you mean "general"?']],
  [
    "a wrong key",
    "\n[general]\n\nhost = []\n",
    ['m.toml:4: general.host is not known; did you mean "hosts"?'],
  ],
  [
    "a key like none",
    "[general]\nfrobnicate = 1\n",
    ["m.toml:2: general.frobnicate is not known; allowed here: hosts, loglevel, shutdown_timeout"],
  ],
  [
    "a key from another section",
    '[[listen.c2s]]\nport = 1\nallow_plaintext = true\ncertfile = "a"\n',
    ['m.toml:4: listen.c2s[1].certfile is not known here; did you mean "listen.c2s.tls.certfile"?'],
  ],
  [
    "a wrong type",
    '[general]\nshutdown_timeout = "5s"\n',
    [
      'm.toml:2: general.shutdown_timeout must be a number of milliseconds from 0 to 86400000, not "5s"',
    ],
  ],
  [
    "a value out of range",
    "[[listen.c2s]]\nallow_plaintext = true\nport = 70_000\n",
    ["m.toml:3: listen.c2s[1].port must be an integer from 0 to 65535, not 70000"],
  ],
  [
    "a fraction",
    "[auth]\nmax_attempts = 1.5\n",
    ["m.toml:2: auth.max_attempts must be an integer from 1 to 100, not 1.5"],
  ],
  [
    "a missing port, told where its table begins",
    "[[listen.c2s]]\nport = 1\nallow_plaintext = true\n\n[[listen.c2s]]\nallow_plaintext = true\n",
    ["m.toml:5: listen.c2s[2].port is required: an integer from 0 to 65535"],
  ],
  [
    "an unknown value",
    '[sessions]\nconflict = "replace_exiting"\n',
    [
      'm.toml:2: sessions.conflict must be one of "replace_existing", "refuse_new", "make_new_resource", not "replace_exiting"; did you mean "replace_existing"?',
    ],
  ],
  [
    "a mechanism by its wire name, in the third line of a list",
    '[auth]\nsasl_mechanisms = [\n  "scram_sha1",\n  "SCRAM-SHA-256", # as on the wire\n]\n',
    [
      'm.toml:4: auth.sasl_mechanisms[2] must be one of "scram_sha512_plus", "scram_sha256_plus", "scram_sha1_plus", "scram_sha512", "scram_sha256", "scram_sha1", "plain", "external", "anonymous", not "SCRAM-SHA-256"; did you mean "scram_sha256"?',
    ],
  ],
  [
    "a domain given twice",
    '[general]\nhosts = ["a", "a"]\n',
    [
      'm.toml:2: general.hosts must be a list of different domain names, at least one, not ["a","a"]',
    ],
  ],
  [
    "a key given twice",
    "[general]\nhosts = ['a']\nhosts = ['b']\n",
    ["m.toml:3: not valid TOML: trying to redefine an already defined table or value"],
  ],
  [
    "two listeners on one port",
    "[[listen.c2s]]\nport = 5222\nallow_plaintext = true\n[[listen.http]]\nport = 5222\n",
    ["m.toml:5: listen.http[1].port is taken: listen.c2s[1] listens on 0.0.0.0 port 5222 already"],
  ],
  [
    "a listener without TLS",
    "[[listen.c2s]]\nport = 5222\n",
    [
      "m.toml:1: listen.c2s[1] needs certificates (tls.certfile and tls.keyfile), or allow_plaintext = true",
    ],
  ],
  [
    "a certificate without its key, in an inline table",
    '[[listen.c2s]]\nport = 5222\ntls = { mode = "tls", certfile = "a" }\n',
    ["m.toml:3: listen.c2s[1].tls.keyfile is required: the path of a file"],
  ],
  [
    "an address that is none",
    '[[listen.c2s]]\nport = 1\nallow_plaintext = true\nip_address = "localhost"\n',
    [
      'm.toml:4: listen.c2s[1].ip_address must be an IP address such as "127.0.0.1" or "::", not "localhost"',
    ],
  ],
  [
    "a secret whose variable is missing",
    '[outgoing_pools.rdbms.default.connection]\npassword.env = "DB_PASWORD"\n',
    [
      "m.toml:2: outgoing_pools.rdbms.default.connection.password.env comes from the environment variable DB_PASWORD, which is not set",
    ],
  ],
  [
    "a secret whose file is missing",
    '[outgoing_pools.rdbms.default]\nconnection = { password = { file = "/nowhere" } }\n',
    [
      "m.toml:2: outgoing_pools.rdbms.default.connection.password.file comes from the file /nowhere, which cannot be read",
    ],
  ],
  [
    "a secret of no known kind",
    "[outgoing_pools.rdbms.default.connection]\npassword = 5\n",
    [
      'm.toml:2: outgoing_pools.rdbms.default.connection.password must be a string, { env = "NAME" } or { file = "PATH" }, not 5',
    ],
  ],
  [
    "shapers that are not there",
    '[[listen.c2s]]\nport = 1\nallow_plaintext = true\nshaper = "norml"\n[[listen.c2s]]\nport = 2\nallow_plaintext = true\nshaper = "constructor"\n[shaper.normal]\nmax_rate = 1000\n',
    [
      'm.toml:4: listen.c2s[1].shaper names no shaper: did you mean "normal"?',
      "m.toml:8: listen.c2s[2].shaper names no shaper: there is no section [shaper.constructor]",
    ],
  ],
  [
    "a shaper that lets nothing through",
    "[shaper.normal]\nmax_rate = 0\n",
    ["m.toml:2: shaper.normal.max_rate must be an integer from 1 to 1000000000, not 0"],
  ],
  [
    "lists of users that are not there or cannot be",
    '[access]\nc2s = [{ acl = "blokced", value = "deny" }]\nmax_user_sessions = [\n{ acl = "constructor", value = 1 }]\n[acl]\nblocked = [{ match = "all" }]\n',
    [
      'm.toml:2: access.c2s[1].acl names no list: did you mean "blocked"?',
      "m.toml:4: access.max_user_sessions[1].acl names no list: there is no acl.constructor",
    ],
  ],
  [
    "a listener's rules that are not there",
    '[[listen.c2s]]\nport = 1\nallow_plaintext = true\naccess = "c2s"\n',
    ["m.toml:4: listen.c2s[1].access names rules that are not there: access.c2s"],
  ],
  [
    "users that cannot be",
    '[acl]\nblocked = [{ user = "a b" }, { user_regexp = "a.*" }]\n',
    [
      'm.toml:2: acl.blocked[1].user must be the part of a JID before the @, not "a b"',
      "m.toml:2: acl.blocked[2].user_regexp is not supported yet",
    ],
  ],
  [
    "a section that MongooseIM has",
    "[s2s]\n[shaper.normal]\nmax_rate = 1000\n[modules.mod_mam]\n[modules.mod_roster]\n[modules.mod_frob]\n",
    [
      "m.toml:1: s2s is not supported yet",
      "m.toml:4: modules.mod_mam is a module that is not supported yet",
      // near to mod_register, and yet not meant
      "m.toml:5: modules.mod_roster is a module that is not supported yet",
      "m.toml:6: modules.mod_frob is a module that is not supported yet",
    ],
  ],
  [
    "options that MongooseIM has",
    '[[listen.c2s]]\nport = 1\nallow_plaintext = true\nbacklog = 5\n[general]\nlanguage = "en"\n',
    [
      "m.toml:4: listen.c2s[1].backlog is not supported yet",
      "m.toml:6: general.language is not supported yet",
    ],
  ],
  [
    "an option of a module without options",
    "[modules.mod_ping]\ninterval = 5\nping_interval = 5\n",
    [
      "m.toml:2: modules.mod_ping.interval is not known; allowed here: nothing",
      "m.toml:3: modules.mod_ping.ping_interval is not supported yet",
    ],
  ],
  [
    "a denial that an allow list cannot say",
    '[modules.mod_register]\nip_access = [{ address = "10.0.0.0/8", policy = "deny" }]\n',
    [
      'm.toml:2: modules.mod_register.ip_access[1] must be "allow" with any network, or "deny" with 0.0.0.0/0 or ::/0, not a table',
    ],
  ],
  ["broken TOML", "[general]\nhosts = \n", ["m.toml:2: not valid TOML: invalid value"]],
])("config: %s is one clear line", (_, text, expected) => {
  expect(errors(text)).toEqual(expected);
});

test("config: everything wrong is told at once, in the order of the file", () => {
  const text = `
[sessions]
send_timout = 5
[general]
loglevel = "loud"
hosts = [ "example.org", "a/b" ]
[[listen.c2s]]
port = "5222"
[[listen.c2s]]
prot = 5222
[outgoing_pools.rdbms.default.connection]
host = ""
`;
  expect((parse(text).errors ?? []).map(({ line, key }) => `${line} ${key}`)).toEqual([
    "3 sessions.send_timout",
    "5 general.loglevel",
    "6 general.hosts[2]",
    "8 listen.c2s[1].port",
    "9 listen.c2s[2].port",
    "10 listen.c2s[2].prot",
    "12 outgoing_pools.rdbms.default.connection.host",
  ]);
});
