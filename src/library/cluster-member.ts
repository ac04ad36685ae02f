/**
 * Cluster member: replicated tables in a Node program, without XMPP.
 *
 *     const member = await joinCluster({ name: "a", …, tables: [{ name: "users", schema: 1 }] });
 *     member.table("users").put("alice", "online");
 *     await member.settled();          // every live member sees it
 *     await member.leave();
 *
 * The same machines as in the server, over real sockets. This file is the loop: it turns what sockets
 * and timers say into inputs and carries effects out; what is written in one turn leaves together, by
 * `setImmediate`. So it stands outside the fence, as `runtime` does.
 */
import type { Instant } from "../base/time.ts";
import { bytesFromText, textFromBinary, toHex } from "../base/bytes.ts";
import { Cluster, type ClusterEffect, type ClusterInput } from "../cluster/cluster.ts";
import type { Discovered } from "../cluster/mesh.ts";
import type { Peer } from "../cluster/peer.ts";
import type { TableOptions } from "../cluster/table.ts";
import { linkLimits, linkTiming, type LinkTiming } from "../cluster/timing.ts";
import type { Log } from "../ports/log.ts";
import { NodeCrypto } from "../runtime/crypto.ts";
import { SystemEntropy } from "../runtime/entropy.ts";
import { SocketNetwork } from "../runtime/network.ts";
import { RealTime } from "../runtime/timers.ts";
import type { WorldInput } from "../server/effects.ts";
import { ReplicatedTable } from "./replicated-table.ts";

export interface MemberOptions {
  /** Stable and unique in the cluster. */
  readonly name: string;
  /** Where to listen for other members, and the address that they reach us at. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly address?: string;
  readonly cluster: string;
  /** Who knows it is a member. */
  readonly secret: string;
  /** All members, with or without this one. */
  readonly members: readonly Discovered[];
  readonly tables: readonly TableOptions[];
  readonly log?: Log;
  readonly timing?: Partial<LinkTiming>;
}

/** What `settled()` found. */
export interface Settled {
  /** Members that see all that was written before the call. */
  readonly visibleAt: readonly Peer[];
  /** Live members that did not say so within two seconds. */
  readonly missing: readonly Peer[];
}

export interface MemberEvents {
  memberUp?: (peer: Peer) => void;
  /** Its records are no longer visible. */
  memberDown?: (peer: Peer) => void;
  /** A record of another member, for tables with `changes`. `after` undefined: deleted. */
  changed?: (table: string, owner: Peer, key: string, after: string | undefined) => void;
}

/** Starts to listen and to look for the others; resolves once the port is open. */
export async function joinCluster(
  options: MemberOptions,
  events: MemberEvents = {},
): Promise<ClusterMember> {
  const member = new ClusterMember(options, events);
  await member.open();
  return member;
}

export class ClusterMember {
  readonly self: Peer;
  readonly #options: MemberOptions;
  readonly #events: MemberEvents;
  readonly #cluster: Cluster;
  readonly #network: SocketNetwork;
  readonly #time: RealTime;
  readonly #tables = new Map<string, ReplicatedTable>();
  readonly #settling = new Map<number, (settled: Settled) => void>();
  /** What all get who ask in a row. */
  #settled: Promise<Settled> | undefined;
  #lastRequest = 0;
  #flushing = false;

