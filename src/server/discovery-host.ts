/**
 * Discovery host: the machine that finds the other nodes, with the world's answers to what it asks.
 *
 * What it asks is work: statements on `discovery_nodes`, a name to resolve, a file to read. Each ends in
 * one input of the machine, whatever happens to it.
 */
import type { Instant, Now } from "../base/time.ts";
import {
  Discovery,
  discoveryTiming,
  type DiscoveryInput,
  type DiscoveryRequest,
  type DiscoverySource,
  type DiscoveryStatus,
} from "../cluster/discovery.ts";
import type { ListedNode } from "../cluster/node-list.ts";
import type { Peer } from "../cluster/peer.ts";
import type { Log } from "../ports/log.ts";
import { fileText, resolved, type Work } from "../ports/work.ts";
import { refresh, register, remove } from "../storage/discovery.ts";
import type { ClusterConfig } from "./config.ts";
import type { WorkRunner } from "./work-runner.ts";

export interface DiscoveryHostOptions {
  readonly config: ClusterConfig;
  /** As in our `Peer`. */
  readonly boot: string;
  readonly work: WorkRunner;
  readonly log: Log;
  /** Told once, before the first list: links may open under this incarnation. */
  readonly identified: (now: Now, incarnation: number) => void;
  /** The list in force, without ourselves. */
  readonly listed: (now: Now, peers: readonly ListedNode[]) => void;
  /** This process must stop. */
  readonly superseded: (now: Now, by: Peer) => void;
  /** The answer to `leave`: our row is gone, or that cannot be helped. */
  readonly left: (now: Now) => void;
}

export class DiscoveryHost {
  readonly #options: DiscoveryHostOptions;
  readonly #discovery: Discovery;

  constructor(options: DiscoveryHostOptions) {
    const { config, boot } = options;
    this.#options = options;
    this.#discovery = new Discovery({
      cluster: config.cluster_name,
      name: config.node_name,
      boot,
      address: config.advertised_address,
      source: sourceOf(config),
      timing: {
        ...discoveryTiming,
        ...config.bounds?.discoveryTiming,
        expireAfter: config.expire_after,
      },
    });
  }

  /** 0 before the first step: at once. */
  deadline(): Instant | undefined {
    return this.#discovery.deadline();
  }

  /** Why there is no list yet, or we must stop. */
  notReady(at: Instant): string | undefined {
    return this.#discovery.notReady(at);
  }

  status(): DiscoveryStatus {
    return this.#discovery.status();
  }

  /** See `Discovery.idNumber`. */
  idNumber(at: Instant): number | undefined {
    return this.#discovery.idNumber(at);
  }

  /** The first step, and each at a deadline. */
  expire(now: Now): void {
    this.#step(now, { type: "deadline-reached" });
  }

  linkDown(now: Now): void {
    this.#step(now, { type: "link-down" });
  }

  leave(now: Now): void {
    this.#step(now, { type: "leave" });
  }

  #step(now: Now, input: DiscoveryInput): void {
    const { log, identified, listed, superseded, left } = this.#options;
    for (const effect of this.#discovery.step(now, input)) {
      switch (effect.type) {
        case "request":
          this.#ask(now, effect.request);
          break;
        case "identified":
          identified(now, effect.incarnation);
          break;
        case "peers-discovered":
          listed(now, effect.peers);
          break;
        case "superseded":
          superseded(now, effect.by);
          break;
        case "left":
          left(now);
          break;
        case "log":
          log.write(effect.level, effect.event, effect.fields);
          break;
      }
    }
  }

  #ask(now: Now, request: DiscoveryRequest): void {
    const failed = (later: Now, error: unknown): void => {
      const detail = error instanceof Error ? error.message : String(error);
      this.#step(later, { type: "request-failed", detail });
    };
    this.#options.work.start(now, discoveryWork(request), {
      done: (later, input) => this.#step(later, input),
      failed,
      broken: failed,
    });
  }
}

/** What a request of the machine means, and its answer. */
export function* discoveryWork(request: DiscoveryRequest): Work<DiscoveryInput> {
  switch (request.type) {
    case "register":
      return yield* register(request.owner, request.incarnation, request.wall);
    case "refresh": {
      const { refreshed, nodes: rows } = yield* refresh(request.owner, request.expireAfter);
      return { type: "rows-listed", refreshed, rows };
    }
    case "remove":
      yield* remove(request.owner);
      return { type: "removed" };
    case "resolve":
      return { type: "host-resolved", addresses: yield* resolved(request.host) };
    case "read-file":
      return { type: "file-read", text: yield* fileText(request.path) };
  }
}

function sourceOf(config: ClusterConfig): DiscoverySource {
  const { port } = config.listener;
  switch (config.backend) {
    case "rdbms":
      return { type: "sql" };
    case "static":
      return { type: "static", nodes: config.nodes };
    case "dns":
      return { type: "dns", host: config.dns_name, port };
    case "file":
      return { type: "file", path: config.node_list_file, port };
  }
}
