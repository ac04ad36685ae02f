/** Views: what does a node show of itself when a transcript asks? */
import { textFromBinary } from "../../src/base/bytes.ts";
import { peerText, samePeer } from "../../src/cluster/peer.ts";
import type { LinkStatus } from "../../src/cluster/mesh-contract.ts";
import type { ClusterStatus } from "../../src/server/cluster-status.ts";
import { decodeSession, sessionTable } from "../../src/router/session-record.ts";
import type { View } from "./command.ts";
import type { Running, Stage } from "./stage.ts";

export function viewOf(stage: Stage, name: string, view: View): readonly string[] {
  const node = stage.nodes.get(name);
  const running = stage.running.get(name);
  if (node === undefined || running === undefined || !node.running) return ["does not run"];
  if (node.paused) return ["stands still"];
  switch (view) {
    case "directory":
      return directory(running);
    case "links":
      return links(running);
    case "tables":
      return tables(running);
    case "ready":
      // A slow node's turn may not be over yet.
      return [stage.request(name, "/readyz").trim() || "does not answer at once"];
    case "status":
      return status(stage.request(name, "/cluster"));
  }
}

/** What an operator is told first: is all well, who is missing, and what was last wrong there? */
function status(body: string): readonly string[] {
  if (body === "") return ["does not answer at once"];
  const { ready, degraded, nodes, links: all } = JSON.parse(body) as ClusterStatus;
  const errors = all.flatMap(({ name, lastError }) =>
    nodes.unavailable.includes(name) ? [`${name}: ${lastError ?? "no error"}`] : [],
  );
  const state = degraded ? "degraded" : "all well";
  return [`${ready ? "ready" : "not ready"}, ${state}`, ...errors];
}

/** Its own sessions, then those it shows of others, in the order of JIDs. */
function directory({ server, cluster, self }: Running): readonly string[] {
  const own = server.sessions().map(({ jid, available, priority }) => ({
    jid,
    text: `${jid} here (${presence(available, priority)})`,
  }));
  const others = [...(cluster?.table(sessionTable.name).entries() ?? [])]
    .filter(({ owner }) => self === undefined || !samePeer(owner, self))
    .map(({ owner, key, value }) => {
      const { available = false, priority = 0 } = decodeSession(value) ?? {};
      const jid = textFromBinary(key);
      return { jid, text: `${jid} on ${peerText(owner)} (${presence(available, priority)})` };
    });
  const all = [...own, ...others].toSorted((a, b) => (a.text < b.text ? -1 : 1));
  return [all.length === 0 ? "nobody" : all.map(({ text }) => text).join("; ")];
}

function presence(available: boolean, priority: number): string {
  return available ? `priority ${priority}` : "unavailable";
}

function links({ cluster }: Running): readonly string[] {
  if (cluster === undefined) return ["has no cluster yet"];
  const lines = cluster.status().links.map(linkLine);
  return lines.length === 0 ? ["none"] : lines;
}

function linkLine({ name, state, peer, queuedMessages }: LinkStatus): string {
  const process = peer === undefined ? name : peerText(peer);
  const waiting = queuedMessages === 0 ? "" : `, ${queuedMessages} messages wait`;
  return `${process}: ${state}${waiting}`;
}

function tables({ cluster }: Running): readonly string[] {
  return (cluster?.status().tables ?? []).flatMap(({ name, seq, records, replicas }) => [
    `${name}: own ${records} records, seq ${seq}`,
    ...replicas.map(
      (replica) =>
        `${name}: of ${peerText(replica.peer)} ${replica.records} records, seq ${replica.seq}, ` +
        `${replica.state}${replica.visible ? "" : ", hidden"}`,
    ),
  ]);
}
