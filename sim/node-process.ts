/**
 * Node process: one run of the real server on simulated ports, from its start to its end.
 *
 * Holds what a process has of its own: a source of entropy, a deadline, a turn. Whatever the simulated
 * world has for it goes through `deliver`, the loop's only door, and is traced there. While it stands
 * still inputs pile up; what comes for a process that has ended is dropped.
 */
import type { Instant } from "../src/base/time.ts";
import type { Crypto, KeyDerivation } from "../src/ports/crypto.ts";
import type { Database } from "../src/ports/database.ts";
import type { LogFields, LogLevel } from "../src/ports/log.ts";
import type { SessionState } from "../src/router/session.ts";
import type { Config } from "../src/server/config.ts";
import type { Ports, WorldInput } from "../src/server/effects.ts";
import type { Server, ServerOptions } from "../src/server/server.ts";
import type { NodePlan } from "./plan.ts";
import type { DatabaseFaults } from "./ports/database-faults.ts";
import type { SimulatedLookups } from "./ports/resolver.ts";
import { SimulatedHttp, type HttpAsked, type HttpAnswered } from "./ports/http.ts";
import type { Clock } from "./kit/clock.ts";
import type { NodePort, SimulatedNetwork } from "./kit/network.ts";
import { stream } from "./kit/random.ts";
import { traceInput } from "./trace-input.ts";
import type { Trace, TraceKind, TraceKinds } from "./trace.ts";
import { ClusterWatch } from "./watch-cluster.ts";
import type { World } from "./kit/world.ts";

/** Hashes at once, derives keys at once: what it costs in time is simulated here. */
export type NodeCrypto = Pick<Crypto, "hash" | "hmac" | "equal"> & {
  derive(derivation: KeyDerivation): Uint8Array;
};

/** Makes the server; `server()` itself, or a smaller thing in tests of the simulator. */
export type Compose = (options: ServerOptions) => Pick<Server, "loop" | "sessions">;

/** What every process of one run shares. */
export interface NodeWorld {
  readonly world: World;
  readonly seed: number;
  readonly network: SimulatedNetwork;
  readonly database: DatabaseFaults;
  readonly lookups: SimulatedLookups;
  readonly crypto: NodeCrypto;
  readonly trace: Trace;
  readonly compose: Compose;
  /** It threw. */
  readonly onCrashed: (error: unknown) => void;
}

export interface NodeProcessOptions extends NodeWorld {
  readonly plan: NodePlan;
  readonly config: Config;
  /** How many processes this node has had, this one included. */
  readonly generation: number;
  readonly clock: Clock;
  /** A graceful stop is complete. */
  readonly onStopped: () => void;
}

/** What a hash of a few thousand iterations takes a core. */
const keyDerivationMs = 5;

export class NodeProcess {
  readonly watch: ClusterWatch;
  readonly #options: NodeProcessOptions;
  readonly #server: ReturnType<Compose>;
  readonly #port: NodePort;
  readonly #http = new SimulatedHttp((input) => this.deliver(input));
  readonly #waiting: { readonly input: WorldInput; readonly login: string }[] = [];
  #armedFor: Instant | undefined;
  #state: "running" | "paused" | "ended" = "running";

