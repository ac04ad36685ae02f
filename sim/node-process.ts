/**
 * Node process: one run of the real server on simulated ports, from its start to its end.
 *
 * Holds what a process has of its own: a source of entropy, a deadline, a turn. Whatever the simulated
 * world has for it goes through `deliver`, the loop's only door, and is traced where it is taken in. While it
 * stands still or is slow inputs pile up; what comes for a process that has ended is dropped.
 */
import type { Instant } from "../src/base/time.ts";
import type { Crypto, KeyDerivation } from "../src/ports/crypto.ts";
import type { Database } from "../src/ports/database.ts";
import type { LogFields, LogLevel } from "../src/ports/log.ts";
import type { SessionState } from "../src/router/session.ts";
import type { Config } from "../src/server/config.ts";
import type { Ports, WorldInput } from "../src/server/effects.ts";
import type { Server, ServerOptions } from "../src/server/server.ts";
import { Backlog } from "./backlog.ts";
import type { NodePlan } from "./plan.ts";
import type { DatabaseFaults } from "./ports/database-faults.ts";
import type { SimulatedLookups } from "./ports/resolver.ts";
import { SimulatedHttp, type HttpAsked, type HttpAnswered } from "./ports/http.ts";
import type { Clock } from "./kit/clock.ts";
import type { NodePort, SimulatedNetwork } from "./kit/network.ts";
import type { Draws } from "./kit/random.ts";
import { NextRelease } from "./releases/next-release.ts";
import { configOfRelease, type Release } from "./releases/releases.ts";
import { traceInput } from "./trace-input.ts";
import type { Trace, TraceKind, TraceKinds } from "./trace.ts";
import { ClusterWatch } from "./watch-cluster.ts";
import type { World } from "./kit/world.ts";

/** Hashes at once, derives keys at once: what it costs in time is simulated here. */
export type NodeCrypto = Pick<Crypto, "hash" | "hmac" | "equal"> & {
  derive(derivation: KeyDerivation): Uint8Array;
};

/** Makes the server; `server()` itself, or a smaller thing in tests of the simulator. */
export type Compose = (
  options: ServerOptions,
) => Pick<Server, "loop" | "sessions"> & Partial<Pick<Server, "metrics">>;

/** What every process of one run shares. */
export interface NodeWorld {
  readonly world: World;
  readonly draws: Draws;
  /** Of all nodes, as an operator configures it. */
  readonly falseSaltSecret: Uint8Array;
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
  readonly release: Release;
  readonly clock: Clock;
  /** See `setTurn`. */
  readonly turnMs: number;
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
  readonly #release: NextRelease | undefined;
  readonly #http = new SimulatedHttp((input) => this.deliver(input));
  readonly #backlog = new Backlog((connection) => this.#port.inMessages(connection));
  #armedFor: Instant | undefined;
  /** What a turn takes of a slow process; 0: nothing. */
  #turnMs = 0;
  /** The turn of a slow process is not over yet. */
  #busy = false;
  #state: "running" | "paused" | "ended" = "running";

