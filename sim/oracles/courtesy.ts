/**
 * Courtesy: is a client that keeps to the protocol ever told that it broke it, or any sent what no server may send?
 *
 * Some stream errors blame nobody: a shutdown, a taken name, a slow login while the network, the node or
 * the database is in trouble, a queue that is full because the client did not read.
 */
import { databaseFaultKinds, wellBehaved, type FaultKind } from "../plan.ts";
import { clientOf } from "../kit/network.ts";
import type { OracleMaker } from "./oracle.ts";

/** Whom they hit may be late though it keeps to the protocol. */
const slow: readonly FaultKind[] = [
  ...databaseFaultKinds,
  ...(["half-open", "latency", "bandwidth", "vanish", "stop-reading", "one-way-cut"] as const),
  "node-pause",
  // What a client has sent in time waits with the kernel of a node that has none.
  "node-slow",
];

export const courtesy: OracleMaker = (plan) => {
  const good = new Set(plan.clients.filter(wellBehaved).map((client) => client.name));
  const kinds = new Map(plan.clients.map((client) => [client.name, client.behaviour.kind]));
  const troubled =
    plan.topology.network.noise !== undefined ||
    plan.faults.some((fault) => slow.includes(fault.kind));
  const pipelining = new Set(plan.clients.filter((c) => c.pipelines).map(({ name }) => name));
  /** Of those who pipeline: what they sent ahead is nothing that may follow a refusal. */
  const refused = new Set<string>();
  /** Who has asked that its account be removed: all its sessions end, sooner or later. */
  const removing = new Set<string>();
  const failures: string[] = [];
  let logins = 0;
  let errors = 0;

  function excused(client: string, condition: string): boolean {
    switch (condition) {
      case "system-shutdown":
      case "conflict": // who is thrown out took part in a contest for a name, or lost its own old login
        return true;
      case "connection-timeout":
        return troubled || kinds.get(client) === "non-reader";
      case "resource-constraint":
        return true; // a queue was full, or the database away
      case "not-authorized":
        return removing.has(client);
      case "policy-violation":
        return kinds.get(client) === "registrar" && troubled;
      default:
        return false;
    }
  }

  return {
    name: "courtesy",
    counts: "logins",
    sees: [
      "login-started",
      "login-refused",
      "account-change-sent",
      "server-misspoke",
      "stream-error-received",
    ],
    see({ kind, data, at }) {
      if (kind === "login-started" && good.has(clientOf(data.login))) logins += 1;
      if (kind === "login-refused" && pipelining.has(clientOf(data.login))) refused.add(data.login);
      if (kind === "account-change-sent" && data.password === undefined) {
        removing.add(clientOf(data.login));
      }
      if (kind === "server-misspoke") {
        failures.push(`${data.login} was sent what no server may send, at ${at} ms: ${data.what}`);
      }
      if (kind !== "stream-error-received") return;
      const client = clientOf(data.login);
      if (!good.has(client) || refused.has(data.login)) return;
      errors += 1;
      if (!excused(client, data.condition)) {
        failures.push(`${data.login} kept to the protocol but got ${data.condition} at ${at} ms`);
      }
    },
    judge: () => ({ judged: logins + errors, unknown: 0, failures }),
  };
};
