/**
 * Stage: the simulated world of a history by hand: nodes, clients, a network and a database.
 *
 * What `run` makes of a plan, under orders instead: nothing happens here but by a call. Every trip of the
 * network takes two milliseconds and no write is cut, so that a history reads the same when something
 * elsewhere draws once more.
 */
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import { server, type Server } from "../../src/server/server.ts";
import { accountsIn, makeAccounts } from "../accounts.ts";
import { Client } from "../clients/client.ts";
import { scramClient } from "../clients/sasl.ts";
import { configOf } from "../config.ts";
import type { FaultWorld } from "../faults/fault.ts";
import { endFault, faults } from "../faults/index.ts";
import { NodeLists } from "../node-lists.ts";
import { SimulatedNode, type Compose } from "../node.ts";
import { planHost } from "../addresses.ts";
import {
  accountsOf,
  passwordOf,
  planVersion,
  type ClientPlan,
  type FaultPlan,
  type NodePlan,
  type Plan,
} from "../plan.ts";
import { DatabaseFaults, type DatabaseEngine } from "../ports/database-faults.ts";
import type { SimulatedLookups } from "../ports/resolver.ts";
import { congestionMarkBytes, SimulatedNetwork } from "../kit/network.ts";
import { inTurn, stream, type Draws, type Random } from "../kit/random.ts";
import type { RunOptions } from "../run.ts";
import { Trace, type TraceSink } from "../trace.ts";
import { World } from "../kit/world.ts";
import type { LoginOrder, Options } from "./command.ts";

export type StagePorts = Pick<RunOptions, "crypto" | "database">;

/** What runs on a node: its newest process. */
export interface Running {
  readonly server: Server;
  cluster?: Cluster;
  self?: Peer;
}

const keepAliveMs = 10_000;
const observeEveryMs = 1_000;
const wallOrigin = 1_767_225_600_000;

export class Stage {
  readonly world = new World();
  readonly trace: Trace;
  readonly network: SimulatedNetwork;
  readonly database: DatabaseFaults;
  readonly nodes = new Map<string, SimulatedNode>();
  readonly running = new Map<string, Running>();
  readonly clients = new Map<string, Client>();
  readonly #plan: Plan;
  readonly #ports: StagePorts;
  readonly #engine: DatabaseEngine;
  readonly #lookups: SimulatedLookups;
  readonly #draws: Draws;
  readonly #logins = new Map<string, number>();
  /** Faults under way. */
  readonly #begun = new Set<FaultPlan>();

