/**
 * Node: the real server on simulated ports.
 *
 * Holds what one process has of its own: two clocks, a source of entropy, a deadline, a turn. Whatever
 * the simulated world has for it goes through `deliver`, the loop's only door, and is traced there.
 */
import { textFromBytes } from "../src/base/bytes.ts";
import type { Instant, Now } from "../src/base/time.ts";
import type { KeyDerivation, Crypto } from "../src/ports/crypto.ts";
import type { Database } from "../src/ports/database.ts";
import type { LogFields, LogLevel } from "../src/ports/log.ts";
import type { SessionState } from "../src/router/session.ts";
import type { Config } from "../src/server/config.ts";
import type { Ports, WorldInput } from "../src/server/effects.ts";
import type { Server, ServerOptions } from "../src/server/server.ts";
import type { NodePlan } from "./plan.ts";
import type { DatabaseFaults } from "./ports/database-faults.ts";
import type { NodePort, SimulatedNetwork } from "./ports/network.ts";
import { stream } from "./random.ts";
import type { Trace, TraceKind, TraceKinds } from "./trace.ts";
import type { World } from "./world.ts";

/** Hashes at once, derives keys at once: what it costs in time is simulated here. */
export type NodeCrypto = Pick<Crypto, "hash" | "hmac" | "equal"> & {
  derive(derivation: KeyDerivation): Uint8Array;
};

/** Makes the server; `server()` itself, or a smaller thing in tests of the simulator. */
export type Compose = (options: ServerOptions) => Pick<Server, "loop" | "sessions">;

export interface SimulatedNodeOptions {
  readonly plan: NodePlan;
  readonly seed: number;
  readonly config: Config;
  readonly world: World;
  readonly network: SimulatedNetwork;
  readonly database: DatabaseFaults;
  readonly crypto: NodeCrypto;
  readonly trace: Trace;
  readonly compose: Compose;
  readonly onCrashed: (error: unknown) => void;
}

/** What a hash of a few thousand iterations takes a core. */
const keyDerivationMs = 5;

export class SimulatedNode {
  readonly name: string;
  readonly #options: SimulatedNodeOptions;
  readonly #server: ReturnType<Compose>;
  readonly #port: NodePort;
  #wallOffset = 0;
  #armedFor: Instant | undefined;
  #crashed = false;

  constructor(options: SimulatedNodeOptions) {
    this.#options = options;
    this.name = options.plan.name;
    this.#port = options.network.attach(this.name, {
      deliver: (input, login) => this.#deliver(input, login),
      onSent: (connection, data) => this.#record("bytes-sent", { connection, data }),
    });
    this.#server = options.compose({
      config: options.config,
      ports: this.#ports(),
      onStopped: () => this.#record("node-stopped", {}),
      onFault: "throw",
      falseSaltSecret: stream(options.seed, `node/${this.name}/false-salt`).bytes(32),
    });
    this.#record("node-started", {});
  }

  sessions(): readonly SessionState[] {
    return this.#server.sessions();
  }

  /** The wall clock is set by this much; the monotonic clock does not notice. */
  jumpClock(by: number): void {
    this.#wallOffset += by;
    this.#record("clock-jumped", { by });
  }

  requestShutdown(): void {
    this.#deliver({ type: "shutdown-requested" });
  }

  #now(): Now {
    const elapsed = this.#options.world.now();
    const { monotonicOrigin, wallOrigin } = this.#options.plan;
    return { at: monotonicOrigin + elapsed, wall: wallOrigin + elapsed + this.#wallOffset };
  }

  /** One input, one turn: step, then send what was written. */
  #deliver(input: WorldInput, login = ""): void {
    if (this.#crashed) return;
    traceInput(this.#options.trace, this.name, input, login);
    try {
      this.#server.loop.deliver(this.#now(), input);
      this.#port.flush();
    } catch (error) {
      this.#crash(error);
    }
    this.#arm();
  }

  #crash(error: unknown): void {
    this.#crashed = true;
    const message = error instanceof Error ? `${error.name}: ${error.message}` : "not an Error";
    this.#record("node-crashed", { error: message });
    this.#options.network.detach(this.name);
    this.#options.onCrashed(error);
  }

  /** Sees to it that `deadline-reached` comes when the core wants it; an early call does no harm. */
  #arm(): void {
    const deadline = this.#crashed ? undefined : this.#server.loop.deadline();
    if (deadline === undefined) return;
    if (this.#armedFor !== undefined && this.#armedFor <= deadline) return;
    this.#armedFor = deadline;
    this.#options.world.schedule(deadline - this.#options.plan.monotonicOrigin, () => {
      if (this.#armedFor !== deadline) return;
      this.#armedFor = undefined;
      const due = this.#server.loop.deadline();
      if (due !== undefined && due <= this.#now().at) this.#deliver({ type: "deadline-reached" });
      else this.#arm();
    });
  }

  #ports(): Ports {
    const { world, crypto, seed } = this.#options;
    const entropy = stream(seed, `node/${this.name}/entropy`);
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
          world.after(keyDerivationMs, () => this.#deliver({ type: "key-derived", request, key }));
        },
      },
      entropy: { bytes: (count) => entropy.bytes(count) },
      http: { respond: () => undefined },
      log: { write: (level, event, fields) => this.#log(level, event, fields) },
    };
  }

  #database(): Database {
    const port = this.#options.database.port((input) => this.#deliver(input));
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

  #record: Recording = (kind, data) => this.#options.trace.record(this.name, kind, data);
}

type Recording = <K extends TraceKind>(kind: K, data: TraceKinds[K]) => void;

function traceInput(trace: Trace, node: string, input: WorldInput, login: string): void {
  switch (input.type) {
    case "connection-opened":
      return trace.record(node, input.type, { connection: input.connection, login });
    case "bytes-received":
      return trace.record(node, input.type, { connection: input.connection, bytes: input.bytes });
    case "tls-established":
    case "connection-congested":
    case "connection-drained":
      return trace.record(node, input.type, { connection: input.connection });
    case "connection-closed":
      return trace.record(node, input.type, {
        connection: input.connection,
        login,
        reason: input.reason,
      });
    case "dial-failed":
      return trace.record(node, input.type, { dial: input.dial, reason: input.reason });
    case "query-answered":
      return trace.record(node, input.type, {
        request: input.request,
        rows: input.results.reduce((sum, rows) => sum + rows.length, 0),
      });
    case "query-failed":
      return trace.record(node, input.type, { request: input.request, failure: input.failure });
    case "key-derived":
      return trace.record(node, input.type, { request: input.request });
    case "deadline-reached":
      return trace.record(node, input.type, {});
    case "http-requested":
    case "shutdown-requested":
      return;
  }
}

/** For stories: what a node received, in one readable line. */
export function shortened(bytes: Uint8Array): string {
  return textFromBytes(bytes).slice(0, 100);
}
