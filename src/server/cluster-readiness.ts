/**
 * Cluster readiness: may a load balancer send clients here yet?
 *
 * Not before the first list of nodes has come, and each node on it has given us its tables or has been
 * waited for long enough: a node that cannot be reached must not keep the others from serving. Once
 * ready a node stays so: what it does not see later, no waiting client would help.
 */
import { second, type Duration, type Instant } from "../base/time.ts";
import type { Peer } from "../cluster/peer.ts";

/** How long a discovered node is waited for. */
const patience: Duration = 10 * second;

/** What is asked of the cluster. */
export interface Synced {
  peers(): readonly Peer[];
  synced(peer: Peer): boolean;
}

export interface DiscoveredNode {
  readonly name: string;
  readonly address: string;
}

export class ClusterReadiness {
  readonly #self: string;
  /** When each node was first on a list. */
  readonly #since = new Map<string, Instant>();
  #discovered: readonly DiscoveredNode[] | undefined;
  #ready = false;

  constructor(self: string) {
    this.#self = self;
  }

  /** The last list, ourselves perhaps among them; undefined before the first. */
  get discovered(): readonly DiscoveredNode[] | undefined {
    return this.#discovered;
  }

  /** The list of nodes that is now in force. */
  listed(now: Instant, nodes: readonly DiscoveredNode[]): void {
    this.#discovered = nodes;
    for (const { name } of nodes) if (!this.#since.has(name)) this.#since.set(name, now);
  }

  /** Looks once more: whoever is ready now stays so. */
  update(now: Instant, cluster: Synced | undefined): string | undefined {
    const reason = this.reason(now, cluster);
    this.#ready ||= reason === undefined;
    return reason;
  }

  /** Undefined: ready. Changes nothing, so that it may be asked at any time. */
  reason(now: Instant, cluster: Synced | undefined): string | undefined {
    if (this.#ready) return undefined;
    if (this.#discovered === undefined || cluster === undefined) {
      return "The other nodes of the cluster are not known yet";
    }
    const awaited = this.#discovered.filter(({ name }) => this.#isAwaited(now, name, cluster));
    if (awaited.length === 0) return undefined;
    return `Waiting for the tables of ${awaited.map(({ name }) => name).join(", ")}`;
  }

  #isAwaited(now: Instant, name: string, cluster: Synced): boolean {
    if (name === this.#self || now - (this.#since.get(name) ?? now) >= patience) return false;
    return !cluster.peers().some((peer) => peer.name === name && cluster.synced(peer));
  }
}
