/** Cluster values: what `[cluster]` means, and the rules that concern several of its options at once. */
import { bytesFromText } from "../../base/bytes.ts";
import { nodeNameOf, withPort, type ListedNode } from "../../cluster/node-list.ts";
import type { ClusterConfig, Listener } from "../config.ts";
import type { ClusterFile } from "./cluster-schema.ts";
import type { Problem } from "./explain.ts";
import type { KeyPath } from "./key-lines.ts";
import { secretOf, type Sources } from "./sources.ts";

export interface ClusterParts {
  readonly file: ClusterFile;
  readonly listen: readonly Listener[];
  readonly sources: Sources;
  readonly problems: Problem[];
}

const secretMin = 16;
/** As a link's handshake carries it. */
const nameMaxBytes = 255;
const everyAddress = /^[0.:]+$/;

/** Which option belongs to which backend. */
const ofBackend = { nodes: "static", node_list_file: "file", dns_name: "dns" } as const;

export function clusterConfig(parts: ClusterParts): ClusterConfig {
  const { file, sources, problems } = parts;
  const advertised = advertisedAddress(parts);
  const name = pointedAt(file.node_name, "node_name", parts) ?? nodeNameOf(advertised);
  checkName(name, ["cluster", "node_name"], problems);
  checkPort(parts);
  checkBackend(parts);
  checkTimes(parts);
  const secret = secretOf(file.secret, ["cluster", "secret"], sources, problems);
  // An empty one was told of above: it points at nothing.
  if (secret.length < secretMin && !(secret === "" && typeof file.secret === "object")) {
    const message = `is too short: ${secret.length} characters, the minimum is ${secretMin}`;
    problems.push({ path: ["cluster", "secret"], message });
  }
  return {
    node_name: name,
    cluster_name: file.cluster_name,
    listener: {
      name: "cluster",
      kind: "cluster",
      ip_address: file.ip_address,
      port: file.port,
      tls: file.tls,
    },
    advertised_address: advertised,
    secret,
    backend: file.backend,
    nodes: listedNodes(parts),
    node_list_file: file.node_list_file ?? "",
    dns_name: file.dns_name ?? "",
    heartbeat_interval: file.heartbeat_interval,
    heartbeat_timeout: file.heartbeat_timeout,
    link_grace: file.link_grace,
    expire_after: file.expire_after,
  };
}

function advertisedAddress(parts: ClusterParts): string {
  const { file, problems } = parts;
  const path: KeyPath = ["cluster", "advertised_address"];
  const given = pointedAt(file.advertised_address, "advertised_address", parts);
  if (given === undefined && everyAddress.test(file.ip_address)) {
    if (file.advertised_address === undefined) {
      const message = `is required where ip_address is "${file.ip_address}": other nodes must know where to find this one`;
      problems.push({ path, message });
    }
    return "";
  }
  const address = withPort(given ?? file.ip_address, file.port);
  if (address === undefined) problems.push({ path, message: notAnAddress(given ?? "") });
  return address ?? "";
}

const notAnAddress = (value: string): string =>
  `must be an address such as "10.0.0.7" or "node-1.example.org:7000", not ${JSON.stringify(value)}`;

function listedNodes({ file, problems }: ClusterParts): readonly ListedNode[] {
  return (file.nodes ?? []).flatMap((node, index) => {
    const path: KeyPath = ["cluster", "nodes", index];
    const address = withPort(node.address, file.port);
    if (address === undefined) {
      problems.push({ path: [...path, "address"], message: notAnAddress(node.address) });
      return [];
    }
    const name = node.name ?? nodeNameOf(address);
    checkName(name, [...path, "name"], problems);
    return [{ name, address }];
  });
}

function pointedAt(
  value: string | { readonly env: string } | undefined,
  key: string,
  { sources, problems }: ClusterParts,
): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  const found = secretOf(value, ["cluster", key], sources, problems);
  return found === "" ? undefined : found;
}

function checkName(name: string, path: KeyPath, problems: Problem[]): void {
  const size = bytesFromText(name).length;
  if (size <= nameMaxBytes) return;
  const message = `is too long: ${size} bytes, the maximum is ${nameMaxBytes}`;
  problems.push({ path, message });
}

function checkPort({ file, listen, problems }: ClusterParts): void {
  const other = listen.find(({ port, ip_address: address }) => {
    if (port !== file.port) return false;
    return (
      address === file.ip_address ||
      everyAddress.test(address) ||
      everyAddress.test(file.ip_address)
    );
  });
  if (other === undefined) return;
  const message = `is taken: listener "${other.name}" listens on ${other.ip_address} port ${file.port} already`;
  problems.push({ path: ["cluster", "port"], message });
}

function checkBackend({ file, problems }: ClusterParts): void {
  for (const [key, backend] of Object.entries(ofBackend) as [keyof typeof ofBackend, string][]) {
    const given = file[key];
    const path: KeyPath = ["cluster", key];
    if (given !== undefined && file.backend !== backend) {
      const message = `is for backend = "${backend}", and backend is "${file.backend}"`;
      problems.push({ path, message });
    } else if (file.backend === backend && (given === undefined || given.length === 0)) {
      problems.push({ path, message: `is required where backend is "${backend}"` });
    }
  }
}

/** One late heartbeat must not break a link. */
function checkTimes({ file, problems }: ClusterParts): void {
  const { heartbeat_interval: interval, heartbeat_timeout: timeout } = file;
  if (timeout >= 2 * interval) return;
  const message = `must be at least twice heartbeat_interval (${interval}), not ${timeout}`;
  problems.push({ path: ["cluster", "heartbeat_timeout"], message });
}
