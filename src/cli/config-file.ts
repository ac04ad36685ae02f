/** ConfigFile: a configuration read from disk, with its files' paths made absolute. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { configErrorText, parseConfig } from "../server/config/parse.ts";
import type { ClusterConfig, Config, Listener, TlsConfig } from "../server/config.ts";
import { Failure, reasonOf } from "./failure.ts";

/** Throws a `Failure` with one line per error in the file. */
export function readConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`Cannot read the configuration ${file}: ${reasonOf(error)}.`);
  }
  const folder = dirname(resolve(file));
  const { config, errors } = parseConfig(
    text,
    (name) => process.env[name],
    (path) => readIfThere(resolve(folder, path)),
  );
  if (config === undefined) {
    throw new Failure(errors.map((error) => configErrorText(file, error)).join("\n"));
  }
  return {
    ...config,
    listen: config.listen.map((listener) => withAbsolutePaths(listener, folder)),
    cluster: config.cluster === undefined ? undefined : clusterPaths(config.cluster, folder),
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function clusterPaths(cluster: ClusterConfig, folder: string): ClusterConfig {
  const { node_list_file: list, listener } = cluster;
  const { tls } = listener;
  const absolute = tls && {
    certfile: resolve(folder, tls.certfile),
    keyfile: resolve(folder, tls.keyfile),
    cacertfile: resolve(folder, tls.cacertfile),
  };
  return {
    ...cluster,
    node_list_file: list === "" ? "" : resolve(folder, list),
    listener: { ...listener, tls: absolute },
  };
}

function withAbsolutePaths(listener: Listener, folder: string): Listener {
  if (listener.tls === undefined) return listener;
  const { certfile, keyfile, cacertfile, hosts } = listener.tls;
  const absolute = (path: string): string => (path === "" ? "" : resolve(folder, path));
  const pair = (files: { certfile: string; keyfile: string }) => ({
    certfile: absolute(files.certfile),
    keyfile: absolute(files.keyfile),
  });
  const byHost = Object.entries(hosts).map(([host, files]) => [host, pair(files)] as const);
  const tls: TlsConfig = {
    ...listener.tls,
    ...pair({ certfile, keyfile }),
    cacertfile: absolute(cacertfile),
    hosts: Object.fromEntries(byHost),
  };
  return { ...listener, tls };
}
