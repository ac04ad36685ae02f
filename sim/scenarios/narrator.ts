/**
 * Narrator: which events of a history by hand does its transcript tell, and in which words?
 *
 * Only what a reviewer would want to judge: what clients see, which process is linked with which, whose
 * records are shown. A process is called by its node's name, its successors `n1.2`, `n1.3`.
 */
import { textFromBinary } from "../../src/base/bytes.ts";
import { bodyOf } from "../clients/wording.ts";
import { planHost } from "../addresses.ts";
import { clientOf } from "../kit/network.ts";
import type { TraceEvent, TraceKinds } from "../trace.ts";

export interface Told {
  readonly at: number;
  readonly place: string;
  readonly text: string;
}

/** A name, or `host@address` where a name server told of it; then which process of it. */
const peerPattern = /([\w@.:[\]-]+)#\d+\.[0-9a-f]{16}/g;

export class Narrator {
  #told: Told[] = [];
  /** By the peer's text. */
  readonly #names = new Map<string, string>();
  readonly #generations = new Map<string, number>();
  /** By a message's id: what was said. */
  readonly #texts = new Map<string, string>();
  readonly #questions = new Map<string, string>();
  /** Logins that have sent a presence. */
  readonly #present = new Set<string>();
  #saying: string | undefined;
  /** Whom a node has refused and why, and who has refused it: they go on trying. */
  readonly #refusals = new Set<string>();

  /** What the next message that is sent shall mean. */
  saying(text: string): void {
    this.#saying = text;
  }

  see(event: TraceEvent): void {
    if (event.kind === "node-started") {
      this.#generations.set(event.place, event.data.generation);
    } else if (event.kind === "cluster-joined") {
      const generation = this.#generations.get(event.place) ?? 1;
      const name = generation === 1 ? event.place : `${event.place}.${generation}`;
      this.#names.set(event.data.peer, name);
    }
    const text = this.#tell(event);
    if (text === undefined) return;
    const place = this.#isNode(event) ? event.place : clientOf(event.place);
    this.#told.push({ at: event.at, place, text: this.short(text) });
  }

  /** A line that is no event. */
  note(at: number, place: string, text: string): void {
    this.#told.push({ at, place, text: this.short(text) });
  }

  get lastAt(): number | undefined {
    return this.#told.at(-1)?.at;
  }

  take(): readonly Told[] {
    const told = this.#told;
    this.#told = [];
    return told;
  }

  /** JIDs without our host, peers as their processes' names. */
  short(text: string): string {
    return text
      .replaceAll(`@${planHost}`, "")
      .replace(peerPattern, (peer, name: string) => this.#names.get(peer) ?? `${name}?`);
  }

  #isNode({ place }: TraceEvent): boolean {
    return this.#generations.has(place);
  }

  #isSaidAgain(place: string, { event, detail }: TraceKinds["logged"]): boolean {
    if (event !== "handshake-refused" && event !== "refused-by-peer") return false;
    const said = `${place} ${event} ${detail}`;
    if (this.#refusals.has(said)) return true;
    this.#refusals.add(said);
    return false;
  }

