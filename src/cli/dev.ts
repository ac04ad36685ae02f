/**
 * `meerkat dev`, which `npm start` runs: a node to try things with, on 127.0.0.1 alone; or several.
 *
 * Brings its own certificate and its own PostgreSQL, both under the data folder. Ports are tried first:
 * a second start must not touch the first one's database. The database is stopped last, so that what
 * clients sent in their last moment is still stored.
 */
import { join, resolve } from "node:path";
import { localhostCertificate } from "../runtime/certificate.ts";
import { startDevDatabase } from "../runtime/dev-database.ts";
import type { Config } from "../server/config.ts";
import { clusterWelcome, welcome, type Place } from "./dev-welcome.ts";
import { devConfig, devPort, devPorts, membership, nodePorts } from "./dev-config.ts";
import { Failure, reasonOf } from "./failure.ts";
import { forkNode } from "./forks.ts";
import { startNode } from "./node.ts";
import { assertPortsFree } from "./ports-free.ts";
import { runUntilStopped } from "./run-until-stopped.ts";
import { superviseUntilStopped } from "./supervise-until-stopped.ts";
import { Supervisor } from "./supervisor.ts";

export interface DevOptions {
  readonly data: string;
  readonly port?: number;
  readonly nodes?: number;
}

/** More than people look at; the ports of one more would meet those of other programs. */
const nodesMax = 12;

export async function dev({ data, port = devPort, nodes = 1 }: DevOptions): Promise<void> {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > nodesMax) {
    throw new Failure(`--nodes must be an integer from 1 to ${nodesMax}.`);
  }
  const needed = devPorts(nodes);
  if (!Number.isInteger(port) || port < 1 || port + needed > 65_535) {
    const max = 65_535 - needed;
    throw new Failure(`--port must be an integer from 1 to ${max}: more ports follow it.`);
  }
  const numbers = Array.from({ length: nodes }, (_, at) => at + 1);
  const planned = { certfile: "", keyfile: "", rdbms: noDatabase };
  for (const number of numbers) {
    const at = nodePorts(port, number);
    const own = nodes === 1 ? [] : [{ ip_address: "127.0.0.1", port: at.cluster }];
    await assertPortsFree([...devConfig({ ...planned, port: at.starttls }).listen, ...own]);
  }
  const dataDir = resolve(data);
  const certificate = await localhostCertificate(join(dataDir, "tls")).catch(failed);
  const database = await startDevDatabase({ dataDir }).catch(failed);
  let code = 1;
  try {
    const { host, port: databasePort, database: name, username, password } = database;
    const rdbms = { host, port: databasePort, database: name, username, password };
    const place = { port, data, certfile: certificate.certfile };
    code = await (nodes === 1
      ? runOne(devConfig({ ...certificate, rdbms, port }), place)
      : runSeveral(
          numbers.map((number) => ({
            ...devConfig({ ...certificate, rdbms, port: nodePorts(port, number).starttls }),
            cluster: membership(port, number),
          })),
          place,
        ));
  } finally {
    await database.stop();
  }
  process.exit(code);
}

const noDatabase = { host: "", port: 0, database: "", username: "", password: "" };

async function runOne(config: Config, place: Place): Promise<number> {
  const node = await startNode({ config });
  console.log(welcome(place));
  const { shutdown_timeout: shutdownTimeout } = config.general;
  return runUntilStopped({ node, shutdownTimeout, withParent: true });
}

async function runSeveral(configs: readonly Config[], place: Place): Promise<number> {
  const supervisor = new Supervisor({
    plans: configs.map((config) => {
      const name = config.cluster?.node_name ?? "";
      const logFields = { node: name };
      return { name, config, logFields, metricLabels: {}, gathersMetrics: false };
    }),
    fork: forkNode,
    stopTimeout: (configs[0]?.general.shutdown_timeout ?? 0) + 5_000,
    onEvent: ({ text }) => console.log(text),
  });
  return superviseUntilStopped(supervisor, {
    withParent: true,
    started: () => console.log(clusterWelcome(supervisor.processes, place)),
  });
}

function failed(error: unknown): never {
  if (error instanceof TypeError) throw error; // a bug of ours keeps its trace
  throw new Failure(reasonOf(error));
}
