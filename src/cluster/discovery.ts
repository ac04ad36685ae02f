/**
 * Discovery: who else is there, and who are we?
 *
 *     registering --[registered]--> listing --[rows]--> in force, listed again and again
 *          ^                            |
 *          +---[our row is gone]--------+            leave: our row is removed, then `left`
 *
 * With the database, a node's row also gives it what must be unique: a number, and an incarnation above
 * that of every process that had its name before. Lists of other kinds (static, DNS, a file) give neither
 * a number nor a memory: then the wall clock is the incarnation.
 *
 * A failure changes nothing but the time of the next attempt: the last list stays in force for ever, since
 * links live without us. So an outage can keep a node from becoming ready, and never takes one out. At most
 * one request is under way.
 *
 * What it does not do: dial (the mesh does, and goes on dialling who was here), or decide who is alive.
 */
import type { Duration, Instant, Now, Timestamp } from "../base/time.ts";
import { nodesAt, parseNodeList, type ListedNode } from "./node-list.ts";
import type { NodeName, Peer } from "./peer.ts";

export type DiscoverySource =
  | { readonly type: "sql" }
  | { readonly type: "static"; readonly nodes: readonly ListedNode[] }
  | { readonly type: "dns"; readonly host: string; readonly port: number }
  | { readonly type: "file"; readonly path: string; readonly port: number };

export interface DiscoveryTiming {
  /** Between two lists in the first minutes, and after a link went down. */
  readonly quickInterval: Duration;
  readonly quickFor: Duration;
  readonly slowInterval: Duration;
  /** After the first failure; it doubles up to `quickInterval`. */
  readonly retryAfter: Duration;
  /** A row that was not refreshed for so long is removed. */
  readonly expireAfter: Duration;
}

export const discoveryTiming: DiscoveryTiming = {
  quickInterval: 5_000,
  quickFor: 180_000,
  slowInterval: 60_000,
  retryAfter: 500,
  expireAfter: 3_600_000,
};

/** A row of `discovery_nodes`. */
export interface DiscoveryRow extends Peer, ListedNode {
  /** 1–1023, unique in its cluster. */
  readonly number: number;
}

/** Who asks, in requests to the database. */
export interface RowOwner {
  readonly cluster: string;
  readonly name: NodeName;
  readonly boot: string;
  readonly address: string;
}

export type DiscoveryRequest =
  /** Answered by `registered` or `superseded`. `incarnation`: ours, once we have one. */
  | {
      readonly type: "register";
      readonly owner: RowOwner;
      readonly incarnation: number | undefined;
      readonly wall: Timestamp;
    }
  /** Refreshes our row, removes expired ones, lists what is left: answered by `rows-listed`. */
  | { readonly type: "refresh"; readonly owner: RowOwner; readonly expireAfter: Duration }
  /** Answered by `removed`. */
  | { readonly type: "remove"; readonly owner: RowOwner }
  /** Answered by `host-resolved`. */
  | { readonly type: "resolve"; readonly host: string }
  /** Answered by `file-read`. */
  | { readonly type: "read-file"; readonly path: string };

export type DiscoveryInput =
  | { readonly type: "registered"; readonly incarnation: number; readonly number: number }
  /** Another process has our name, and came after us. */
  | { readonly type: "superseded"; readonly by: Peer }
  /** `refreshed`: our own row was still there. */
  | {
      readonly type: "rows-listed";
      readonly refreshed: boolean;
      readonly rows: readonly DiscoveryRow[];
    }
  | { readonly type: "removed" }
  | { readonly type: "host-resolved"; readonly addresses: readonly string[] }
  | { readonly type: "file-read"; readonly text: string }
  /** The answer to any request that came to nothing, or to an unknown end. */
  | { readonly type: "request-failed"; readonly detail: string }
  | { readonly type: "deadline-reached" }
  /** Somebody may have moved: look more often for a while. */
  | { readonly type: "link-down" }
  /** Take our row away; nothing is listed any more. */
  | { readonly type: "leave" };

