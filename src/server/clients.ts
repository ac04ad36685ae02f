/**
 * Clients: which connections of clients are open, and what does each one's stream ask for?
 *
 * An input of the network goes to the stream of its connection; of what the stream asks for, effects for
 * the network go out as they are, and all else to the core. A bug is contained to the stream it hit.
 */
import { Deadlines, type Scheduled } from "../base/deadlines.ts";
import { isInNetwork } from "../base/ip-network.ts";
import type { Instant, Now } from "../base/time.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { ConnectionId, NetworkEffect, NetworkInput, TlsInfo } from "../ports/network.ts";
import type { Session } from "../router/session.ts";
import { C2sStream, type C2sEffect, type C2sInput } from "../stream/c2s.ts";
import type { Outbox } from "../stream/outbox.ts";
import { Shaper } from "../stream/shaper.ts";
import { offered } from "../stream/sasl/index.ts";
import type { StreamErrorCondition } from "../xmpp/stream-error.ts";
import type { Config, Listener } from "./config.ts";
import type { Faults } from "./faults.ts";
import type { NodeMetrics } from "./metrics.ts";
import type { Task } from "./work-runner.ts";

/** One connection: its stream, the session it carries once bound, and the work done for it. */
export interface Client extends Scheduled {
  readonly stream: C2sStream;
  readonly remote: string;
  readonly listener: Listener;
  /** Limits how fast it is read, where its listener says so. */
  readonly shaper: Shaper | undefined;
  session: Session | undefined;
  /** The client can no longer be reached; what it sent before in the same breath no longer counts. */
  ended: boolean;
  authentication: Task | undefined;
  /** What waits for a client whose session others see but which has not been told that it is bound. */
  held: Outbox | undefined;
}

/** What a stream asks of the core. */
export type ClientRequest = Exclude<C2sEffect, NetworkEffect | { readonly type: "stanzas-first" }>;

export interface ClientsOptions {
  readonly config: Config;
  readonly entropy: Entropy;
  readonly counts: NodeMetrics;
  readonly faults: Faults;
  readonly emit: (effect: NetworkEffect) => void;
  readonly requested: (now: Now, client: Client, request: ClientRequest) => void;
}

type Opened = Extract<NetworkInput, { type: "connection-opened" }>;

const maxRequestsBeforeBinding = 10;

