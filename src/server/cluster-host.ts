/**
 * Cluster host: how does the cluster's machine meet the world and the rest of this server?
 *
 * It stands between `Cluster`, which knows neither XMPP nor the ports, and the core: connections of the
 * listener `cluster` go to it, what it asks of the network goes out, stanzas of other nodes go to the
 * traffic and changed records to the sessions. The process' identity is drawn at the first step, since
 * only there are clock and entropy at hand. Everything leaves at the end of the core's step (`flush`).
 */
import { bytesFromBinary, bytesFromText, toHex, type BinaryString } from "../base/bytes.ts";
import { Piece } from "../base/chunk.ts";
import { LineLimit } from "../base/line-limit.ts";
import { minute, second, type Duration, type Instant, type Now } from "../base/time.ts";
import { Cluster, type ClusterEffect, type ClusterInput } from "../cluster/cluster.ts";
import { WireError } from "../cluster/codec.ts";
import { kinds } from "../cluster/messages.ts";
import { peerText, type Peer } from "../cluster/peer.ts";
import { tablesLimits, tablesTiming } from "../cluster/tables-contract.ts";
import { linkLimits, linkTiming } from "../cluster/timing.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Log } from "../ports/log.ts";
import type { ConnectionId, NetworkEffect, NetworkInput } from "../ports/network.ts";
import type { Directory } from "../router/directory.ts";
import { sessionTable } from "../router/session-record.ts";
import { ClusterReadiness, type DiscoveredNode } from "./cluster-readiness.ts";
import { clusterStatus, type ClusterStatus } from "./cluster-status.ts";
import type { ClusterConfig } from "./config.ts";
import { DiscoveryHost } from "./discovery-host.ts";
import type { Faults } from "./faults.ts";
import type { NodeMetrics } from "./metrics.ts";
import type { SessionLife } from "./session-life.ts";
import { StanzaExchange } from "./stanza-exchange.ts";
import type { Traffic } from "./traffic.ts";
import { earliest } from "./earliest.ts";
import type { WorkRunner } from "./work-runner.ts";

export interface ClusterHostOptions {
  readonly config: ClusterConfig;
  readonly crypto: Crypto;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly counts: NodeMetrics;
  readonly faults: Faults;
  readonly work: WorkRunner;
  readonly directory: Directory;
  readonly life: SessionLife;
  readonly traffic: Traffic;
  readonly emit: (effect: NetworkEffect) => void;
  /** A later process of our name is a member: this one must stop. */
  readonly superseded: (now: Now) => void;
  readonly onCluster: (self: Peer, cluster: Cluster) => void;
}

const listenerName = "cluster";
/** How long a drained node waits until all that it has to say is said, and then for its connections to close. */
const leaveGrace: Duration = second;
/** Of connections that were refused: the rest is one number. */
const refusalLines = { max: 20, period: minute };
/** One flush may cause another (a stanza handed back is sent again); more than a few is a circle. */
const flushesMax = 16;

export class ClusterHost {
  readonly #options: ClusterHostOptions;
  readonly #readiness: ClusterReadiness;
  readonly #connections = new Set<ConnectionId>();
  readonly #refusalLines = new LineLimit(refusalLines);
  #cluster: Cluster | undefined;
  #self: Peer | undefined;
  #exchange: StanzaExchange | undefined;
  #discovery: DiscoveryHost | undefined;
  #steppedAt: Instant = 0;
  #leaveBy: Instant | undefined;
  #left = false;
  /** Discovery has taken us off its list, or could not. */
  #rowGone = false;

  constructor(options: ClusterHostOptions) {
    this.#options = options;
    this.#readiness = new ClusterReadiness(options.config.node_name);
  }