export type DiscoveryEffect =
  | { readonly type: "request"; readonly request: DiscoveryRequest }
  /** Told once, before the first list: from here on we are somebody, and links may open. */
  | { readonly type: "identified"; readonly incarnation: number }
  /** The list that is in force now, without ourselves; told when it changes, and the first one always. */
  | { readonly type: "peers-discovered"; readonly peers: readonly ListedNode[] }
  /** Another process has our name, and came after us: we must stop. */
  | { readonly type: "superseded"; readonly by: Peer }
  /** The answer to `leave`: nothing more will be asked. */
  | { readonly type: "left" }
  | {
      readonly type: "log";
      readonly level: "info" | "warning";
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

/** For people who watch. */
export interface DiscoveryStatus {
  /** When the last list came, whether it told anything new or not; null before the first. */
  readonly listedAt: Timestamp | null;
  /** Requests that came to nothing since this process began. */
  readonly failures: number;
}

export interface DiscoveryOptions {
  readonly cluster: string;
  readonly name: NodeName;
  readonly boot: string;
  /** Where others reach us. */
  readonly address: string;
  readonly source: DiscoverySource;
  readonly timing?: DiscoveryTiming;
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #timing: DiscoveryTiming;
  readonly #owner: RowOwner;
  #effects: DiscoveryEffect[] = [];
  #incarnation: number | undefined;
  #number: number | undefined;
  /** Is our row there, as far as we know? */
  #registered = false;
  #refreshedAt: Instant | undefined;
  #peers: readonly ListedNode[] | undefined;
  #underWay = false;
  /** When the next request is due; 0: at once. */
  #nextAt: Instant | undefined = 0;
  #quickUntil: Instant | undefined;
  #failingSince: Instant | undefined;
  /** In a row. */
  #failures = 0;
  #failuresInAll = 0;
  #listedAt: Timestamp | null = null;
  #lastFailure = "";
  #supersededBy: Peer | undefined;
  #leaving = false;
  #removing = false;
  #left = false;

  constructor(options: DiscoveryOptions) {
    const { cluster, name, boot, address } = options;
    this.#options = options;
    this.#timing = options.timing ?? discoveryTiming;
    this.#owner = { cluster, name, boot, address };
  }

  /** The list in force, without ourselves; undefined before the first discovery is done. */
  get peers(): readonly ListedNode[] | undefined {
    return this.#peers;
  }

  status(): DiscoveryStatus {
    return { listedAt: this.#listedAt, failures: this.#failuresInAll };
  }

  /**
   * Our number, to make ids unique in the cluster; undefined while we have none, or may have lost it:
   * half the time after which others may give it away.
   */
  idNumber(at: Instant): number | undefined {
    if (this.#refreshedAt === undefined || !this.#registered) return undefined;
    return at - this.#refreshedAt < this.#timing.expireAfter / 2 ? this.#number : undefined;
  }

  /** Why this node must not be sent clients yet; undefined: as far as discovery goes, it may. */
  notReady(at: Instant): string | undefined {
    if (this.#supersededBy !== undefined) {
      return `superseded: a later process is ${this.#options.name}`;
    }
    if (this.#peers !== undefined) return undefined;
    const what = this.#incarnation === undefined ? "not registered" : "no list of nodes yet";
    if (this.#failingSince === undefined) return `${what}: ${this.#place()} has not answered yet`;
    const seconds = Math.floor((at - this.#failingSince) / 1_000);
    return `${what}: ${this.#place()} does not answer since ${seconds} s (${this.#lastFailure})`;
  }

  /** When `step` must next be called, whatever else happens. */
  deadline(): Instant | undefined {
    return this.#underWay || this.#left || this.#supersededBy !== undefined
      ? undefined
      : this.#nextAt;
  }

  step(now: Now, input: DiscoveryInput): readonly DiscoveryEffect[] {
    this.#effects = [];
    this.#quickUntil ??= now.at + this.#timing.quickFor;
    switch (input.type) {
      case "registered":
        this.#answered(now);
        this.#onRegistered(now, input.incarnation, input.number);
        break;
      case "superseded":
        this.#answered(now);
        this.#onSuperseded(input.by);
        break;
      case "rows-listed":
        this.#answered(now);
        this.#onRows(now, input.refreshed, input.rows);
        break;
      case "host-resolved":
        this.#onHost(now, input.addresses);
        break;
      case "file-read":
        this.#onFile(now, input.text);
        break;
      case "removed":
        this.#underWay = false;
        this.#leave();
        break;
      case "request-failed":
        this.#onFailed(now, input.detail);
        break;
      case "link-down":
        this.#hurry(now);
        break;
      case "leave":
        this.#leaving = true;
        break;
      case "deadline-reached":
        break;
    }
    this.#proceed(now);
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #onRegistered(now: Now, incarnation: number, number: number): void {
    this.#registered = true;
    this.#refreshedAt = now.at;
    if (this.#number !== number) {
      const { name } = this.#owner;
      this.#log("info", "node-registered", { name, number, incarnation });
    }
    this.#number = number;
    this.#identify(incarnation);
    // Listed only now: of two nodes that register at once, the later one sees the other.
    this.#nextAt = now.at;
  }

  #onRows(now: Now, refreshed: boolean, rows: readonly DiscoveryRow[]): void {
    if (refreshed) this.#refreshedAt = now.at;
    else {
      // Expired while we were cut off, taken by a namesake, or the table was lost: others may still be missing.
      this.#registered = false;
      this.#nextAt = now.at;
      this.#log("warning", "registration-lost", { name: this.#owner.name });
      return;
    }
    this.#list(now, rows);
  }

  #onHost(now: Now, addresses: readonly string[]): void {
    const { source } = this.#options;
    if (source.type !== "dns") return;
    // A name with no addresses is a mistake in the making, or a service that is just being replaced.
    if (addresses.length === 0) return this.#onFailed(now, `${source.host} has no addresses`);
    this.#answered(now);
    this.#identify(now.wall);
    this.#list(now, nodesAt(addresses, source.port));
  }

  #onFile(now: Now, text: string): void {
    const { source } = this.#options;
    if (source.type !== "file") return;
    const { nodes, badLines } = parseNodeList(text, source.port);
    if (badLines.length > 0) {
      return this.#onFailed(now, `line ${badLines.join(", ")} of ${source.path} names no node`);
    }
    // Whoever writes the file may have begun by emptying it.
    if (nodes.length === 0) return this.#onFailed(now, `${source.path} names no node`);
    this.#answered(now);
    this.#identify(now.wall);
    this.#list(now, nodes);
  }

  #onSuperseded(by: Peer): void {
    this.#supersededBy = by;
    this.#registered = false;
    this.#log("warning", "node-superseded", { name: by.name, incarnation: by.incarnation });
    this.#effects.push({ type: "superseded", by });
  }

  #onFailed(now: Now, detail: string): void {
    this.#underWay = false;
    if (this.#failingSince === undefined) {
      this.#failingSince = now.at;
      this.#log("warning", "discovery-failed", { place: this.#place(), reason: detail });
    }
    this.#lastFailure = detail;
    const { retryAfter, quickInterval } = this.#timing;
    this.#nextAt =
      now.at + Math.min(retryAfter * (1 << Math.min(this.#failures, 16)), quickInterval);
    this.#failures += 1;
    this.#failuresInAll += 1;
    // One attempt to remove it is enough: a row that stays expires.
    if (this.#removing) this.#leave();
  }

  /** A request was answered: the next one is due after the interval of these days. */
  #answered(now: Now): void {
    this.#underWay = false;
    this.#nextAt = now.at + this.#interval(now);
    if (this.#failingSince === undefined) return;
    const afterMs = now.at - this.#failingSince;
    this.#log("info", "discovery-back", { place: this.#place(), afterMs });
    this.#failingSince = undefined;
    this.#failures = 0;
  }

  #interval(now: Now): Duration {
    const { quickInterval, slowInterval, expireAfter } = this.#timing;
    // Several refreshes may fail before a row expires.
    const slow = Math.max(quickInterval, Math.min(slowInterval, expireAfter / 8));
    return now.at < (this.#quickUntil ?? 0) ? quickInterval : slow;
  }

  #hurry(now: Now): void {
    const { quickFor, quickInterval } = this.#timing;
    this.#quickUntil = Math.max(this.#quickUntil ?? 0, now.at + quickFor);
    if (this.#nextAt !== undefined) this.#nextAt = Math.min(this.#nextAt, now.at + quickInterval);
  }

  #identify(incarnation: number): void {
    if (this.#incarnation !== undefined) return;
    this.#incarnation = incarnation;
    this.#effects.push({ type: "identified", incarnation });
  }

  #list(now: Now, found: readonly ListedNode[]): void {
    this.#listedAt = now.wall;
    const peers = found
      .filter(({ name }) => name !== this.#owner.name)
      .map(({ name, address }) => ({ name, address }));
    const same =
      this.#peers?.length === peers.length &&
      this.#peers.every((was, at) => {
        return was.name === peers[at]?.name && was.address === peers[at]?.address;
      });
    if (same) return;
    this.#peers = peers;
    this.#effects.push({ type: "peers-discovered", peers });
  }

  #proceed(now: Now): void {
    if (this.#underWay || this.#left || this.#supersededBy !== undefined) {
      // One that must stop has no row to remove: the other process has it.
      if (this.#leaving && this.#supersededBy !== undefined) this.#leave();
      return;
    }
    const { source } = this.#options;
    if (this.#leaving) {
      // Also where we know of no row: a registration of an unknown end may have made one.
      if (source.type !== "sql") return this.#leave();
      this.#removing = true;
      return this.#ask({ type: "remove", owner: this.#owner });
    }
    if (this.#nextAt === undefined || this.#nextAt > now.at) return;
    switch (source.type) {
      case "sql":
        return this.#ask(
          this.#registered
            ? { type: "refresh", owner: this.#owner, expireAfter: this.#timing.expireAfter }
            : {
                type: "register",
                owner: this.#owner,
                incarnation: this.#incarnation,
                wall: now.wall,
              },
        );
      case "dns":
        return this.#ask({ type: "resolve", host: source.host });
      case "file":
        return this.#ask({ type: "read-file", path: source.path });
      case "static":
        this.#nextAt = undefined;
        this.#identify(now.wall);
        this.#list(now, source.nodes);
    }
  }

  #ask(request: DiscoveryRequest): void {
    this.#underWay = true;
    this.#effects.push({ type: "request", request });
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#registered = false;
    this.#effects.push({ type: "left" });
  }

  /** What answers our requests, in words. */
  #place(): string {
    const { source } = this.#options;
    switch (source.type) {
      case "sql":
        return "the database";
      case "dns":
        return `the name ${source.host}`;
      case "file":
        return `the file ${source.path}`;
      case "static":
        return "the configuration";
    }
  }

  #log(
    level: "info" | "warning",
    event: string,
    fields: Readonly<Record<string, string | number>>,
  ): void {
    this.#effects.push({ type: "log", level, event, fields });
  }
}