export class Clients {
  readonly #options: ClientsOptions;
  readonly #clients = new Map<ConnectionId, Client>();
  readonly #deadlines = new Deadlines<Client>();
  readonly #listeners: ReadonlyMap<string, Listener>;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#listeners = new Map(options.config.listen.map((each) => [each.name, each]));
  }

  get size(): number {
    return this.#clients.size;
  }

  deadline(): Instant | undefined {
    return this.#deadlines.next();
  }

  of(session: Session): Client | undefined {
    return this.#clients.get(session.connection);
  }

  /** `mayOpen`: the node takes new clients. */
  fromNetwork(now: Now, input: NetworkInput, mayOpen: boolean): void {
    if (input.type === "connection-opened") return this.#open(now, input, mayOpen);
    if (input.type === "dial-failed") return;
    const client = this.#clients.get(input.connection);
    if (client === undefined) return;
    if (input.type === "bytes-received") this.#shape(now, client, input.bytes.length);
    this.step(now, client, input);
    if (input.type !== "connection-closed") return;
    this.#clients.delete(input.connection);
    this.#deadlines.set(client, undefined);
    this.#options.counts.connections.value -= 1;
  }

  /** One step of a stream and of all that follows from it; a bug is contained to the stream. */
  step(now: Now, client: Client, input: C2sInput | NetworkInput): void {
    try {
      this.#perform(now, client, client.stream.step(now, input as C2sInput));
    } catch (error) {
      this.contain(now, client, error);
    }
    this.#deadlines.set(client, deadlineOf(client));
  }

  contain(now: Now, client: Client, error: unknown): void {
    this.#options.faults.bug("stream-fault", error, client.remote);
    const text = "A bug of the server; it has been logged";
    const end = { type: "end", condition: "internal-server-error", text } as const;
    this.#perform(now, client, client.stream.step(now, end));
  }

  /** Ends a session by its stream; without a condition, in silence. */
  end(now: Now, session: Session, condition: StreamErrorCondition | undefined, text: string): void {
    const client = this.of(session);
    if (client === undefined) return;
    const error = condition === undefined ? {} : { condition };
    this.step(now, client, { type: "end", text, ...error });
  }

  expire(now: Now): void {
    for (let due = this.#deadlines.takeDue(now.at); due !== undefined;) {
      this.#unshape(now, due);
      this.step(now, due, { type: "deadline-reached" });
      due = this.#deadlines.takeDue(now.at);
    }
  }

  /** What has come is read all the same; what comes next waits in the peer's and the kernel's buffers. */
  #shape(now: Now, { shaper, ended, stream }: Client, count: number): void {
    const paused = shaper?.step(now.at, { type: "bytes-received", count });
    if (paused === undefined || ended) return;
    this.#options.emit({ type: "pause-reading", connection: stream.connection });
  }

  #unshape(now: Now, { shaper, stream }: Client): void {
    const resumed = shaper?.step(now.at, { type: "deadline-reached" });
    if (resumed === undefined) return;
    this.#options.emit({ type: "resume-reading", connection: stream.connection });
  }

  /** RFC 6120 §4.9.3.20: every client is told. */
  shutDown(now: Now): void {
    const text = "The server is shutting down";
    for (const client of [...this.#clients.values()]) {
      this.step(now, client, { type: "end", condition: "system-shutdown", text });
    }
  }

  mechanisms(listener: Listener, tls: TlsInfo | undefined): readonly string[] {
    return offered(this.#options.config.auth.sasl_mechanisms, {
      tls,
      allowPlaintext: listener.allow_plaintext,
      externalPossible: (tls?.certifiedAddresses?.length ?? 0) > 0,
    });
  }

  #perform(now: Now, client: Client, effects: readonly C2sEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "write":
        case "ping":
        case "start-tls":
        case "dial":
        case "pause-reading":
        case "resume-reading":
        case "close":
          this.#options.emit(effect);
          break;
        case "stanzas-first": // they stand before it in `effects`
          this.#perform(now, client, client.stream.step(now, { type: "stanzas-done" }));
          break;
        default:
          this.#options.requested(now, client, effect);
      }
    }
  }

  #open(now: Now, input: Opened, mayOpen: boolean): void {
    const listener = this.#listeners.get(input.listener);
    const { counts, emit } = this.#options;
    if (listener === undefined || !mayOpen) {
      return emit({ type: "close", connection: input.connection });
    }
    const stream = this.#newStream(now, input, listener);
    const rate = listener.kind === "c2s" ? listener.max_rate : undefined;
    const client: Client = {
      stream,
      remote: input.remote,
      listener,
      shaper: rate === undefined ? undefined : new Shaper(rate),
      session: undefined,
      ended: false,
      authentication: undefined,
      held: undefined,
      deadlineSlot: -1,
    };
    this.#clients.set(input.connection, client);
    this.#deadlines.set(client, stream.deadline());
    counts.connections.value += 1;
    counts.opened.value += 1;
  }

  #newStream(now: Now, input: Opened, listener: Listener): C2sStream {
    const { config, entropy } = this.#options;
    return new C2sStream(now, {
      connection: input.connection,
      framing: input.framing,
      hosts: config.general.hosts,
      entropy,
      tls: input.tls,
      tlsMode: listener.kind === "http" ? undefined : listener.tls?.mode,
      mechanisms: (tls) => this.mechanisms(listener, tls),
      registration: this.#mayRegister(input.remote),
      maxStanzaSize: listener.max_stanza_size,
      maxAuthAttempts: config.auth.max_attempts,
      maxRequestsBeforeBinding,
      negotiationTimeout: listener.c2s_state_timeout,
      maxSendQueue: config.sessions.max_send_queue,
      sendTimeout: config.sessions.send_timeout,
      keepAliveInterval: config.sessions.keepalive_interval,
    });
  }

  #mayRegister(remote: string): boolean {
    const { enabled, ip_access } = this.#options.config.registration;
    return enabled && ip_access.some((network) => isInNetwork(remote, network));
  }
}

function deadlineOf({ stream, shaper }: Client): Instant | undefined {
  const [one, other] = [stream.deadline(), shaper?.deadline()];
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
