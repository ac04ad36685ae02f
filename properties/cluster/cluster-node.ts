/**
 * Cluster node: a whole `Cluster` (links and tables) where the world of the links expects a mesh.
 *
 * It passes everything on, and after each step compares what the node shows with what it may show: the
 * state of each owner at exactly one of its operations, never an earlier one than before, and nothing of
 * a process without a session.
 */
import type { Instant, Now } from "../../src/base/time.ts";
import { bytesFromBinary } from "../../src/base/bytes.ts";
import { Cluster, type ClusterEffect } from "../../src/cluster/cluster.ts";
import type { LinkStatus, Mesh, MeshEffect, MeshInput } from "../../src/cluster/mesh.ts";
import { samePeer, type Peer } from "../../src/cluster/peer.ts";
import { tablesLimits, type TablesLimits } from "../../src/cluster/tables.ts";
import { linkTiming, type LinkLimits } from "../../src/cluster/timing.ts";
import { checkReads, ModelNode, same } from "../../test/cluster/tables-oracle.ts";
import { plainTable } from "../../test/cluster/tables-world.ts";
import { equal, hmac } from "./links-chance.ts";
import { Node } from "./links-node.ts";
import type { LinksWorld } from "./links-world.ts";

export const tableName = plainTable.name;

export class ClusterNode {
  readonly model: ModelNode<Cluster>;
  readonly counts = { settled: 0, shown: 0, compared: 0 };
  readonly #all: ReadonlyMap<string, ClusterNode>;
  readonly #positions = new Map<number, number>();
  #requests = 0;
  #steps = 0;

  constructor(model: ModelNode<Cluster>, all: ReadonlyMap<string, ClusterNode>) {
    this.model = model;
    this.#all = all;
  }

  get #cluster(): Cluster {
    return this.model.tables;
  }

  put(key: string, value: string): void {
    this.#cluster.table(tableName).put(key, value);
    this.#wrote(key, value);
  }

  delete(key: string): void {
    if (this.#cluster.table(tableName).delete(key)) this.#wrote(key, undefined);
  }

  settle(now: Now): void {
    const request = ++this.#requests;
    const history = this.model.history.get(tableName) ?? [];
    this.model.settling.set(request, new Map([[tableName, history.length]]));
    this.#cluster.settle(now, request);
  }

  /** What this node shows of that process. */
  view(owner: Peer): ReadonlyMap<string, string> {
    const records = this.#cluster.table(tableName).ownedBy(owner);
    return new Map([...records].map(({ key, value }) => [key, value]));
  }

  get cluster(): Cluster {
    return this.#cluster;
  }

  // The face of a mesh.

  step(now: Now, input: MeshInput): readonly MeshEffect[] {
    return this.#seen(this.#cluster.step(now, input));
  }

  flush(now: Now): readonly MeshEffect[] {
    return this.#seen(this.#cluster.flush(now));
  }

  deadline(): Instant | undefined {
    return this.#cluster.deadline();
  }

  status(): readonly LinkStatus[] {
    return this.#cluster.status().links;
  }

  /** Positions among the messages of the application. */
  send(peer: Peer, kind: number, body: string, session: number): number | undefined {
    if (!this.#cluster.send(peer, kind, body)) return undefined;
    const position = (this.#positions.get(session) ?? 0) + 1;
    this.#positions.set(session, position);
    return position;
  }

  #wrote(key: string, value: string | undefined): void {
    const history = this.model.history.get(tableName) ?? [];
    this.model.history.set(tableName, history);
    history.push({ key, value });
  }

  #seen(effects: readonly ClusterEffect[]): readonly MeshEffect[] {
    for (const effect of effects) {
      switch (effect.type) {
        case "record-changed":
        case "partition-shown":
        case "partition-hidden":
          this.model.tell(effect);
          break;
        case "settled":
          this.#settled(effect.request, effect.visibleAt);
          break;
        case "log":
          if (effect.event.startsWith("table-")) throw new Error(effect.event);
          break;
        case "peer-down":
          // Hidden before what was not delivered is handed up.
          if (this.model.told.has(`${tableName} ${effect.peer.boot}`)) throw new Error("Too late");
          break;
        default:
          break;
      }
    }
    // Most steps only carry bytes; whatever they change without saying so is seen a little later.
    const telling = effects.some(({ type }) => type !== "write" && type !== "message-received");
    if (telling || ++this.#steps % 8 === 0) this.#check();
    return effects as readonly MeshEffect[];
  }

  #settled(request: number, visibleAt: readonly Peer[]): void {
    const seq = this.model.settling.get(request)?.get(tableName) ?? 0;
    this.model.settling.delete(request);
    for (const peer of visibleAt) {
      this.counts.settled += 1;
      const [status] = this.#all.get(peer.boot)?.cluster.status().tables ?? [];
      const replica = status?.replicas.find((each) => samePeer(each.peer, this.model.peer));
      // It may have gone down since on its own side, unknown to us.
      if (replica?.visible === true && replica.seq < seq) throw new Error("Settled too early");
    }
  }

  #check(): void {
    const [status] = this.#cluster.status().tables;
    const table = this.#cluster.table(tableName);
    const peers = this.#cluster.peers();
    for (const owner of table.owners.slice(1)) {
      if (!peers.some((peer) => samePeer(peer, owner))) throw new Error("A ghost");
      const replica = status?.replicas.find(({ peer }) => samePeer(peer, owner));
      if (replica?.visible !== true) throw new Error("Shown without a replica");
      if (replica.seq < (this.model.shown.get(owner.boot) ?? 0)) throw new Error("Back in time");
      this.model.shown.set(owner.boot, replica.seq);
      const truth = this.#all.get(owner.boot)?.model.truth(tableName, replica.seq);
      this.counts.compared += 1;
      same("a view", this.view(owner), truth ?? new Map());
      const told = this.model.told.get(`${tableName} ${owner.boot}`);
      same("what was told", told, truth ?? new Map());
    }
    this.counts.shown = this.model.counts.shown;
    checkReads(table);
  }
}

export interface ClusterWorldOptions {
  readonly links: LinkLimits;
  readonly tables: Partial<TablesLimits>;
}

/** Nodes of a world that are clusters; the last of each name is the living one. */
export class ClusterNodes {
  readonly byBoot = new Map<string, ClusterNode>();
  readonly byName = new Map<string, ClusterNode>();
  readonly #world: LinksWorld;
  readonly #options: ClusterWorldOptions;
  #incarnation = 0;

  constructor(world: LinksWorld, options: ClusterWorldOptions) {
    this.#world = world;
    this.#options = options;
  }

  add(name: string): ClusterNode {
    const draw = (below: number): number => Math.floor(this.#world.random() * below);
    const boot = Array.from({ length: 16 }, () => "0123456789abcdef"[draw(16)]).join("");
    const self = { name, incarnation: ++this.#incarnation, boot };
    const cluster = new Cluster({
      self,
      cluster: "mob",
      secret: bytesFromBinary("secret"),
      hmac,
      equal,
      entropy: { bytes: (count) => Uint8Array.from({ length: count }, () => draw(256)) },
      timing: linkTiming,
      limits: this.#options.links,
      tables: [plainTable],
      tablesLimits: { ...tablesLimits, ...this.#options.tables },
    });
    const node = new ClusterNode(new ModelNode(self, cluster), this.byBoot);
    this.byBoot.set(boot, node);
    this.byName.set(name, node);
    this.#world.nodes.set(name, new Node(self, node as unknown as Mesh, `${name}:7000`));
    return node;
  }
}
