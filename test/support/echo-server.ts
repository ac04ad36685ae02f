/** Echo server: the echo core on the real loop, clocks and sockets, for tests with real clients. */
import type { NetworkInput } from "../../src/ports/network.ts";
import type { Log, LogFields, LogLevel } from "../../src/ports/log.ts";
import type { HttpInput } from "../../src/ports/http.ts";
import { SocketNetwork, type SocketNetworkOptions } from "../../src/runtime/network.ts";
import { RealTime } from "../../src/runtime/timers.ts";
import { listenerDefaults, type C2sListener, type Listener } from "../../src/server/config.ts";
import type { Ports } from "../../src/server/effects.ts";
import { Loop } from "../../src/server/loop.ts";
import { EchoCore } from "./echo-core.ts";

export class EchoServer {
  readonly core = new EchoCore();
  readonly network: SocketNetwork;
  readonly logged: { level: LogLevel; event: string; fields: LogFields }[] = [];
  readonly #time: RealTime;
  readonly #watchers = new Set<() => void>();
  port = 0;

  constructor(options: Partial<SocketNetworkOptions> = {}) {
    const log: Log = {
      write: (level, event, fields = {}) => {
        this.logged.push({ level, event, fields });
        for (const look of this.#watchers) look();
      },
    };
    this.network = new SocketNetwork({
      deliver: (input) => this.#deliver(input),
      log,
      ...options,
    });
    const loop = new Loop({
      core: this.core,
      ports: { network: this.network, log, ...noOtherPorts },
      onStopped: () => undefined,
    });
    this.#time = new RealTime(loop);
  }

  static async listening(
    listener: Partial<C2sListener> = {},
    options: Partial<SocketNetworkOptions> = {},
  ): Promise<EchoServer> {
    const server = new EchoServer(options);
    await server.listen(c2sListener(listener));
    return server;
  }

  async listen(listener: Listener): Promise<void> {
    this.port = (await this.network.listen(listener)).port;
  }

  async close(): Promise<void> {
    await this.network.stopListening();
    this.network.closeAll();
    this.#time.stop();
  }

  inputs<T extends NetworkInput["type"]>(type: T): Extract<NetworkInput, { type: T }>[] {
    return this.core.inputs.filter((input) => input.type === type) as Extract<
      NetworkInput,
      { type: T }
    >[];
  }

  /** The first input of this kind, now or when it comes. */
  async input<T extends NetworkInput["type"]>(
    type: T,
  ): Promise<Extract<NetworkInput, { type: T }>> {
    await this.until(() => this.inputs(type).length > 0);
    const [first] = this.inputs(type);
    if (first === undefined) throw new Error("unreachable");
    return first;
  }

  /** Looks after every input and log line. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #deliver(input: NetworkInput | HttpInput): void {
    this.#time.deliver(input);
    for (const look of this.#watchers) look();
  }
}

export function c2sListener(changes: Partial<C2sListener> = {}): C2sListener {
  return {
    ...listenerDefaults,
    name: "c2s",
    kind: "c2s",
    ip_address: "127.0.0.1",
    port: 0,
    tls: undefined,
    ...changes,
  };
}

const noAnswer = (): never => {
  throw new Error("the echo core asks this of nobody");
};
const noOtherPorts: Omit<Ports, "network" | "log"> = {
  database: { query: noAnswer },
  crypto: { hash: noAnswer, hmac: noAnswer, equal: noAnswer, deriveKey: noAnswer },
  entropy: { bytes: noAnswer },
  http: { respond: noAnswer },
};
