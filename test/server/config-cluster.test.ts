/** What `[cluster]` means, and each thing that can be wrong with it, in one clear line. */
import { expect, test } from "vitest";
import { configErrorText, parseConfig } from "../../src/server/config/parse.ts";
import { withPort } from "../../src/cluster/node-list.ts";
import { clusterDefaults } from "../../src/server/config.ts";
import { linkTiming } from "../../src/cluster/timing.ts";

const environment = (name: string): string | undefined =>
  ({ POD_IP: "10.0.0.7", POD_IP6: "fd00::7", POD: "pod-7" })[name];
const readFile = (path: string): string | undefined =>
  path === "/run/secret" ? "long enough for a secret\n" : undefined;
const parse = (text: string) => parseConfig(text, environment, readFile);
const errors = (text: string): string[] =>
  (parse(text).errors ?? []).map((error) => configErrorText("m.toml", error));

function cluster(text: string) {
  const { config, errors: found } = parse(`[cluster]\nsecret.file = "/run/secret"\n${text}`);
  if (config?.cluster === undefined) throw new Error(JSON.stringify(found));
  return config.cluster;
}

test("config: without [cluster] a node is alone", () => {
  expect(parse("").config?.cluster).toBeUndefined();
});

test("config: a cluster needs an address and a secret, and the rest has defaults", () => {
  expect(cluster('advertised_address = "node-1.example.org"')).toEqual({
    node_name: "meerkat@node-1.example.org:7000",
    cluster_name: "meerkat",
    listener: { name: "cluster", kind: "cluster", ip_address: "0.0.0.0", port: 7_000 },
    advertised_address: "node-1.example.org:7000",
    secret: "long enough for a secret",
    backend: "rdbms",
    nodes: [],
    node_list_file: "",
    dns_name: "",
    heartbeat_interval: 1_000,
    heartbeat_timeout: 5_000,
    link_grace: 5_000,
    expire_after: 3_600_000,
  });
});

test("config: the defaults of [cluster] are those of the links", () => {
  const { heartbeatInterval, heartbeatTimeout, linkGrace } = linkTiming;
  expect(clusterDefaults).toMatchObject({
    heartbeat_interval: heartbeatInterval,
    heartbeat_timeout: heartbeatTimeout,
    link_grace: linkGrace,
  });
});

test("config: a node that listens on one address is reached there", () => {
  expect(cluster('ip_address = "10.1.2.3"\nport = 7001').advertised_address).toBe("10.1.2.3:7001");
  expect(cluster('ip_address = "fd00::1"').advertised_address).toBe("[fd00::1]:7000");
});

test("config: one file serves all nodes, since name and address come from the environment", () => {
  const found = cluster('advertised_address.env = "POD_IP"\nnode_name = { env = "POD" }');
  expect(found).toMatchObject({ advertised_address: "10.0.0.7:7000", node_name: "pod-7" });
  expect(cluster('advertised_address.env = "POD_IP6"').node_name).toBe("meerkat@[fd00::7]:7000");
});

test("config: static nodes are named by their addresses unless they have names", () => {
  const text = `advertised_address = "a"\nbackend = "static"
nodes = [{ address = "a" }, { address = "b:7100" }, { address = "10.0.0.9", name = "c" }]`;
  expect(cluster(text).nodes).toEqual([
    { name: "meerkat@a:7000", address: "a:7000" },
    { name: "meerkat@b:7100", address: "b:7100" },
    { name: "c", address: "10.0.0.9:7000" },
  ]);
});

test("config: backends bear MongooseIM's names, and each its own option", () => {
  const at = 'advertised_address = "a"\n';
  expect(cluster(`${at}backend = "rdbms"`).backend).toBe("rdbms");
  expect(cluster(`${at}backend = "dns"\ndns_name = "n.local"`).dns_name).toBe("n.local");
  expect(cluster(`${at}backend = "file"\nnode_list_file = "n.txt"`).node_list_file).toBe("n.txt");
});

