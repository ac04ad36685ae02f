/**
 * Node: a machine of the cluster, and the processes that run on it one after the other.
 *
 * Holds what outlives a process: the name, two clocks, power. Every order may come at any time; one that
 * makes no sense (to kill what does not run) does nothing.
 *
 *     down -- start --> running -- pause --> paused -- resume --> running
 *     running, paused -- kill, power off --> down       running -- stop --> stopping --> down
 */
import type { SessionState } from "../src/router/session.ts";
import type { Config } from "../src/server/config.ts";
import { Clock } from "./kit/clock.ts";
import type { Random } from "./kit/random.ts";
import { NodeProcess, type NodeWorld } from "./node-process.ts";
import type { NodePlan } from "./plan.ts";
import type { Release } from "./releases/releases.ts";
import type { HttpAnswered, HttpAsked } from "./ports/http.ts";
import type { ClusterWatch } from "./watch-cluster.ts";

export type { Compose, NodeCrypto } from "./node-process.ts";

export interface SimulatedNodeOptions extends NodeWorld {
  readonly plan: NodePlan;
  readonly config: Config;
}

/** How long a supervisor takes to start the successor of a process that has stopped. */
const supervisorMs = 200;

export class SimulatedNode {
  readonly name: string;
  readonly #options: SimulatedNodeOptions;
  readonly #random: Random;
  readonly #clock: Clock;
  #process: NodeProcess | undefined;
  #generation = 0;
  #powered = true;
  /** What a turn of its processes takes. */
  #turnMs = 0;
  /** A graceful stop is under way. */
  #stopping = false;
  #startWhenStopped = false;
  /** Of its next process. */
  #release: Release;

  constructor(options: SimulatedNodeOptions) {
    this.#options = options;
    this.name = options.plan.name;
    this.#random = options.draws(`node/${this.name}/fate`);
    this.#clock = new Clock(options.world, options.plan);
    const { drift = 0, release = 1 } = options.plan;
    this.#release = release;
    if (drift !== 0) options.trace.record(this.name, "clock-drifts", { ppm: drift });
    options.network.addHost(this.name, options.config.cluster?.advertised_address);
  }

  get running(): boolean {
    return this.#process?.running === true;
  }

  /** Has it ever run? */
  get started(): boolean {
    return this.#generation > 0;
  }

  get paused(): boolean {
    return this.#process?.paused === true;
  }

  sessions(): readonly SessionState[] {
    return this.#process?.sessions() ?? [];
  }

  metric(name: string): number {
    return this.#process?.metric(name) ?? 0;
  }

  get watch(): ClusterWatch | undefined {
    return this.#process?.watch;
  }

  /** An HTTP request from the node's own machine. */
  ask(asked: HttpAsked, answered: HttpAnswered): void {
    this.#process?.ask(asked, answered);
  }

  start(): void {
    if (this.running || this.#options.world.stopped) return;
    if (!this.#powered) this.#options.network.powerOn(this.name);
    this.#powered = true;
    this.#generation += 1;
    this.#process = new NodeProcess({
      ...this.#options,
      generation: this.#generation,
      release: this.#release,
      clock: this.#clock,
      turnMs: this.#turnMs,
      onStopped: () => this.#stopped(),
    });
  }

  /** The process dies at once; its kernel lives and closes what it had open. */
  kill(): void {
    if (!this.running) return;
    this.#ended(false);
    // What a process had not read when it died makes its kernel reset instead of close.
    if (this.#random.chance(0.5)) this.#options.network.detach(this.name);
    else this.#options.network.leave(this.name);
  }

  /** The machine dies: nothing is closed, nobody is answered. */
  powerOff(): void {
    if (!this.running) return;
    this.#powered = false;
    this.#ended(true);
    this.#options.network.powerOff(this.name);
  }

  /** SIGTERM. With `again` a supervisor starts the next process when this one has stopped. */
  stop(again: boolean): void {
    if (!this.running) return;
    this.#startWhenStopped = again;
    if (this.#stopping) return;
    this.#stopping = true;
    this.#process?.deliver({ type: "shutdown-requested" });
  }

  /** Another release is put in place: whoever starts next is of it. */
  install(release: Release): void {
    this.#release = release;
  }

  pause(): void {
    this.#process?.pause();
  }

  resume(): void {
    this.#process?.resume(this.#random.chance(0.5));
  }

  /** Its core has little time for it: each turn takes so long. 0: it has all. */
  slowDown(turnMs: number): void {
    this.#turnMs = turnMs;
    this.#process?.setTurn(turnMs);
  }

  /** Whatever is wrong with it: it runs, now or as soon as it has stopped. */
  revive(): void {
    this.resume();
    if (this.#stopping && this.running) this.#startWhenStopped = true;
    else this.start();
  }

  /** The wall clock is set by this much; the monotonic clock does not notice. */
  jumpClock(by: number): void {
    this.#clock.jump(by);
    this.#options.trace.record(this.name, "clock-jumped", { by });
  }

  #ended(silent: boolean): void {
    this.#options.trace.record(this.name, "node-killed", { silent });
    this.#process?.end();
    this.#stopping = false;
    this.#startWhenStopped = false;
  }

  #stopped(): void {
    this.#stopping = false;
    if (!this.#startWhenStopped) return;
    this.#startWhenStopped = false;
    this.#options.world.after(supervisorMs, () => this.start());
  }
}
