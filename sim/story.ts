/** Story: which events of a trace would a person want to hear of, and in which words? */
import { binaryFromBytes } from "../src/base/bytes.ts";
import type { TraceEvent } from "./trace.ts";

/** What a node logs though an event of the trace says it, too. */
const toldOtherwise: ReadonlySet<string> = new Set([
  "cluster-joined",
  "link-up",
  "link-down",
  "peer-up",
  "peer-down",
  "peer-synced",
]);

/** One readable line, or undefined for what is only noise to a person. */
export function storyLine(event: TraceEvent): string | undefined {
  const told = storyWords(event);
  if (told === undefined) return undefined;
  const seconds = Math.trunc(event.at / 1_000);
  const rest = String(event.at % 1_000).padStart(3, "0");
  return `${String(seconds).padStart(4)}.${rest} s  ${event.place.padEnd(18)} ${told}`;
}

/** What the place of the event does or suffers. */
export function storyWords(event: TraceEvent): string | undefined {
  const { kind, data } = event;
  switch (kind) {
    case "run-started":
      return `a run begins from seed ${data.seed}`;
    case "phase-started":
      return `── ${data.phase} ──`;
    case "fault-started":
      return `FAULT ${data.fault} hits ${data.target}`;
    case "fault-ended":
      return `fault ${data.fault} on ${data.target} is over`;
    case "node-started":
      return data.release === undefined ? "starts" : `starts, of release ${data.release}`;
    case "node-crashed":
      return `CRASHES: ${data.error}`;
    case "clock-jumped":
      return `its wall clock jumps by ${data.by} ms`;
    case "clock-drifts":
      return `its clocks run ${Math.abs(data.ppm)} ppm too ${data.ppm > 0 ? "fast" : "slow"}`;
    case "connection-congested":
      return `connection ${data.connection} is congested: its client reads too slowly`;
    case "connection-drained":
      return `connection ${data.connection} has room again`;
    case "query-failed":
      return `gets no answer from the database (${data.failure})`;
    case "lookup-failed":
      return `finds no list of nodes: ${data.detail}`;
    case "lookup-troubled":
      return `is told of the nodes under ${data.trouble}`;
    case "sessions-observed":
      return `has ${data.jids.length} sessions at the end`;
    case "logged":
      if (data.level === "debug" || toldOtherwise.has(data.event)) return undefined;
      return `logs ${data.level} ${data.event} ${data.detail}`;
    default:
      return clientWords(event) ?? clusterWords(event);
  }
}

function clientWords({ kind, data }: TraceEvent): string | undefined {
  switch (kind) {
    case "login-started":
      return `connects to log in as ${data.user}`;
    case "login-secured":
      return "has TLS";
    case "login-authenticated":
      return `proves to be ${data.user}`;
    case "login-refused":
      return `is refused: ${data.condition}`;
    case "bind-refused":
      return `is refused a resource: ${data.condition}`;
    case "login-bound":
      return `is online as ${data.jid}`;
    case "login-leaving":
      return "closes its stream";
    case "login-ended":
      return `is gone: ${data.reason}${data.clean ? ", in order" : ""}`;
    case "stream-error-received":
      return `is told stream error ${data.condition}`;
    case "server-misspoke":
      return `was sent what no server may send: ${data.what}`;
    case "reading-stopped":
      return "stops reading";
    case "reading-resumed":
      return "reads again";
    case "presence-sent":
      return data.available ? `is available with priority ${data.priority}` : "is unavailable";
    case "message-sent":
      return `sends ${data.type ?? "chat"} ${data.id} to ${data.to}`;
    case "message-received":
      return `receives ${data.id} from ${data.from === "" ? "nobody" : data.from}`;
    case "message-bounced":
      return `learns that ${data.id} could not be delivered: ${data.condition}`;
    case "notice-sent":
      return data.what === "error"
        ? `will not have ${data.id} of ${data.to}`
        : `tells ${data.to} that it is ${data.what}, with ${data.id}`;
    case "notice-received":
      return data.what === "error"
        ? `learns that ${data.from} will not have ${data.id}`
        : `is told that ${data.from} is ${data.what}, with ${data.id}`;
    case "iq-sent":
      return `asks ${data.to === "" ? "its server" : data.to} for ${data.about} with ${data.id}`;
    case "iq-answered":
      return `is answered to ${data.id}: ${data.outcome}`;
    case "registration-answered":
      return `registers ${data.user}: ${data.outcome}`;
    case "account-change-answered":
      return `${data.password === undefined ? "removes its account" : "changes its password"}: ${data.outcome}`;
    case "attack-sent":
      return `attacks: ${data.attack}`;
    case "attack-answered":
      return `its attack ${data.attack} is answered: ${data.answer}`;
    default:
      return undefined;
  }
}

function clusterWords({ kind, data }: TraceEvent): string | undefined {
  switch (kind) {
    case "time-stood-still":
      return `TIME STANDS STILL: ${data.what}`;
    case "node-killed":
      return data.silent ? "loses power" : "is killed";
    case "node-stopped":
      return "has stopped in order";
    case "node-slowed":
      return `is slow: each turn takes ${data.turnMs} ms`;
    case "node-recovered":
      return `is no longer slow; it was up to ${data.waitedMs} ms behind`;
    case "node-paused":
      return "stands still";
    case "node-resumed":
      return "goes on";
    case "node-superseded":
      return `gives way to ${data.by}, which has its name`;
    case "cluster-joined":
      return `is ${data.peer} in the cluster`;
    case "peer-up":
      return `is linked with ${data.peer}`;
    case "table-seen":
      if (!data.fresh) return undefined;
      return `shows the ${data.table} of ${data.owner}: ${data.put.length / 2} at seq ${data.seq}`;
    case "table-hidden":
      return `shows no ${data.table} of ${data.owner} any more`;
    case "peer-down":
      return `${data.final ? "loses" : "has lost touch with"} ${data.peer}: ${data.reason}`;
    default:
      return undefined;
  }
}

/** For looking closely at one login: bytes too. */
export function wireLine(event: TraceEvent): string | undefined {
  const { kind, data, at } = event;
  if (kind === "bytes-received") {
    return `${at} ${event.place} <${data.connection}< ${binaryFromBytes(data.bytes)}`;
  }
  if (kind === "bytes-sent") return `${at} ${event.place} >${data.connection}> ${data.data}`;
  return undefined;
}