  constructor(options: NodeProcessOptions) {
    this.#options = options;
    const { network, plan, config, seed } = options;
    const address = config.cluster?.advertised_address;
    this.#port = network.attach(plan.name, {
      deliver: (input, login) => this.deliver(input, login),
      onSent: (connection, data) => this.#record("bytes-sent", { connection, data }),
      ...(address === undefined ? {} : { address }),
    });
    this.#record("node-started", { generation: options.generation });
    this.watch = new ClusterWatch((kind, data) => this.#record(kind, data));
    this.#server = options.compose({
      config,
      ports: this.#ports(),
      onStopped: () => this.#stopped(),
      onFault: "throw",
      falseSaltSecret: stream(seed, "false-salt").bytes(32),
      onCluster: (self, cluster) => this.watch.start(self, cluster),
    });
    this.#arm();
  }

  get running(): boolean {
    return this.#state !== "ended";
  }

  get paused(): boolean {
    return this.#state === "paused";
  }

  sessions(): readonly SessionState[] {
    return this.#server.sessions();
  }

  /** An HTTP request of somebody on the node's own machine; never answered by a process that ends first. */
  ask(asked: HttpAsked, answered: HttpAnswered): void {
    if (this.#state !== "ended") this.#http.ask(asked, answered);
  }

  /** One input, one turn: step, then send what was written. */
  deliver(input: WorldInput, login = ""): void {
    if (this.#state === "paused") this.#waiting.push({ input, login });
    if (this.#state !== "running") return;
    traceInput(this.#options.trace, this.#options.plan.name, input, login);
    try {
      this.#server.loop.deliver(this.#options.clock.now(), input);
      this.#port.flush();
      this.watch.look();
    } catch (error) {
      this.#crash(error);
    }
    this.#arm();
  }

  /** Stop-the-world: the kernel goes on, the process does not. */
  pause(): void {
    if (this.#state !== "running") return;
    this.#state = "paused";
    this.#port.setProcessReads(false);
    this.#record("node-paused", {});
  }

  /** `timersFirst`: what an event loop finds first when it wakes depends on where it stood. */
  resume(timersFirst: boolean): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    this.#record("node-resumed", {});
    this.#port.setProcessReads(true);
    if (timersFirst) this.#expire();
    for (const { input, login } of this.#waiting.splice(0)) this.deliver(input, login);
    this.#arm();
  }

  /** Whatever it still had to do, it does no more. */
  end(): void {
    this.#state = "ended";
    this.#waiting.length = 0;
  }

  #stopped(): void {
    this.#record("node-stopped", {});
    this.#port.flush();
    this.end();
    this.#options.network.leave(this.#options.plan.name);
    this.#options.onStopped();
  }

  #crash(error: unknown): void {
    this.end();
    const message = error instanceof Error ? `${error.name}: ${error.message}` : "not an Error";
    this.#record("node-crashed", { error: message });
    this.#options.network.detach(this.#options.plan.name);
    this.#options.onCrashed(error);
  }

  /** Sees to it that `deadline-reached` comes when the core wants it; an early call does no harm. */
  #arm(): void {
    if (this.#state !== "running") return;
    const deadline = this.#server.loop.deadline();
    if (deadline === undefined) return;
    if (this.#armedFor !== undefined && this.#armedFor <= deadline) return;
    this.#armedFor = deadline;
    const { world, clock } = this.#options;
    world.schedule(clock.reaches(deadline), () => {
      if (this.#armedFor !== deadline) return;
      this.#armedFor = undefined;
      if (this.#state === "running" && !this.#expire()) this.#arm();
    });
  }

  /** False if nothing is due. */
  #expire(): boolean {
    const due = this.#server.loop.deadline();
    if (due === undefined || due > this.#options.clock.now().at) return false;
    this.deliver({ type: "deadline-reached" });
    return true;
  }

  #ports(): Ports {
    const { world, crypto, seed, plan, generation, lookups } = this.#options;
    const path = generation === 1 ? "entropy" : `entropy#${generation}`;
    const entropy = stream(seed, `node/${plan.name}/${path}`);
    return {
      network: {
        write: (connection, data) => this.#port.write(connection, data),
        dial: (dial, address) => this.#port.dial(dial, address),
        startTls: (connection, host) => this.#port.startTls(connection, host),
        pauseReading: (connection) => this.#port.pauseReading(connection),
        resumeReading: (connection) => this.#port.resumeReading(connection),
        close: (connection) => {
          this.#record("close-asked", { connection });
          this.#port.close(connection);
        },
      },
      database: this.#database(),
      crypto: {
        hash: (name, data) => crypto.hash(name, data),
        hmac: (name, key, data) => crypto.hmac(name, key, data),
        equal: (a, b) => crypto.equal(a, b),
        deriveKey: (request, derivation) => {
          const key = crypto.derive(derivation);
          world.after(keyDerivationMs, () => this.deliver({ type: "key-derived", request, key }));
        },
      },
      entropy: { bytes: (count) => entropy.bytes(count) },
      http: this.#http,
      resolver: lookups.port((input) => this.deliver(input), plan.name),
      log: { write: (level, event, fields) => this.#log(level, event, fields) },
    };
  }

  #database(): Database {
    const { database, plan } = this.#options;
    const port = database.port((input) => this.deliver(input), plan.name);
    return {
      query: (request, queries) => {
        const statements = queries.map((query) => query.statement.name);
        this.#record("query-sent", { request, statements });
        port.query(request, queries);
      },
    };
  }

  #log(level: LogLevel, event: string, fields: LogFields = {}): void {
    const detail = Object.entries(fields)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(" ");
    this.#record("logged", { level, event, detail });
  }

  #record: Recording = (kind, data) =>
    this.#options.trace.record(this.#options.plan.name, kind, data);
}

type Recording = <K extends TraceKind>(kind: K, data: TraceKinds[K]) => void;
