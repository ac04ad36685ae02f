/** `meerkat config check FILE`: is this a configuration that `serve` would accept? */
import { readConfig } from "./config-file.ts";

export function checkConfig(file: string): void {
  const { general, listen, cluster } = readConfig(file);
  const hosts = general.hosts.join(", ");
  const listeners = listen.map(({ name }) => name).join(", ");
  const member =
    cluster === undefined ? "" : `; is ${cluster.node_name} of the cluster ${cluster.cluster_name}`;
  console.log(`${file} is valid: serves ${hosts}; listens as ${listeners || "nothing"}${member}.`);
}
