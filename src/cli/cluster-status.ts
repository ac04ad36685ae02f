/** `meerkat cluster status`: what a node sees of its cluster, as tables for people. */
import type { ReplicaStatus } from "../cluster/tables-contract.ts";
import type { ClusterStatus } from "../server/cluster-status.ts";
import type { Config } from "../server/config.ts";
import { readConfig } from "./config-file.ts";
import { devPort, nodePorts } from "./dev-config.ts";
import { Failure, reasonOf } from "./failure.ts";

export interface StatusOptions {
  readonly url?: string;
  readonly config?: string;
  readonly json?: boolean;
}

const answerLimitMs = 5_000;
/** Something is wrong: to be told apart from "cannot be asked". */
const degradedCode = 2;

export async function showClusterStatus(options: StatusOptions): Promise<void> {
  const url = options.url ?? urlOf(options.config);
  const text = await answerOf(url);
  const status = JSON.parse(text) as ClusterStatus;
  console.log(options.json === true ? text.trimEnd() : statusText(status));
  if (!status.ready || status.degraded) process.exitCode = degradedCode;
}

/** The first listener that tells operators more than clients; or that of the development node. */
function urlOf(file: string | undefined): string {
  if (file === undefined) return `http://127.0.0.1:${nodePorts(devPort, 1).http}`;
  const { listen }: Config = readConfig(file);
  const listener = listen.find((each) => each.kind === "http" && each.metrics);
  if (listener === undefined) {
    throw new Failure(
      `${file} has no HTTP listener with metrics, which alone tells the cluster's status: give --url.`,
    );
  }
  const { ip_address: address, port, tls } = listener;
  const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  const scheme = tls === undefined ? "http" : "https";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function answerOf(url: string): Promise<string> {
  let response: Response;
  try {
    const signal = AbortSignal.timeout(answerLimitMs);
    response = await fetch(new URL("/cluster", url), { signal });
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new Failure(`Cannot ask ${url}: ${reasonOf(cause)}.`);
  }
  const text = await response.text();
  if (response.status === 200) return text;
  if (response.status === 404) {
    throw new Failure(`${url} tells nothing of a cluster: is the node in one, with metrics there?`);
  }
  throw new Failure(`${url} answered ${response.status}: ${text.trim().split("\n")[0]}`);
}

export function statusText(status: ClusterStatus): string {
  const { node, cluster, backend, ready, reason, degraded } = status;
  const state = ready ? (degraded ? "ready, but not all is well" : "ready") : "not ready";
  return [
    `Cluster ${cluster} (${backend}), as ${node.name} at ${node.address} sees it: ${state}.`,
    ...(reason === null ? [] : [reason]),
    "",
    table(
      [
        "NODE",
        "ADDRESS",
        "STATE",
        "PROTOCOL",
        "RTT",
        "QUEUED",
        "UNACKED",
        "TIMES UP",
        "LAST ERROR",
      ],
      nodeRows(status),
    ),
    "",
    table(["TABLE", "OWNER", "RECORDS", "SEQ", "HERE", "OURS THERE", "DIGEST"], tableRows(status)),
    ...remarks(status),
  ].join("\n");
}

function nodeRows({ node, nodes, links }: ClusterStatus): readonly (readonly string[])[] {
  const { min, max } = node.protocol;
  const speaks = min === max ? `${max}` : `${min} to ${max}`;
  const own = [node.name, node.address, "this node", speaks, "", "", "", "", ""];
  const linked = links.toSorted(byName).map((link) => {
    const state = nodes.joined.includes(link.name) ? `${link.state}, joined` : link.state;
    return [
      link.name,
      link.address ?? "",
      state,
      `${link.version ?? ""}`,
      link.rttMs === undefined || link.state !== "up" ? "" : `${Math.round(link.rttMs)} ms`,
      `${link.queuedBytes} B`,
      `${link.unackedBytes} B`,
      String(link.sessions),
      link.state === "up" ? "" : (link.lastError ?? ""),
    ];
  });
  const seen = new Set(links.map(({ name }) => name));
  const missing = nodes.discovered
    .filter(({ name }) => !seen.has(name) && name !== node.name)
    .toSorted(byName)
    .map(({ name, address }) => [name, address, "unavailable", "", "", "", "", "", ""]);
  return [own, ...linked, ...missing];
}

/** A row per owner: its records as they are here, and how far our own have got there. */
function tableRows({ node, tables }: ClusterStatus): readonly (readonly string[])[] {
  return tables.flatMap(({ name, records, seq, replicas, readers }) => {
    const own = [name, node.name, String(records), String(seq), "own", "", ""];
    const owners = replicas
      .toSorted((a, b) => byName(a.peer, b.peer))
      .map((replica) => {
        const reader = readers.find(({ peer }) => peer.name === replica.peer.name);
        const lag = reader === undefined ? 0 : seq - reader.visibleSeq;
        return [
          name,
          replica.peer.name,
          String(replica.records),
          String(replica.seq),
          replica.visible ? replica.state : `${replica.state}, hidden`,
          reader === undefined ? "" : `${reader.state}, ${lag} behind`,
          digestText(replica),
        ];
      });
    return [own, ...owners];
  });
}

function remarks({ unshared, conflicts }: ClusterStatus): readonly string[] {
  const lines = unshared.flatMap(({ peer: { name }, missing, unknown }) => [
    ...missing.map((table) => `${name} has no table ${table}, or another version of it.`),
    ...unknown.map((table) => `${name} has a table ${table} that is not known here.`),
  ]);
  if (conflicts > 0) {
    lines.push(`Sessions that gave way to one of their full JID elsewhere: ${conflicts}.`);
  }
  return lines.length === 0 ? [] : ["", ...lines];
}

/** Of what is hidden the owner says nothing any more. */
function digestText({ diverged, visible }: ReplicaStatus): string {
  if (diverged > 0) return `differed ${diverged} times`;
  return visible ? "agrees" : "";
}

/** `node-2` before `node-10`. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name.localeCompare(b.name, "en", { numeric: true });
}

/** Columns as wide as their widest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? "").length)),
  );
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