  constructor(options: MemberOptions, events: MemberEvents) {
    this.#options = options;
    this.#events = events;
    const log = options.log ?? { write: (): void => undefined };
    const crypto = new NodeCrypto(() => undefined);
    const entropy = new SystemEntropy();
    this.#time = new RealTime({
      deliver: (_now, input) => this.#deliver(input),
      deadline: (): Instant | undefined => this.#cluster.deadline(),
    });
    this.self = {
      name: options.name,
      incarnation: this.#time.now().wall,
      boot: toHex(entropy.bytes(8)),
    };
    this.#cluster = new Cluster({
      self: this.self,
      address: options.address ?? `${options.listen.host}:${options.listen.port}`,
      cluster: options.cluster,
      secret: bytesFromText(options.secret),
      hmac: (key, data) => crypto.hmac("sha-256", key, data),
      equal: (a, b) => crypto.equal(a, b),
      entropy,
      timing: { ...linkTiming, ...options.timing },
      limits: linkLimits,
      tables: options.tables,
    });
    this.#network = new SocketNetwork({ deliver: (input) => this.#time.deliver(input), log });
    for (const { name } of options.tables) {
      const table = new ReplicatedTable(this.#cluster.table(name), () => this.#flushLater());
      this.#tables.set(name, table);
    }
  }

  /** Called by `joinCluster`. */
  async open(): Promise<void> {
    const { host, port } = this.#options.listen;
    await this.#network.listen({
      name: "cluster",
      kind: "cluster",
      ip_address: host,
      port,
      tls: undefined,
    });
    this.#take({ type: "peers-discovered", peers: this.#options.members });
    this.#time.start();
  }

  table(name: string): ReplicatedTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw new TypeError(`There is no table "${name}"`);
    return table;
  }

  /** Members that are reached now; their records are visible here once `synced`. */
  peers(): readonly Peer[] {
    return this.#cluster.peers();
  }

  synced(peer: Peer): boolean {
    return this.#cluster.synced(peer);
  }

  /** Resolves when all live members see what was written before, at the latest after two seconds. */
  settled(): Promise<Settled> {
    if (this.#settled !== undefined) return this.#settled;
    const request = ++this.#lastRequest;
    this.#settled = new Promise((resolve) => this.#settling.set(request, resolve));
    this.#cluster.settle(this.#time.now(), request);
    this.#flushLater();
    return this.#settled;
  }

  status(): ReturnType<Cluster["status"]> {
    return this.#cluster.status();
  }

  /** Says goodbye, so that the others need not wait, and closes all. */
  async leave(): Promise<void> {
    this.#take({ type: "leave" });
    await new Promise((resolve) => setImmediate(resolve)); // what was written leaves in this turn
    await this.#network.stopListening();
    this.#network.closeAll();
    this.#time.stop();
  }

  #deliver(input: WorldInput): void {
    switch (input.type) {
      case "connection-opened":
      case "bytes-received":
      case "connection-closed":
      case "dial-failed":
      case "deadline-reached":
        return this.#take(input);
      default:
        return; // congestion: the links count what is unacknowledged instead
    }
  }

  #take(input: ClusterInput): void {
    this.#settled = undefined;
    this.#perform(this.#cluster.step(this.#time.now(), input));
    this.#flushLater();
  }

  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#settled = undefined;
      this.#perform(this.#cluster.flush(this.#time.now()));
      this.#time.start();
    });
  }

  #perform(effects: readonly ClusterEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "dial":
          this.#network.dial(effect.dial, effect.address);
          break;
        case "write":
          this.#network.write(effect.connection, effect.data);
          break;
        case "close":
          this.#network.close(effect.connection);
          break;
        case "settled":
          this.#settling.get(effect.request)?.(effect);
          this.#settling.delete(effect.request);
          break;
        case "peer-up":
          this.#events.memberUp?.(effect.peer);
          break;
        case "peer-down":
          this.#events.memberDown?.(effect.peer);
          break;
        case "record-changed": {
          const { table, owner, key, after } = effect;
          const value = after === undefined ? undefined : textFromBinary(after);
          this.#events.changed?.(table, owner, textFromBinary(key), value);
          break;
        }
        case "log":
          this.#options.log?.write(effect.level, effect.event, effect.fields);
          break;
        case "superseded":
          this.#options.log?.write("error", "superseded", { by: effect.by.incarnation });
          break;
        case "message-received":
        case "queue-full":
        case "queue-drained":
        case "partition-shown":
        case "partition-hidden":
        case "peer-synced":
          break;
      }
    }
  }
}