  #tell(event: TraceEvent): string | undefined {
    return this.#isNode(event) ? this.#ofNode(event) : this.#ofClient(event);
  }

  #ofNode({ kind, data, place }: TraceEvent): string | undefined {
    switch (kind) {
      case "node-started":
        return startOf(data);
      case "node-crashed":
        return `THROWS ${data.error}`;
      case "node-killed":
        return data.silent ? "loses power" : "crashes";
      case "shutdown-requested":
        return "is told to stop";
      case "node-stopped":
        return "has stopped in order";
      case "node-paused":
        return "stands still";
      case "node-resumed":
        return "goes on";
      case "node-superseded":
        return `gives way to ${data.by}`;
      case "clock-jumped":
        return `its wall clock is set by ${data.by / 1_000} s`;
      case "peer-up":
        return `up: ${data.peer}`;
      case "peer-down": {
        const back = data.undelivered === 0 ? "" : `, ${data.undelivered} undelivered`;
        return `down: ${data.peer} (${data.reason}${data.final ? ", for good" : ""}${back})`;
      }
      case "table-loading":
        return `loads ${data.table} of ${data.owner}`;
      case "table-hidden":
        return `hides ${data.table} of ${data.owner}`;
      case "table-seen": {
        if (!data.fresh) return undefined;
        const keys = data.put.filter((_, index) => index % 2 === 0).map(textFromBinary);
        return `shows ${data.table} of ${data.owner}: ${keys.length === 0 ? "none" : keys.join(", ")}`;
      }
      case "settled":
        return data.missing.length === 0
          ? undefined
          : `binds though ${data.missing.join(", ")} may not know yet`;
      case "logged":
        return this.#isSaidAgain(place, data) ? undefined : logLine(data);
      default:
        return undefined;
    }
  }

  #ofClient(event: TraceEvent): string | undefined {
    const { kind, data } = event;
    switch (kind) {
      case "login-bound":
        return `is online as ${data.jid}`;
      case "login-refused":
        return `cannot log in: ${data.condition}`;
      case "bind-refused":
        return `cannot bind: ${data.condition}`;
      case "stream-error-received":
        return `is told <${data.condition}/>`;
      case "server-misspoke":
        return `CANNOT READ what the server sent: ${data.what}`;
      case "login-ended":
        return data.clean ? "has logged out" : `its stream has ended: ${data.reason}`;
      case "presence-sent": {
        const first = !this.#present.has(data.login);
        this.#present.add(data.login);
        if (!data.available) return "becomes unavailable";
        return first && data.priority === 0 ? undefined : `has priority ${data.priority}`;
      }
      case "message-sent":
        if (this.#saying !== undefined) this.#texts.set(data.id, this.#saying);
        this.#saying = undefined;
        return `says "${this.#textOf(data.id)}" to ${data.to}`;
      case "message-received": {
        const intact = data.body === bodyOf(data.id, data.body.length);
        const text = intact ? this.#textOf(data.id) : `GARBLED ${data.body}`;
        const bare = data.to.includes("/") ? "" : `, sent to ${data.to}`;
        return `hears "${text}" from ${data.from}${bare}`;
      }
      case "message-bounced":
        return `gets "${this.#textOf(data.id)}" back: ${data.condition}`;
      case "iq-sent": {
        const to = data.to === "" ? "its server" : data.to;
        const question = `${data.about} to ${to}`;
        this.#questions.set(data.id, question);
        return `sends ${question}`;
      }
      case "iq-answered":
        return `is answered its ${this.#questions.get(data.id) ?? data.id}: ${data.outcome}`;
      default:
        return undefined;
    }
  }

  #textOf(id: string): string {
    return this.#texts.get(id) ?? id;
  }
}

function startOf({ generation, release }: TraceKinds["node-started"]): string {
  const again = generation === 1 ? "starts" : `starts again, process ${generation}`;
  return release === undefined ? again : `${again}, of release ${release}`;
}

/** Warnings; of the rest only what becomes of links. Their ends are told as events of their own. */
function logLine(line: { level: string; event: string; detail: string }): string | undefined {
  const { level, event, detail } = line;
  if (event === "link-down" || event === "peer-down") return undefined;
  const peer = /peer=([\w-]+)/.exec(detail)?.[1] ?? "";
  if (event === "link-broken") return `its link to ${peer} is broken (${reasonIn(detail)})`;
  if (event === "link-resumed") return `its link to ${peer} is whole again`;
  return level === "warning" || level === "error" ? `logs ${event} ${detail}` : undefined;
}

function reasonIn(detail: string): string {
  return /reason=(.*?)(?: \w+=|$)/.exec(detail)?.[1] ?? "";
}
