/**
 * Run: what becomes of a plan?
 *
 *     set-up (no faults) -> safety (faults on) -> heal -> liveness (all must recover) -> quiet -> judge
 *
 * Without a liveness phase it is cut after the safety phase: what is false is false by then, but nothing is missed.
 *
 * The outcome is the trace's hash, what the oracles say and how much each had to judge. The same plan
 * and the same code give the same hash.
 */
import type { Instant, Timestamp } from "../src/base/time.ts";
import { server } from "../src/server/server.ts";
import { accountsIn, deleteAccount, makeAccounts } from "./accounts.ts";
import { registryIn } from "./registry.ts";
import { Actor } from "./clients/actor.ts";
import { configOf } from "./config.ts";
import { endFault, faults, goneForGood } from "./faults/index.ts";
import type { FaultWorld } from "./faults/fault.ts";
import { checkHealth } from "./health-checks.ts";
import { SimulatedNode, type Compose, type NodeCrypto } from "./node.ts";
import { NodeLists } from "./node-lists.ts";
import { makeOracles } from "./oracles/index.ts";
import type { Verdict } from "./oracles/oracle.ts";
import { accountsOf, servedHosts, type Plan } from "./plan.ts";
import { DatabaseFaults, type DatabaseEngine } from "./ports/database-faults.ts";
import type { SimulatedLookups } from "./ports/resolver.ts";
import { noNoise } from "./kit/fabric.ts";
import { SimulatedNetwork } from "./kit/network.ts";
import { probeKinds, probeOf, type Probe } from "./probes.ts";
import { byMoment, inTurn, stream, type Draws } from "./kit/random.ts";
import { Trace, traceVersion, type TraceSink } from "./trace.ts";
import { startWorkload } from "./workloads/index.ts";
import { scheduleTroubles } from "./kit/troubles.ts";
import { TimeStandsStill, World } from "./kit/world.ts";

export interface RunOptions {
  readonly crypto: NodeCrypto;
  /** A fresh database with the schema in it; its clock is `now`. */
  readonly database: (now: () => Timestamp) => DatabaseEngine;
  /** `server()` unless something smaller is being tried. */
  readonly compose?: Compose;
  readonly sinks?: readonly TraceSink[];
  /** Off only where speed alone is measured. */
  readonly judge?: boolean;
  /** The run ends here; what might have followed is not missed. */
  readonly until?: Instant;
}

export interface Failure {
  readonly oracle: string;
  readonly what: string;
}

export interface Outcome {
  readonly hash: string;
  readonly failures: readonly Failure[];
  readonly verdicts: Readonly<Record<string, Verdict & { readonly counts: string }>>;
  readonly probes: ReadonlyMap<Probe, number>;
  readonly stats: {
    readonly events: number;
    readonly traced: number;
    readonly simulatedMs: number;
  };
}

/** After the liveness phase nobody speaks any more, so that what is under way arrives. */
const quietMs = 15_000;
/** With less, what waits for who reads a piece a trip would still be under way at the end. */
const wideWindowBytes = 65_536;
/** How often nodes are looked at, and asked for their health. */
const lookEveryMs = 1_000;
/** In a long safety phase, of which it would be a tenth otherwise: what goes wrong in one stays wrong for longer. */
const [longMs, lookInLongEveryMs] = [300_000, 5_000];

export function run(plan: Plan, options: RunOptions): Outcome {
  const world = new World();
  const oracles = options.judge === false ? [] : makeOracles(plan);
  const probes = new Map<Probe, number>();
  const { seed, steady } = plan;
  const draws = steady === true ? byMoment(seed, () => world.now()) : inTurn(seed);
  const lists = new NodeLists(plan, world, draws, (node, trouble) => {
    trace.record(node, "lookup-troubled", { trouble });
  });
  const trace: Trace = new Trace(
    () => world.now(),
    [
      (event) => lists.see(event),
      ...oracles,
      {
        sees: probeKinds,
        see: (event) => {
          const probe = probeOf(event);
          if (probe !== undefined) probes.set(probe, (probes.get(probe) ?? 0) + 1);
        },
      },
      ...(options.sinks ?? []),
    ],
  );
  trace.record("world", "run-started", { version: traceVersion, seed });
  const stage = new Stage({ plan, world, draws, trace, lookups: lists.lookups }, options);
  const failures: Failure[] = [];
  if (options.until !== undefined) {
    world.schedule(options.until, () => {
      stage.cut = true;
      world.stop();
    });
  }
  try {
    stage.play();
  } catch (error) {
    if (!(error instanceof TimeStandsStill)) throw error;
    trace.record(trace.lastPlace(), "time-stood-still", { what: error.message });
    stage.crashed = true;
  }
  trace.showAll();
  const verdicts: Record<string, Verdict & { counts: string }> = {};
  for (const oracle of oracles) {
    const verdict = oracle.judge(stage.cut);
    verdicts[oracle.name] = { ...verdict, counts: oracle.counts };
    // A node that has thrown may have left half of its step undone: that is all there is to say.
    if (stage.crashed && oracle.name !== "uncaught") continue;
    for (const what of verdict.failures) failures.push({ oracle: oracle.name, what });
  }
  stage.end();
  return {
    hash: trace.hash(),
    failures,
    verdicts,
    probes,
    stats: { events: world.processed(), traced: trace.count(), simulatedMs: world.now() },
  };
}

