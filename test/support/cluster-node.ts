/** Cluster node: `meerkat serve` with `[cluster]`, as a process, with nothing but an HTTP listener. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../../src/runtime/free-ports.ts";
import { get, Started } from "./started.ts";

export const secret = "nobody-shall-read-this";

export interface Wanted {
  readonly folder: string;
  readonly database: { readonly port: number; readonly password: string };
  readonly name: string;
  /** For other nodes. */
  readonly port: number;
  /** More lines of `[cluster]`. */
  readonly backend?: string;
  readonly args?: readonly string[];
}

const started: Started[] = [];

/** For the end of a test file. */
export async function killAll(): Promise<void> {
  for (const each of started) each.child.kill("SIGKILL");
  await Promise.all(started.splice(0).map(({ exited }) => exited));
}

export async function clusterNode(wanted: Wanted): Promise<{ running: Started; http: number }> {
  const { folder, database, name, port, backend = "", args = [] } = wanted;
  const [http = 0] = await freePorts(1);
  const file = join(folder, `${name}.toml`);
  writeFileSync(
    file,
    `
[[listen.http]]
port = ${http}
ip_address = "127.0.0.1"
[[listen.http.handlers.mongoose_prometheus_handler]]
[outgoing_pools.rdbms.default.connection]
port = ${database.port}
password = "${database.password}"
[cluster]
node_name = "${name}"
ip_address = "127.0.0.1"
port = ${port}
secret = "${secret}"
${backend}
`,
  );
  const running = new Started(["serve", "--config", file, ...args]);
  started.push(running);
  await running.prints("node-started");
  return { running, http };
}

/** The nodes whose tables this one has, itself included. */
export async function joined(http: number): Promise<string> {
  const answer = await get(`http://127.0.0.1:${http}/cluster`);
  if (answer?.status !== 200) return "";
  const { nodes } = JSON.parse(answer.body) as { nodes: { joined: string[] } };
  return nodes.joined.toSorted().join();
}