  deadline(): Instant | undefined {
    const refusals = this.#refusalLines.deadline();
    const [cluster, discovery] = [this.#cluster, this.#discovery];
    return earliest(cluster?.deadline(), discovery?.deadline(), this.#leaveBy, refusals);
  }

  /** The first step of the node. */
  start(now: Now): void {
    const { config, entropy, work, log, superseded } = this.#options;
    const boot = toHex(entropy.bytes(8));
    this.#discovery = new DiscoveryHost({
      ...{ config, boot, work, log, superseded },
      identified: (later, incarnation) =>
        this.#join({ name: config.node_name, incarnation, boot }, later),
      listed: (later, peers) => this.#listed(later, peers),
      left: () => void (this.#rowGone = true),
    });
    this.#discovery.expire(now);
  }

  /** Who has no identity yet can neither see other sessions nor be seen: it serves nobody. */
  get serving(): boolean {
    return this.#cluster !== undefined;
  }

  /** Why the node should get no new clients on the cluster's account. */
  notReady(now: Now): string | undefined {
    return this.#discovery?.notReady(now.at) ?? this.#readiness.update(now.at, this.#cluster);
  }

  /** Changes nothing, so that it may also be asked between steps (by default: as of the last one). */
  status(at = this.#steppedAt): ClusterStatus {
    const { config } = this.#options;
    return clusterStatus({
      config,
      self: this.#self,
      notReady: this.#discovery?.notReady(at) ?? this.#readiness.reason(at, this.#cluster),
      discovered: this.#readiness.discovered,
      cluster: this.#cluster,
      discovery: this.#discovery?.status(),
      conflicts: this.#options.counts.conflicts.value,
    });
  }

  /** See `SessionLife`: false as long as there is nobody to ask. */
  settle(now: Now, request: number): boolean {
    this.#cluster?.settle(now, request);
    return this.#cluster !== undefined;
  }

  /** True if the input was the cluster's. */
  fromNetwork(now: Now, input: NetworkInput): boolean {
    switch (input.type) {
      case "connection-opened": {
        if (input.listener !== listenerName) return false;
        const { connection, remote, dial, tls } = input;
        this.#connections.add(connection);
        if (this.#cluster === undefined || this.#left) {
          this.#options.emit({ type: "close", connection }); // nobody yet, or no more
          return true;
        }
        const channelBinding = tls?.bindings["tls-exporter"];
        this.#step(now, {
          ...{ type: "connection-opened", connection, remote },
          ...(dial === undefined ? {} : { dial }),
          ...(channelBinding === undefined ? {} : { channelBinding }),
        });
        return true;
      }
      case "dial-failed":
        this.#step(now, input);
        return true;
      case "bytes-received":
        if (!this.#connections.has(input.connection)) return false;
        this.#step(now, input);
        return true;
      case "connection-closed":
        if (!this.#connections.delete(input.connection)) return false;
        this.#step(now, input);
        return true;
      default:
        return this.#connections.has(input.connection); // links have windows of their own
    }
  }

  expire(now: Now): void {
    this.#discovery?.expire(now);
    this.#tellRefusals(now);
    this.#step(now, { type: "deadline-reached" });
  }

  /** The end of a core step: what was written and sent leaves. */
  flush(now: Now): void {
    this.#steppedAt = now.at;
    if (this.#cluster === undefined) return;
    for (let flushes = 0; flushes < flushesMax; flushes += 1) {
      const effects = this.#cluster.flush(now);
      if (effects.length === 0) return;
      this.#perform(now, effects);
    }
  }

  /**
   * The node is drained, and its sessions' ends are flushed: once all that waits for its peers is on its way, or
   * they do not take it in time, it takes leave of them; true once they have had time to hear it.
   */
  leave(now: Now): boolean {
    if (this.#leaveBy === undefined) {
      this.#leaveBy = now.at + leaveGrace;
      this.#discovery?.leave(now);
    }
    if (!this.#left) {
      if (this.#cluster?.hasBacklog === true && now.at < this.#leaveBy) return false;
      this.#left = true;
      this.#leaveBy = now.at + leaveGrace;
      this.#step(now, { type: "leave" });
    }
    return (this.#connections.size === 0 && this.#rowGone) || now.at >= this.#leaveBy;
  }

  #join(self: Peer, now: Now): void {
    const { config, crypto, entropy, directory, traffic, log } = this.#options;
    const limits = { ...linkLimits, ...config.bounds?.links };
    const cluster = new Cluster({
      self,
      address: config.advertised_address,
      cluster: config.cluster_name,
      secret: bytesFromText(config.secret),
      hmac: (key, data) => crypto.hmac("sha-256", key, data),
      equal: (a, b) => crypto.equal(a, b),
      entropy,
      timing: {
        ...linkTiming,
        heartbeatInterval: config.heartbeat_interval,
        heartbeatTimeout: config.heartbeat_timeout,
        linkGrace: config.link_grace,
      },
      limits,
      ...(config.protocol === undefined ? {} : { protocol: config.protocol }),
      tables: [sessionTable],
      tablesTiming: { ...tablesTiming, ...config.bounds?.tablesTiming },
      tablesLimits: { ...tablesLimits, ...config.bounds?.tables },
    });
    this.#options.onCluster(self, cluster);
    this.#cluster = cluster;
    this.#self = self;
    this.#exchange = new StanzaExchange(self, (peer, kind, body) => cluster.send(peer, kind, body));
    directory.join(self, cluster.table(sessionTable.name));
    traffic.join(this.#exchange, limits.queueBytes, config.bounds?.requestPatience);
    log.write("info", "cluster-joined", { peer: peerText(self), at: now.wall });
  }

  /** The list of nodes that is now in force, without ourselves. */
  #listed(now: Now, peers: readonly DiscoveredNode[]): void {
    this.#readiness.listed(now.at, peers);
    this.#step(now, { type: "peers-discovered", peers });
  }

  #step(now: Now, input: ClusterInput): void {
    if (this.#cluster !== undefined) this.#perform(now, this.#cluster.step(now, input));
  }

  #perform(now: Now, effects: readonly ClusterEffect[]): void {
    for (const effect of effects) {
      try {
        this.#performOne(now, effect);
      } catch (error) {
        if (error instanceof WireError) this.#options.faults.refusedFrame(error.message);
        else this.#options.faults.bug("cluster-fault", error);
      }
    }
  }

  #performOne(now: Now, effect: ClusterEffect): void {
    const { emit, life, log, traffic, counts } = this.#options;
    switch (effect.type) {
      case "dial":
      case "write":
      case "close":
        return emit(effect);
      case "peer-up":
        counts.peers.value += 1;
        this.#exchange?.peerUp(effect.peer);
        return log.write("info", "peer-up", {
          peer: peerText(effect.peer),
          version: effect.version,
        });
      case "peer-down":
        return this.#peerDown(now, effect);
      case "message-received":
        if (effect.kind === kinds.stanza) traffic.frame(now, effect.body, effect.peer);
        else if (effect.kind === kinds.endSessions) traffic.endRequested(now, effect.body);
        return;
      case "queue-full":
      case "queue-drained":
        log.write("warning", effect.type, { peer: peerText(effect.peer), queue: effect.queue });
        if (effect.queue === "tables") return;
        return this.#exchange?.setFull(effect.peer, effect.type === "queue-full");
      case "settled":
        return life.settled(now, effect.request, effect.missing.length);
      case "record-changed":
        if (effect.after !== undefined) life.recordWritten(now, effect.key);
        return;
      case "partition-shown":
        life.ownerShown(now, effect.owner, effect.records.size);
        return traffic.peerBack(now, effect.owner);
      case "partition-hidden":
        return;
      case "peer-synced":
        return log.write("info", "peer-synced", { peer: peerText(effect.peer) });
      case "superseded":
        log.write("error", "superseded", { by: peerText(effect.by) });
        return this.#options.superseded(now);
      case "log":
        if (effect.stranger === true && !this.#mayTell(now)) return;
        return log.write(effect.level, effect.event, effect.fields);
    }
  }

  /** A connection was refused: counted; may it have a line of its own? */
  #mayTell(now: Now): boolean {
    this.#options.counts.refusedNodes.value += 1;
    this.#tellRefusals(now);
    return this.#refusalLines.allows(now.at);
  }

  #tellRefusals(now: Now): void {
    const count = this.#refusalLines.expire(now.at);
    if (count > 0) this.#options.log.write("warning", "more-handshakes-refused", { count });
  }

  /** Its records are hidden by now: what it did not receive is looked up again, in order. */
  #peerDown(now: Now, effect: Extract<ClusterEffect, { type: "peer-down" }>): void {
    const { counts, log } = this.#options;
    const { peer, reason, final, undelivered } = effect;
    counts.peers.value -= 1;
    this.#discovery?.linkDown(now);
    this.#exchange?.peerDown(peer);
    const returned = undelivered.filter(({ kind }) => kind === kinds.stanza);
    const level = final ? "info" : "warning";
    log.write(level, "peer-down", { peer: peerText(peer), reason, returned: returned.length });
    if (!final) this.#options.traffic.peerLost(now, peer);
    const lookedUp = new Set<string>();
    const lost = final ? undefined : peer;
    for (const { body } of returned) this.#return(now, body, lookedUp, lost);
    this.#options.traffic.peerDown(now, peer, final);
  }

  #return(now: Now, body: BinaryString, lookedUp: Set<string>, lost: Peer | undefined): void {
    const { counts, faults, traffic } = this.#options;
    counts.returned.value += 1;
    try {
      traffic.returned(now, Piece.of(bytesFromBinary(body)), lookedUp, lost);
    } catch (error) {
      faults.bug("cluster-fault", error);
    }
  }
}
