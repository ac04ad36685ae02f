/**
 * Loop: the only door between the world and the core.
 *
 * Whatever the world has to say becomes one `deliver(now, input)`; the core answers with effects, and
 * the loop hands each to its port, in order. Since everything that the core learns passes here (drawn
 * entropy too: see `recorder.ts`), writing down what passes is enough to replay a node.
 *
 * What it does not do: wait, batch or read a clock. The runtime (or the simulated world) calls it.
 */
import type { Instant, Now } from "../base/time.ts";
import type { RequestId } from "../ports/database.ts";
import type { Core, Ports, WorldEffect, WorldInput } from "./effects.ts";
import type { Recorder } from "./recorder.ts";

export interface LoopOptions {
  readonly core: Core;
  readonly ports: Ports;
  readonly recorder?: Recorder | undefined;
  /** Called once when the core has stopped. */
  readonly onStopped: () => void;
}

export class Loop {
  readonly #core: Core;
  readonly #ports: Ports;
  readonly #recorder: Recorder | undefined;
  readonly #onStopped: () => void;
  /** Inputs that ports raised while a step's effects were being handed out. */
  readonly #waiting: { now: Now; input: WorldInput }[] = [];
  #busy = false;

  constructor(options: LoopOptions) {
    this.#core = options.core;
    this.#ports = options.ports;
    this.#recorder = options.recorder;
    this.#onStopped = options.onStopped;
  }

  deadline(): Instant | undefined {
    return this.#core.deadline();
  }

  /** One input, one synchronous step. Called from within a port's method it waits its turn. */
  deliver(now: Now, input: WorldInput): void {
    if (this.#busy) {
      this.#waiting.push({ now, input });
      return;
    }
    this.#busy = true;
    try {
      this.#step(now, input);
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#step(next.now, next.input);
      }
    } finally {
      this.#busy = false;
    }
  }

  #step(now: Now, input: WorldInput): void {
    this.#recorder?.input(now, input);
    const effects = this.#core.step(now, input);
    this.#recorder?.effects(effects);
    for (const effect of effects) this.#perform(now, effect);
  }

  #perform(now: Now, effect: WorldEffect): void {
    const { network, database, crypto, http, resolver } = this.#ports;
    switch (effect.type) {
      case "write":
        return network.write(effect.connection, effect.data);
      case "ping":
        return network.ping(effect.connection);
      case "start-tls":
        return network.startTls(effect.connection, effect.host);
      case "dial":
        return network.dial(effect.dial, effect.address);
      case "pause-reading":
        return network.pauseReading(effect.connection);
      case "resume-reading":
        return network.resumeReading(effect.connection);
      case "close":
        return network.close(effect.connection);
      case "query":
        return database.query(effect.request, effect.queries);
      case "derive-key":
        return crypto.deriveKey(effect.request, effect.derivation);
      case "resolve":
      case "read-file":
        if (resolver === undefined) return this.#noResolver(now, effect.request);
        if (effect.type === "resolve") return resolver.resolve(effect.request, effect.host);
        return resolver.readFile(effect.request, effect.path);
      case "respond":
        return http.respond(effect.request, effect.status, effect.headers, effect.body);
      case "stopped":
        return this.#onStopped();
    }
  }

  #noResolver(now: Now, request: RequestId): void {
    const detail = "this node can neither resolve names nor read files";
    this.#waiting.push({ now, input: { type: "lookup-failed", request, detail } });
  }
}