  constructor(options: NodeProcessOptions) {
    this.#options = options;
    const { network, plan, config, falseSaltSecret } = options;
    const address = config.cluster?.advertised_address;
    this.#port = network.attach(plan.name, {
      deliver: (input, login) => this.deliver(input, login),
      onSent: (connection, data) => this.#record("bytes-sent", { connection, data }),
      ...(address === undefined ? {} : { address }),
    });
    const { generation, release } = options;
    this.#record("node-started", { generation, ...(release === 1 ? {} : { release }) });
    this.#release = release === 1 ? undefined : new NextRelease();
    this.setTurn(options.turnMs);
    this.watch = new ClusterWatch((kind, data) => this.#record(kind, data));
    this.#server = options.compose({
      config: configOfRelease(config, release),
      ports: this.#release?.ports(this.#ports()) ?? this.#ports(),
      onStopped: () => this.#stopped(),
      onFault: "throw",
      falseSaltSecret,
      onCluster: (self, cluster) => {
        this.#release?.joined(cluster);
        this.watch.start(self, cluster);
        this.#release?.writes(cluster);
      },
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

  /** What it counts under this name; 0 for what it does not count. */
  metric(name: string): number {
    const cells = this.#server.metrics?.filter((cell) => cell.name === name) ?? [];
    return cells.reduce((sum, { value }) => sum + value, 0);
  }

  /** An HTTP request of somebody on the node's own machine; never answered by a process that ends first. */
  ask(asked: HttpAsked, answered: HttpAnswered): void {
    if (this.#state !== "ended") this.#http.ask(asked, answered);
  }

  /** One input, one turn: step, then send what was written. */
  deliver(input: WorldInput, login = ""): void {
    if (this.#state === "ended") return;
    if (this.#state === "running" && this.#turnMs === 0) return this.#take(input, login);
    this.#backlog.add({ input, login, since: this.#options.world.now() });
    if (!this.#busy) this.#options.world.after(0, () => this.#turn());
  }

  #take(input: WorldInput, login: string): void {
    if (this.#state !== "running") return;
    traceInput(this.#options.trace, this.#options.plan.name, input, login);
    try {
      const read = this.#release?.received(input) ?? input;
      this.#server.loop.deliver(this.#options.clock.now(), read);
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
    this.#catchUp();
  }

  /**
   * From now on each turn takes so long, and sockets are read only when what was read before is done: a
   * process that gets little of its core. 0: as fast as can be, and all that waits is taken at once.
   */
  setTurn(turnMs: number): void {
    if (this.#state === "ended" || turnMs === this.#turnMs) return;
    this.#turnMs = turnMs;
    if (turnMs > 0) return this.#record("node-slowed", { turnMs });
    this.#record("node-recovered", { waitedMs: this.#backlog.longestMs });
    if (this.#state === "running") this.#catchUp();
  }

  /** All that waits, unless it must wait longer. */
  #catchUp(): void {
    if (this.#turnMs > 0) this.#turn();
    else {
      this.#port.setProcessReads(true);
      const now = this.#options.world.now();
      for (let next = this.#backlog.take(now); next !== undefined; next = this.#backlog.take(now)) {
        this.#take(next.input, next.login);
      }
    }
    this.#arm();
  }

  /** Of a slow process: one input of those that wait, and the time that it takes. */
  #turn(): void {
    const { world } = this.#options;
    if (this.#state !== "running" || this.#turnMs === 0 || this.#busy) return;
    const next = this.#backlog.take(world.now());
    // Nothing is left of what was read: what has arrived since is read now, all of it.
    this.#port.setProcessReads(next === undefined);
    if (next === undefined) return;
    this.#busy = true;
    world.after(this.#turnMs, () => {
      this.#busy = false;
      this.#turn();
    });
    this.#take(next.input, next.login);
  }

  /** Whatever it still had to do, it does no more. */
  end(): void {
    this.#state = "ended";
    this.#backlog.clear();
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
    if (this.#backlog.hasTick) return true;
    this.deliver({ type: "deadline-reached" });
    return true;
  }

  #ports(): Ports {
    const { world, crypto, draws, plan, generation, lookups } = this.#options;
    const path = generation === 1 ? "entropy" : `entropy#${generation}`;
    const entropy = draws(`node/${plan.name}/${path}`);
    return {
      network: {
        write: (connection, data) => this.#port.write(connection, data),
        ping: (connection) => this.#port.ping(connection),
        dial: (dial, address) => this.#port.dial(dial, address),
        startTls: (connection, host) => this.#port.startTls(connection, host),
        pauseReading: (connection) => {
          this.#record("input-paused", { connection });
          this.#port.pauseReading(connection);
        },
        resumeReading: (connection) => {
          this.#record("input-resumed", { connection });
          this.#port.resumeReading(connection);
        },
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