interface Setting {
  readonly plan: Plan;
  readonly world: World;
  readonly draws: Draws;
  readonly trace: Trace;
  readonly lookups: SimulatedLookups;
}

/**
 * What the database's clock says. pg-mem remembers, for the whole process, what it built of the last statements,
 * and with them this; through it each of the last runs was kept, a hundred megabytes with a thousand clients.
 */
class DatabaseClock {
  #ask: (() => Timestamp) | undefined;
  readonly read = (): Timestamp => this.#ask?.() ?? 0;

  set(ask: (() => Timestamp) | undefined): void {
    this.#ask = ask;
  }
}

/** All that takes part in one run. */
class Stage {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #trace: Trace;
  readonly #network: SimulatedNetwork;
  readonly #database: DatabaseFaults;
  readonly #lookups: SimulatedLookups;
  readonly #engine: DatabaseEngine;
  readonly #clock = new DatabaseClock();
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #actors = new Map<string, Actor>();
  /** By node: the fewest requests that it had open at any look while all were quiet. */
  readonly #openRequests = new Map<string, number>();
  readonly #reach: FaultWorld;
  /** A node has thrown. */
  crashed = false;
  /** The run has ended before its time. */
  cut = false;

  constructor({ plan, world, draws, trace, lookups }: Setting, options: RunOptions) {
    this.#plan = plan;
    this.#world = world;
    this.#trace = trace;
    this.#lookups = lookups;
    const { seed, topology } = plan;
    this.#network = new SimulatedNetwork({ world, draws, pipe: topology.network });
    this.#clock.set(() => this.#wall());
    this.#engine = options.database(this.#clock.read);
    makeAccounts(this.#engine, options.crypto, accountsOf(plan));
    this.#database = new DatabaseFaults({
      world,
      engine: this.#engine,
      random: draws("database"),
      latencyMs: topology.database.latencyMs,
      queryTimeoutMs: plan.limits.queryTimeout,
      fabric: this.#network.fabric,
    });
    this.#reach = {
      network: this.#network,
      database: this.#database,
      lookups,
      node: (name) => this.#nodes.get(name),
      nodes: () => this.#present(),
      after: (milliseconds, act) => world.after(milliseconds, act),
      isOn: ({ startAt, endAt }) => startAt <= world.now() && world.now() < endAt,
      setReading: (client, reading) => this.#actors.get(client)?.setReading(reading),
      vanish: (client) => this.#actors.get(client)?.vanish(),
    };
    for (const node of topology.nodes) {
      const simulated = new SimulatedNode({
        plan: node,
        draws,
        falseSaltSecret: stream(seed, "false-salt").bytes(32),
        config: configOf(plan, node),
        world,
        network: this.#network,
        database: this.#database,
        lookups,
        crypto: options.crypto,
        trace,
        compose: options.compose ?? server,
        onCrashed: () => {
          this.crashed = true;
          world.stop();
        },
      });
      this.#nodes.set(node.name, simulated);
    }
    for (const client of plan.clients) {
      const actor = new Actor(client, {
        ...{ world, network: this.#network, trace, crypto: options.crypto, plan, draws },
        deleteAccount: (user) => deleteAccount(this.#engine, user),
      });
      this.#actors.set(client.name, actor);
    }
  }

  /** Nothing of it is asked for any more. */
  end(): void {
    this.#clock.set(undefined);
  }

  play(): void {
    const { setUp, safety, liveness } = this.#plan.duration;
    const { noise } = this.#plan.topology.network;
    const { looksEveryMs } = this.#plan;
    const heal = setUp + safety;
    for (const { name, joins } of this.#plan.topology.nodes) {
      if (!joins) this.#nodes.get(name)?.start();
    }
    for (const actor of this.#actors.values()) startWorkload(actor);
    this.#scheduleFaults();
    const untilHeal = looksEveryMs ?? (safety < longMs ? lookEveryMs : lookInLongEveryMs);
    const afterHeal = looksEveryMs ?? lookEveryMs;
    this.#lookFrom(setUp, heal, untilHeal);
    this.#lookFrom(heal, heal + liveness + quietMs, afterHeal);
    this.#checkHealthFrom(0, heal, untilHeal);
    this.#checkHealthFrom(heal, heal + liveness + quietMs, afterHeal);
    this.#phase("set-up", setUp);
    if (noise !== undefined) this.#network.fabric.setNoise(noise);
    this.#phase("safety", heal);
    if (liveness === 0) {
      this.cut = true;
      return this.#observeAccounts();
    }
    this.#heal();
    this.#phase("liveness", heal + liveness);
    for (const actor of this.#actors.values()) actor.rest();
    // What is judged at the very end is judged in peace, as in every plan, and nothing is under way then.
    this.#network.fabric.setNoise(noNoise);
    this.#network.fabric.setWindowMin(wideWindowBytes);
    for (let at = heal + liveness; at < heal + liveness + quietMs; at += lookEveryMs) {
      this.#world.schedule(at, () => this.#observeRequests());
    }
    this.#phase("quiet", heal + liveness + quietMs);
    if (!this.#world.stopped) this.#observe();
  }

  #lookFrom(start: number, end: number, everyMs: number): void {
    for (let at = start; at < end; at += everyMs) {
      this.#world.schedule(at, () => this.#observeClusters(at / everyMs));
    }
  }

  #checkHealthFrom(start: number, end: number, everyMs: number): void {
    for (let at = start; at < end; at += everyMs) {
      this.#world.schedule(at, () => {
        for (const node of this.#nodes.values()) checkHealth(node, this.#trace);
      });
    }
  }

  #phase(phase: string, until: number): void {
    if (this.#world.stopped) return;
    this.#trace.record("world", "phase-started", { phase });
    this.#world.runUntil(until);
  }

  #scheduleFaults(): void {
    scheduleTroubles(this.#world, this.#plan.faults, {
      start: (plan) => {
        this.#trace.record("world", "fault-started", { fault: plan.kind, target: plan.target });
        faults[plan.kind].start(this.#reach, plan);
      },
      end: (plan, other) => {
        this.#trace.record("world", "fault-ended", { fault: plan.kind, target: plan.target });
        endFault(this.#reach, plan, other);
      },
    });
  }

  /** Whatever a fault left behind (a plan may be cut by hand), and hosts that died in silence; noise stays. */
  #heal(): void {
    if (this.#world.stopped) return;
    this.#database.heal();
    this.#lookups.heal();
    this.#network.heal();
    for (const node of this.#nodes.values()) {
      node.slowDown(0);
      node.resume();
    }
    for (const node of this.#present()) node.revive();
    for (const actor of this.#actors.values()) actor.setReading(true);
  }

  /** Nodes that belong to the run now: not those that will join, nor those that have left. */
  #present(): readonly SimulatedNode[] {
    const healed = this.#world.now() >= this.#plan.duration.setUp + this.#plan.duration.safety;
    const left = goneForGood(this.#plan.faults);
    return [...this.#nodes.values()].filter((node) => {
      if (healed) return !left.has(node.name);
      return node.started;
    });
  }

  /** All of them, and closely one after the other: records are many; without a turn, all closely. */
  #observeClusters(turn?: number): void {
    const nodes = [...this.#nodes.values()];
    nodes.forEach((node, index) => {
      const closely = turn === undefined || Math.floor(turn) % nodes.length === index;
      if (node.running && !node.paused) node.watch?.observe(closely);
    });
  }

  /** Looks at what the server, the database and the clients have become. */
  #observe(): void {
    this.#observeClusters();
    for (const node of this.#nodes.values()) {
      if (!node.running) continue;
      const jids = node.sessions().map((session) => session.jid);
      this.#trace.record(node.name, "sessions-observed", { jids });
      const sessions = node.metric("meerkat_sessions");
      const answersLost = node.metric("meerkat_answers_lost_total");
      const openRequests = this.#openRequests.get(node.name) ?? 0;
      this.#trace.record(node.name, "metrics-observed", { sessions, answersLost, openRequests });
    }
    for (const [name, actor] of this.#actors) {
      const client = actor.client();
      const online = client?.state === "online";
      const jid = online ? client.jid : "";
      this.#trace.record("world", "online-observed", { client: name, online, jid });
    }
    this.#observeAccounts();
    this.#trace.record("database", "registry-observed", { peers: registryIn(this.#engine) });
  }

  /** Now and then a node asks something of its own accord, so that one look alone may find that. */
  #observeRequests(): void {
    for (const node of this.#nodes.values()) {
      if (!node.running) continue;
      const open = node.metric("meerkat_requests_open");
      const least = this.#openRequests.get(node.name) ?? open;
      this.#openRequests.set(node.name, Math.min(least, open));
    }
  }

  /** What was promised of them was true when it was: this may be asked at any time. */
  #observeAccounts(): void {
    this.#trace.record("database", "accounts-observed", {
      users: accountsIn(this.#engine, servedHosts(this.#plan)),
    });
  }

  #wall(): number {
    const [node] = this.#plan.topology.nodes;
    return (node?.wallOrigin ?? 0) + this.#world.now();
  }
}
