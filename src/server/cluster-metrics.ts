/** Cluster metrics: what a node shows of its links and tables, looked up when it is asked for. */
import type { Counter } from "../ports/metrics.ts";
import { lookedUp } from "./metrics.ts";
import type { ClusterStatus } from "./cluster-status.ts";

type Look = (status: ClusterStatus) => number;

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

const gauges: Readonly<Record<string, readonly [help: string, look: Look]>> = {
  meerkat_cluster_ready: ["1 if this node may get clients.", ({ ready }) => (ready ? 1 : 0)],
  meerkat_cluster_degraded: [
    "1 if a listed node is not linked, or a linked one has not given its tables.",
    ({ degraded }) => (degraded ? 1 : 0),
  ],
  meerkat_cluster_nodes_discovered: [
    "Other nodes on the list in force.",
    ({ nodes }) => nodes.discovered.length,
  ],
  meerkat_cluster_discovery_last_success_timestamp_seconds: [
    "When the last list of nodes came, by the wall clock; 0 before the first.",
    ({ discovery }) => (discovery.listedAt ?? 0) / 1_000,
  ],
  meerkat_cluster_nodes_unavailable: [
    "Nodes on the list in force that are not linked.",
    ({ nodes }) => nodes.unavailable.length,
  ],
  meerkat_cluster_links_broken: [
    "Links whose connection is lost and which may still be resumed.",
    ({ links }) => links.filter(({ state }) => state === "broken").length,
  ],
  meerkat_cluster_rtt_max_seconds: [
    "The longest of the round trips to linked nodes that were measured last.",
    ({ links }) => Math.max(0, ...links.map(({ rttMs }) => (rttMs ?? 0) / 1_000)),
  ],
  meerkat_cluster_queued_bytes: [
    "Bytes that wait for the windows of all links.",
    ({ links }) => sum(links.map(({ queuedBytes }) => queuedBytes)),
  ],
  meerkat_cluster_unacked_bytes: [
    "Bytes written to all links and not acknowledged.",
    ({ links }) => sum(links.map(({ unackedBytes }) => unackedBytes)),
  ],
  meerkat_cluster_records_own: [
    "Records of this node in all replicated tables.",
    ({ tables }) => sum(tables.map(({ records }) => records)),
  ],
  meerkat_cluster_records_replicated: [
    "Records of other nodes that are visible here.",
    ({ tables }) =>
      sum(
        tables.flatMap(({ replicas }) =>
          replicas.map(({ visible, records }) => (visible ? records : 0)),
        ),
      ),
  ],
  meerkat_cluster_tables_diverged: [
    "Replicas whose digest differed from their owner's, in the sessions that are open.",
    ({ tables }) => sum(tables.flatMap(({ replicas }) => replicas.map(({ diverged }) => diverged))),
  ],
};

const counters: Readonly<Record<string, readonly [help: string, look: Look]>> = {
  meerkat_cluster_discovery_failures_total: [
    "Attempts to register or to get the list of nodes that came to nothing.",
    ({ discovery }) => discovery.failures,
  ],
  meerkat_cluster_frames_sent_total: [
    "Numbered frames sent to other nodes.",
    ({ links }) => sum(links.map(({ framesSent }) => framesSent)),
  ],
  meerkat_cluster_frames_received_total: [
    "Numbered frames received from other nodes.",
    ({ links }) => sum(links.map(({ framesReceived }) => framesReceived)),
  ],
  meerkat_cluster_frames_resent_total: [
    "Frames sent again over a new connection.",
    ({ links }) => sum(links.map(({ framesResent }) => framesResent)),
  ],
};

export function clusterMetrics(status: () => ClusterStatus): readonly Counter[] {
  const cells = (kind: Counter["kind"], all: typeof gauges): Counter[] =>
    Object.entries(all).map(([name, [help, look]]) =>
      lookedUp(kind, name, help, () => look(status())),
    );
  return [...cells("gauge", gauges), ...cells("counter", counters)];
}
