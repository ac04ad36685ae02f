/**
 * Actor: who is behind the logins of one row of the plan?
 *
 * Starts logins, at most one at a time, comes back after being thrown out, and gives its behaviour
 * (workloads/) what it needs: time, its own random stream, the current login. The crypto is passed in,
 * so that nothing here depends on a platform.
 */
import type { TlsInfo } from "../../src/ports/network.ts";
import { hostOf, nameOf } from "../addresses.ts";
import { passwordOf, unbound, type ClientPlan, type Plan, type Range } from "../plan.ts";
import type { SimulatedNetwork } from "../kit/network.ts";
import { choices, stream, type Draws, type Random } from "../kit/random.ts";
import type { Trace } from "../trace.ts";
import type { World } from "../kit/world.ts";
import { lentIdentity, plainClient, type ClientSasl, type Lie } from "./authentication.ts";
import { Client, type ClientEvents, type Stage } from "./client.ts";
import { scramClient, type SynchronousCrypto } from "./sasl.ts";
import { asPrepared, OwnSpelling, type Spelling } from "./spelling.ts";

/** A login that takes longer is given up: its server may be dead. */
const patienceMs = 25_000;
const usualSignsMs = 10_000;

export interface ActorWorld {
  readonly world: World;
  readonly network: SimulatedNetwork;
  readonly trace: Trace;
  readonly crypto: SynchronousCrypto;
  readonly plan: Plan;
  readonly draws: Draws;
  /** An operator does, in the database. */
  readonly deleteAccount: (user: string) => void;
}

export interface LoginOptions {
  readonly user?: string;
  readonly resource?: string;
  readonly password?: string;
  /** Another than its row of the plan says. */
  readonly mechanism?: ClientPlan["mechanism"];
  readonly priority?: number;
  readonly register?: string;
  readonly insists?: boolean;
  readonly lie?: Lie | undefined;
  readonly takeOver?: (stage: Stage, client: Client) => boolean;
}

/** What a kind of client does with its logins; every method may be called at any time. */
export interface Workload {
  start(actor: Actor): void;
}

export class Actor {
  readonly plan: ClientPlan;
  readonly runPlan: Plan;
  #random: Random;
  /** What it makes of others' doings: how often it is asked moves nothing that it does of its own accord. */
  readonly #reactions: Random;
  readonly #setting: ActorWorld;
  readonly #spelling: Spelling;
  #client: Client | undefined;
  #logins = 0;
  /** Logins that came to nothing: each moves it to its next node. */
  #inVain = 0;
  #reads = true;
  #resting = false;
  #onOnline: (client: Client) => void = () => undefined;
  #onEnded: (reason: string) => void = () => undefined;

  constructor(plan: ClientPlan, setting: ActorWorld) {
    this.plan = plan;
    this.#setting = setting;
    this.runPlan = setting.plan;
    this.#random = this.stream(`workload/${plan.name}`);
    this.#reactions = this.#isSteady ? setting.draws(`reactions/${plan.name}`) : this.#random;
    const spellings = setting.draws(`spelling/${plan.name}`);
    this.#spelling = plan.respells === true ? new OwnSpelling(spellings) : asPrepared;
  }

  now(): number {
    return this.#setting.world.now();
  }

  /** Of the login under way: what became of those before moves nothing of it. */
  get random(): Random {
    return this.#random;
  }

  /** Draws in turn, for one purpose. */
  stream(path: string): Random {
    const { seed } = this.runPlan;
    return this.#isSteady ? choices(seed, path) : stream(seed, path);
  }

