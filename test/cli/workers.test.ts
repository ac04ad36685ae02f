import { expect, test } from "vitest";
import { workerPlans } from "../../src/cli/workers.ts";
import { parseConfig } from "../../src/server/config/parse.ts";

const read = (text: string) => {
  const { config } = parseConfig(
    text,
    () => undefined,
    () => undefined,
  );
  if (config === undefined) throw new Error("the test's configuration is wrong");
  return config;
};
const cluster = `[cluster]
secret = "0123456789abcdef"
node_name = "east"
ip_address = "10.0.0.1"
advertised_address = "east.example:7100"
`;

test("workers: each is a member with a name and a port of its own", async () => {
  const plans = await workerPlans(read(cluster), 3);
  expect(
    plans.map(({ config }) => {
      const { node_name, advertised_address, listener } = config.cluster ?? {};
      return `${node_name} ${advertised_address} ${listener?.port}`;
    }),
  ).toEqual([
    "east/1 east.example:7100 7000",
    "east/2 east.example:7101 7001",
    "east/3 east.example:7102 7002",
  ]);
  expect(plans.map(({ metricLabels, logFields }) => [metricLabels, logFields])).toEqual(
    [1, 2, 3].map((worker) => [{ worker: String(worker) }, { worker }]),
  );
});

test("workers: share the database's connections, and each has one at least", async () => {
  const pool = "[outgoing_pools.rdbms.default]\nworkers = 10\n";
  const sizes = async (count: number) =>
    (await workerPlans(read(cluster + pool), count)).map(({ config }) => config.rdbms.pool_size);
  expect(await sizes(4)).toEqual([3, 3, 3, 3]);
  expect((await sizes(16)).every((size) => size === 1)).toBe(true);
});

test("workers: of a static list know their siblings, and the list's other nodes", async () => {
  const list = `backend = "static"
nodes = [{ name = "east", address = "east.example:7100" }, { name = "west", address = "w" }]`;
  const [first] = await workerPlans(read(cluster + list), 2);
  expect(first?.config.cluster?.nodes).toEqual([
    { name: "west", address: "w:7000" },
    { name: "east/1", address: "east.example:7100" },
    { name: "east/2", address: "east.example:7101" },
  ]);
});

test("workers: of a node that is alone are a cluster on the loopback, with a secret of their own", async () => {
  const plans = await workerPlans(read(""), 2);
  const [one, two] = plans.map(({ config }) => config.cluster);
  expect(one?.listener.ip_address).toBe("127.0.0.1");
  expect(one?.secret).toBe(two?.secret);
  expect(one?.secret.length).toBeGreaterThan(24);
  expect(one?.nodes).toEqual([
    { name: "worker/1", address: one?.advertised_address },
    { name: "worker/2", address: two?.advertised_address },
  ]);
  const [other] = await workerPlans(read(""), 2);
  expect(other?.config.cluster?.secret).not.toBe(one?.secret);
});