test("config: links over TLS need all three files", () => {
  const at = 'advertised_address = "a"\n';
  const tls = { certfile: "c", keyfile: "k", cacertfile: "a" };
  const text = `${at}tls = { certfile = "c", keyfile = "k", cacertfile = "a" }`;
  expect(cluster(text).listener.tls).toEqual(tls);
});

const good = '[cluster]\nsecret = "0123456789abcdef"\nadvertised_address = "a"\n';

test.each([
  [
    "no secret",
    '[cluster]\nadvertised_address = "a"\n',
    ['m.toml:1: cluster.secret is required: a string, { env = "NAME" } or { file = "PATH" }'],
  ],
  [
    "a short secret",
    '[cluster]\nadvertised_address = "a"\nsecret = "short"\n',
    ["m.toml:3: cluster.secret is too short: 5 characters, the minimum is 16"],
  ],
  [
    "a secret that is not there, told once",
    '[cluster]\nadvertised_address = "a"\nsecret.env = "NONE"\n',
    ["m.toml:3: cluster.secret.env comes from the environment variable NONE, which is not set"],
  ],
  [
    "no address to be reached at",
    '[cluster]\nsecret = "0123456789abcdef"\n',
    [
      'm.toml:1: cluster.advertised_address is required where ip_address is "0.0.0.0": other nodes must know where to find this one',
    ],
  ],
  [
    "an address that is none",
    '[cluster]\nsecret = "0123456789abcdef"\nadvertised_address = "a:b:c/d"\n',
    [
      'm.toml:3: cluster.advertised_address must be an address such as "10.0.0.7" or "node-1.example.org:7000", not "a:b:c/d"',
    ],
  ],
  [
    "an unknown backend",
    `${good}backend = "sql"\n`,
    ['m.toml:4: cluster.backend must be one of "rdbms", "static", "dns", "file", not "sql"'],
  ],
  [
    "a backend without its option",
    `${good}backend = "static"\n`,
    ['m.toml:1: cluster.nodes is required where backend is "static"'],
  ],
  [
    "an option of another backend",
    `${good}dns_name = "n"\n`,
    ['m.toml:4: cluster.dns_name is for backend = "dns", and backend is "rdbms"'],
  ],
  [
    "a listed node at no address",
    `${good}backend = "static"\nnodes = [\n  { address = "a" },\n  { address = "b:0" },\n]\n`,
    [
      'm.toml:7: cluster.nodes[2].address must be an address such as "10.0.0.7" or "node-1.example.org:7000", not "b:0"',
    ],
  ],
  [
    "a name too long for the wire",
    `${good}node_name = "${"n".repeat(300)}"\n`,
    ["m.toml:4: cluster.node_name is too long: 300 bytes, the maximum is 255"],
  ],
  [
    "a port that a listener has",
    `${good}port = 5222\n[[listen.c2s]]\nport = 5222\nallow_plaintext = true\n`,
    ['m.toml:4: cluster.port is taken: listener "c2s-5222" listens on 0.0.0.0 port 5222 already'],
  ],
  [
    "a timeout that one lost heartbeat would reach",
    `${good}heartbeat_interval = 3_000\n`,
    [
      "m.toml:1: cluster.heartbeat_timeout must be at least twice heartbeat_interval (3000), not 5000",
    ],
  ],
  [
    "half of TLS",
    `${good}tls.certfile = "c"\ntls.keyfile = "k"\n`,
    ["m.toml:4: cluster.tls.cacertfile is required: the path of a file"],
  ],
])("config: [cluster] with %s is one clear line", (_, text, expected) => {
  expect(errors(text)).toEqual(expected);
});

test.each([
  ["host", "host:7000"],
  ["host:1", "host:1"],
  ["10.0.0.1:65535", "10.0.0.1:65535"],
  ["::1", "[::1]:7000"],
  ["[::1]", "[::1]:7000"],
  ["[::1]:9", "[::1]:9"],
  ["host:65536", undefined],
  ["host:", undefined],
  ["", undefined],
  ["a b", undefined],
  ["http://a", undefined],
])("config: the address %j means %j", (text, expected) => {
  expect(withPort(text, 7_000)).toBe(expected);
});