  get #isSteady(): boolean {
    return this.runPlan.steady === true;
  }

  /** The login under way or online. */
  client(): Client | undefined {
    return this.#client;
  }

  online(): Client | undefined {
    if (this.#resting) return undefined;
    return this.#client?.state === "online" ? this.#client : undefined;
  }

  /** From now on it says nothing of its own accord, so that all can come to an end. */
  rest(): void {
    this.#resting = true;
  }

  whenOnline(act: (client: Client) => void): void {
    this.#onOnline = act;
  }

  whenEnded(act: (reason: string) => void): void {
    this.#onEnded = act;
  }

  after(delay: number, act: () => void): void {
    this.#setting.world.after(delay, act);
  }

  /** A moment within this range from now. */
  within([low, high]: Range, act: () => void): void {
    this.after(this.random.between(low, high), act);
  }

  /** Logs in; a login of this actor that is still there is given up. */
  logIn(options: LoginOptions = {}): Client {
    this.#client?.abort();
    if (this.#isSteady) {
      this.#random = this.stream(`workload/${this.plan.name}#${this.#logins + 1}`);
    }
    let online = false;
    const client = this.#begin(this.#node(), options, {
      online: () => {
        online = true;
        this.#keepAlive(client);
        this.#onOnline(client);
      },
      ended: (reason) => {
        if (!online) this.#inVain += 1;
        if (this.#client === client) this.#client = undefined;
        this.#onEnded(reason);
      },
    });
    this.#client = client;
    this.after(patienceMs, () => {
      if (!online && this.#client === client) client.abort();
    });
    if (!this.#reads) client.setReading(false);
    return client;
  }

  /** A login beside that one, at this node: no fault but of the network concerns it, and it does not come back. */
  logInBeside(node: string, options: LoginOptions, online: () => void): Client {
    const client = this.#begin(node, options, {
      online: () => {
        this.#keepAlive(client);
        online();
      },
      ended: () => undefined,
    });
    this.after(patienceMs, () => {
      if (client.jid === "") client.abort();
    });
    return client;
  }

  #begin(node: string, options: LoginOptions, events: ClientEvents): Client {
    this.#logins += 1;
    const { name } = this.plan;
    const { network, trace } = this.#setting;
    const user = options.user ?? this.plan.user;
    const password = options.password ?? passwordOf(user);
    return new Client({
      login: `${name}#${this.#logins}`,
      node,
      host: hostOf(user),
      user,
      home: this.plan.behaviour.kind === "impostor" ? name : undefined,
      resource: options.resource ?? this.plan.resource,
      priority: options.priority ?? 0,
      network,
      trace,
      password: password === passwordOf(user) ? undefined : password,
      sasl: (tls) => this.#sasl(user, password, tls, options),
      register: options.register,
      insists: options.insists === true,
      pipelines: this.plan.pipelines === true,
      door: this.plan.door,
      stamp: this.plan.stamp,
      spelling: this.#spelling,
      takeOver: options.takeOver,
      declines: () => this.#declines(),
      answer: (act) => this.#whenItHasThought(act),
      events,
    });
  }

  /** An operator deletes this account in the database. */
  loseAccount(user: string): void {
    this.#setting.trace.record("database", "account-deleted", { user });
    this.#setting.deleteAccount(user);
  }

  /** A fault: the process hangs, or goes on. */
  setReading(reading: boolean): void {
    this.#reads = reading;
    this.#client?.setReading(reading);
  }

  /** A fault: the host dies. */
  vanish(): void {
    this.#client?.vanish();
  }

  #whenItHasThought(act: () => void): void {
    const { behaviour } = this.plan;
    const delay = "answersMs" in behaviour ? behaviour.answersMs : undefined;
    if (delay === undefined) act();
    else this.after(this.#reactions.between(...delay), act);
  }

  #declines(): boolean {
    const { behaviour } = this.plan;
    const share = "declines" in behaviour ? behaviour.declines : undefined;
    return share !== undefined && this.#reactions.chance(share);
  }

  #keepAlive(client: Client): void {
    this.after(this.runPlan.clientSignsMs ?? usualSignsMs, () => {
      if (client.state === "leaving") return this.#giveUp(client);
      if (client.state !== "online") return;
      client.keepAlive();
      this.#keepAlive(client);
    });
  }

  /** Who leaves waits for the server's last word, which never comes from a machine without power. */
  #giveUp(client: Client): void {
    this.after(patienceMs, () => {
      if (client.state !== "ended") client.abort();
    });
  }

  #node(): string {
    const { nodes, roams } = this.plan;
    if (roams) return this.random.pick(nodes);
    return nodes[this.#inVain % nodes.length] ?? "";
  }

  #sasl(
    user: string,
    password: string,
    tls: TlsInfo | undefined,
    { lie, mechanism: wanted = this.plan.mechanism }: LoginOptions,
  ): ClientSasl {
    const mechanism = tls === undefined ? unbound(wanted) : wanted;
    const name = this.#spelling.user(nameOf(user));
    if (mechanism === "PLAIN") return plainClient(name, password, lie && lentIdentity);
    return scramClient({
      mechanism,
      user: name,
      password,
      tls,
      // Who could bind a channel, and is offered nothing to bind it by, says so (RFC 5802 §6).
      flag: lie === "downgrade" || (wanted.endsWith("-PLUS") && mechanism !== wanted) ? "y" : "n",
      lie,
      random: this.#reactions,
      crypto: this.#setting.crypto,
    });
  }
}
