/** Probes: which rare states did a run reach? One that a healthy hunt never reaches is a finding. */
import type { FaultKind, LookupFaultKind } from "./plan.ts";
import type { TraceEvent, TraceKind } from "./trace.ts";

export const probeNames = [
  "queue congested",
  "queue drained",
  "client read slowly",
  "session replaced",
  "message bounced",
  "send limit met",
  "login timed out",
  "database gave no answer",
  "database refused a request",
  "all clients thrown out at once",
  "line of a client slow",
  "line between nodes slow",
  "login put off",
  "another identity refused",
  "wrong password refused",
  "account registered",
  "password changed",
  "account removed",
  "attack refused",
  "nodes found by name",
  "nodes found in a file",
  "name without addresses",
  "name server silent",
  "name server slow",
  "answer of a name server out of date",
  "answer of a name server incomplete",
  "list of nodes gone",
  "list of nodes half-written",
  "list of nodes incomplete",
  "host died silently",
  "connection reset",
  "clock jumped",
  "clock drifted",
  "stanza cut by a chunk",
  "link came up",
  "link ended with a reason",
  "peer left in order",
  "messages handed back",
  "link queue full",
  "link queue drained",
  "registration lost",
  "dial refused",
  "dial unanswered",
  "snapshot begun",
  "partition shown again",
  "settled in vain",
  "settled while a peer was lost",
  "node killed",
  "node came back",
  "node of the next release",
  "link of the next version",
  "node stood still",
  "node slow",
  "slow node a second behind",
  "machine lost its power",
] as const;

const lookupProbes: Readonly<Record<LookupFaultKind, Probe>> = {
  "dns-down": "name server silent",
  "dns-slow": "name server slow",
  "dns-stale": "answer of a name server out of date",
  "dns-lacking": "answer of a name server incomplete",
  "file-gone": "list of nodes gone",
  "file-half-written": "list of nodes half-written",
  "file-lacking": "list of nodes incomplete",
};

/** Of faults that leave no other trace of their own. */
const faultProbes: Readonly<Partial<Record<FaultKind, Probe>>> = {
  bandwidth: "line of a client slow",
  "link-bandwidth": "line between nodes slow",
  "reconnect-storm": "all clients thrown out at once",
};

const streamErrorProbes: Readonly<Record<string, Probe>> = {
  conflict: "session replaced",
  "connection-timeout": "login timed out",
};

const refusalProbes: Readonly<Record<string, Probe>> = {
  "not-authorized": "wrong password refused",
  "invalid-authzid": "another identity refused",
};

export type Probe = (typeof probeNames)[number];

/** Of which events any shows something. */
export const probeKinds: readonly TraceKind[] = [
  "connection-congested",
  "connection-drained",
  "input-paused",
  "message-bounced",
  "query-failed",
  "clock-jumped",
  "clock-drifts",
  "attack-answered",
  "registration-answered",
  "account-change-answered",
  "login-refused",
  "login-ended",
  "connection-closed",
  "stream-error-received",
  "host-resolved",
  "file-read",
  "fault-started",
  "lookup-troubled",
  "peer-up",
  "peer-down",
  "table-loading",
  "dial-failed",
  "table-seen",
  "settled",
  "node-killed",
  "node-started",
  "node-paused",
  "node-slowed",
  "node-recovered",
  "logged",
  "bytes-received",
];

/** What this event shows to have been reached, if anything. */
export function probeOf({ kind, data }: TraceEvent): Probe | undefined {
  switch (kind) {
    case "connection-congested":
      return "queue congested";
    case "connection-drained":
      return "queue drained";
    case "input-paused":
      return "client read slowly";
    case "message-bounced":
      return "message bounced";
    case "query-failed":
      return data.failure === "rejected" ? "database refused a request" : "database gave no answer";
    case "clock-jumped":
      return "clock jumped";
    case "clock-drifts":
      return "clock drifted";
    case "attack-answered":
      return "attack refused";
    case "registration-answered":
      return data.outcome === "result" ? "account registered" : undefined;
    case "account-change-answered":
      return changeProbe(data.outcome, data.password);
    case "login-refused":
      return refusalProbes[data.condition] ?? "login put off";
    case "login-ended":
      return data.reason === "vanished" ? "host died silently" : undefined;
    case "connection-closed":
      return data.reason === "reset" ? "connection reset" : undefined;
    case "stream-error-received":
      return streamErrorProbes[data.condition];
    case "host-resolved":
      return data.addresses.length === 0 ? "name without addresses" : "nodes found by name";
    case "file-read":
      return "nodes found in a file";
    case "fault-started":
      return faultProbes[data.fault];
    case "lookup-troubled":
      return lookupProbes[data.trouble];
    case "peer-up":
      return data.version === undefined ? "link came up" : "link of the next version";
    case "peer-down":
      if (data.undelivered > 0) return "messages handed back";
      return data.final ? "peer left in order" : "link ended with a reason";
    case "table-loading":
      return "snapshot begun";
    case "dial-failed":
      return data.refused ? "dial refused" : "dial unanswered";
    case "table-seen":
      return data.fresh && data.seq > 0 ? "partition shown again" : undefined;
    case "settled":
      return settledProbe(data.missing.length, data.lost.length);
    case "node-killed":
      return data.silent ? "machine lost its power" : "node killed";
    case "node-started":
      if (data.release !== undefined) return "node of the next release";
      return data.generation > 1 ? "node came back" : undefined;
    case "node-paused":
      return "node stood still";
    case "node-slowed":
      return "node slow";
    case "node-recovered":
      return data.waitedMs >= 1_000 ? "slow node a second behind" : undefined;
    case "logged":
      return loggedProbe(data.event, data.detail);
    case "bytes-received":
      // A stanza's last byte is ">".
      return data.bytes[data.bytes.length - 1] === 0x3e ? undefined : "stanza cut by a chunk";
    default:
      return undefined;
  }
}

function changeProbe(outcome: string, password: string | undefined): Probe | undefined {
  if (outcome !== "result") return undefined;
  return password === undefined ? "account removed" : "password changed";
}

function settledProbe(missing: number, lost: number): Probe | undefined {
  if (missing > 0) return "settled in vain";
  return lost > 0 ? "settled while a peer was lost" : undefined;
}

function loggedProbe(event: string, detail: string): Probe | undefined {
  if (event === "queue-full") return "link queue full";
  if (event === "queue-drained") return "link queue drained";
  if (event === "registration-lost") return "registration lost";
  return detail.includes("reason=resource-constraint") ? "send limit met" : undefined;
}