  constructor(plan: Plan, ports: StagePorts, sinks: readonly TraceSink[]) {
    this.#plan = plan;
    this.#ports = ports;
    const { seed, topology, limits } = plan;
    const { world } = this;
    this.#draws = inTurn(seed);
    const lists = new NodeLists(plan, world, this.#draws, () => undefined);
    this.trace = new Trace(() => world.now(), [(event) => lists.see(event), ...sinks]);
    this.#lookups = lists.lookups;
    this.network = new SimulatedNetwork({ world, draws: this.#draws, pipe: topology.network });
    this.#engine = ports.database(() => wallOrigin + world.now());
    makeAccounts(this.#engine, ports.crypto, accountsOf(plan));
    this.database = new DatabaseFaults({
      world,
      engine: this.#engine,
      random: this.#draws("database"),
      latencyMs: topology.database.latencyMs,
      queryTimeoutMs: limits.queryTimeout,
      fabric: this.network.fabric,
    });
    for (const node of topology.nodes) this.nodes.set(node.name, this.#node(node));
    this.#observeAgain();
  }

  client(name: string): Client | undefined {
    return this.clients.get(name);
  }

  logIn({ name, user, resource, node, priority }: LoginOrder): Client {
    this.clients.get(name)?.abort();
    const count = (this.#logins.get(name) ?? 0) + 1;
    this.#logins.set(name, count);
    const login = `${name}#${count}`;
    const random = stream(this.#plan.seed, `client/${login}`);
    const client = new Client({
      login,
      node,
      host: planHost,
      user,
      resource,
      priority,
      network: this.network,
      trace: this.trace,
      sasl: (tls) => this.#sasl(user, random, tls),
      events: { online: () => this.#keepAlive(client), ended: () => undefined },
    });
    this.clients.set(name, client);
    return client;
  }

  /** Of any kind that plans have. */
  begin(row: FaultPlan): void {
    this.trace.record("world", "fault-started", { fault: row.kind, target: row.target });
    this.#begun.add(row);
    faults[row.kind].start(this.#reach(), row);
  }

  end(row: FaultPlan): void {
    this.trace.record("world", "fault-ended", { fault: row.kind, target: row.target });
    this.#begun.delete(row);
    const others = [...this.#begun].filter(
      ({ kind, target }) => kind === row.kind && target === row.target,
    );
    endFault(this.#reach(), row, others.at(-1));
  }

  #reach(): FaultWorld {
    const { network, database, nodes, clients, world } = this;
    return {
      ...{ network, database },
      lookups: this.#lookups,
      node: (name) => nodes.get(name),
      nodes: () => [...nodes.values()].filter(({ started }) => started),
      after: (milliseconds, act) => world.after(milliseconds, act),
      isOn: (fault) => this.#begun.has(fault),
      setReading: (client, reading) => clients.get(client)?.setReading(reading),
      vanish: (client) => clients.get(client)?.vanish(),
    };
  }

  jumpClock(node: string, by: number): void {
    this.nodes.get(node)?.jumpClock(by);
  }

  /** GET of a path, as an operator's tools do. */
  request(name: string, path: string): string {
    let body = "";
    const asked = { listener: "http", method: "GET", target: path, host: planHost };
    this.nodes.get(name)?.ask(asked, (answer) => {
      body = answer.body;
    });
    return body;
  }

  /** Looks at what has become of everything, for the oracles. */
  observe(): void {
    for (const node of this.nodes.values()) {
      if (!node.running) continue;
      node.watch?.observe(true);
      const jids = node.sessions().map(({ jid }) => jid);
      this.trace.record(node.name, "sessions-observed", { jids });
    }
    for (const [name, client] of this.clients) {
      const online = client.state === "online";
      const jid = online ? client.jid : "";
      this.trace.record("world", "online-observed", { client: name, online, jid });
    }
    this.trace.record("database", "accounts-observed", {
      users: accountsIn(this.#engine, [planHost]),
    });
  }

  #node(plan: NodePlan): SimulatedNode {
    const { world, network, database, trace } = this;
    const { seed } = this.#plan;
    return new SimulatedNode({
      plan,
      draws: this.#draws,
      falseSaltSecret: stream(seed, "false-salt").bytes(32),
      config: configOf(this.#plan, plan),
      world,
      network,
      database,
      lookups: this.#lookups,
      crypto: this.#ports.crypto,
      trace,
      compose: this.#compose(plan.name),
      onCrashed: (error) => {
        throw error;
      },
    });
  }

  /** The real server, whose cluster can be looked at. */
  #compose(name: string): Compose {
    return (options) => {
      const composed = server({
        ...options,
        onCluster: (self, cluster) => {
          options.onCluster?.(self, cluster);
          running.cluster = cluster;
          running.self = self;
        },
      });
      const running: Running = { server: composed };
      this.running.set(name, running);
      return composed;
    };
  }

  #sasl(
    user: string,
    random: Random,
    tls: Parameters<typeof scramClient>[0]["tls"],
  ): ReturnType<typeof scramClient> {
    return scramClient({
      mechanism: "SCRAM-SHA-256",
      user,
      password: passwordOf(user),
      tls,
      random,
      crypto: this.#ports.crypto,
    });
  }

  #keepAlive(client: Client): void {
    this.world.after(keepAliveMs, () => {
      if (client.state !== "online") return;
      client.keepAlive();
      this.#keepAlive(client);
    });
  }

  #observeAgain(): void {
    this.world.after(observeEveryMs, () => {
      for (const node of this.nodes.values()) if (node.running) node.watch?.observe(true);
      this.#observeAgain();
    });
  }
}

/** Production's limits, and clocks that agree. */
export function planOfStage(
  nodes: readonly string[],
  logins: readonly LoginOrder[],
  options: Options,
): Plan {
  const mebibyte = 1_048_576;
  return {
    version: planVersion,
    seed: options.seed,
    topology: {
      nodes: nodes.map((name, index) => ({
        name,
        monotonicOrigin: 1_000_000 * (index + 1),
        wallOrigin,
        joins: false,
      })),
      cluster: {
        discovery: options.discovery,
        heartbeatInterval: options.beat,
        heartbeatTimeout: options.silence,
        linkGrace: options.grace,
        expireAfter: options.expire,
        bounds: {
          window: options.window,
          queue: 64 * mebibyte,
          fragment: options.fragment,
          logOperations: options.log,
          chunk: options.chunk,
        },
      },
      network: { latencyMs: [2, 2], cutChance: 0, windowBytes: 65_536, congestionMarkBytes },
      database: { latencyMs: [1, 1] },
    },
    limits: {
      maxStanzaSize: 65_536,
      negotiationTimeout: 30_000,
      keepAliveInterval: 60_000,
      maxSendQueue: mebibyte,
      sendTimeout: 30_000,
      maxSessionsPerUser: 10,
      maxAuthAttempts: 5,
      queryTimeout: 2_000,
    },
    clients: [...new Map(logins.map((login) => [login.name, clientOf(login)])).values()],
    faults: [],
    duration: { setUp: 0, safety: 0, liveness: 0 },
  };
}

/** For the oracles: whoever may be thrown out is a rival. */
function clientOf({ name, user, resource, node }: LoginOrder): ClientPlan {
  return {
    name,
    nodes: [node],
    roams: false,
    user,
    resource,
    mechanism: "SCRAM-SHA-256",
    startAt: 0,
    behaviour: { kind: "rival", everyMs: [0, 0], peers: [] },
  };
}
