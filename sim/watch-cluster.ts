/**
 * Watch: what does one process believe of the cluster, and what did it tell others?
 *
 * Stands around a `Cluster`, whoever made it: writes to its tables, sessions of its links, questions and
 * answers of `settle`, and after each turn what has changed in the partitions that are visible. All of it
 * goes into the trace, where the oracles compare the nodes. The code under test does not know. Of a partition
 * only the keys that were written since are looked up, and now and then all that it shows.
 */
import { flat, type BinaryString } from "../src/base/bytes.ts";
import type { Cluster, ClusterEffect } from "../src/cluster/cluster.ts";
import { kinds, type Message } from "../src/cluster/messages.ts";
import type { Partition } from "../src/cluster/partition.ts";
import { peerText, type Peer } from "../src/cluster/peer.ts";
import type { ReplicatedTable } from "../src/cluster/table.ts";
import type { TraceKind, TraceKinds } from "./trace.ts";

type Recording = <K extends TraceKind>(kind: K, data: TraceKinds[K]) => void;

interface View {
  readonly peer: Peer;
  seq: number;
  /** What was shown when it was last looked at; another is compared as a whole. */
  partition: Partition | undefined;
  readonly records: Map<BinaryString, BinaryString>;
}

interface Difference {
  /** Keys and values in turn. */
  readonly put: string[];
  readonly gone: string[];
}

export class ClusterWatch {
  readonly #record: Recording;
  /** By table, then by owner: what was visible when it was last looked at. */
  readonly #views = new Map<string, Map<string, View>>();
  /** Owners whose snapshot is being loaded. */
  readonly #loading = new Set<string>();
  /** Asked for after every turn, and made once. */
  readonly #texts = new Map<Peer, string>();
  /** Keys that were written since it was last looked at, of each partition that was ever shown. */
  readonly #touched = new WeakMap<Partition, Set<BinaryString>>();
  #cluster: Cluster | undefined;
  #tables: readonly string[] = [];
  #stirred = false;

  constructor(record: Recording) {
    this.#record = record;
  }

  start(self: Peer, cluster: Cluster): void {
    this.#cluster = cluster;
    this.#record("cluster-joined", { peer: peerText(self) });
    const step = cluster.step.bind(cluster);
    cluster.step = (now, input) => {
      this.#stirred = true;
      return this.#effects(step(now, input));
    };
    const flush = cluster.flush.bind(cluster);
    cluster.flush = (now) => {
      const effects = this.#effects(flush(now));
      // A peer that takes too little may be given up at the end of a turn that nothing reached the cluster in.
      if (effects.some(({ type }) => type !== "write")) this.#stirred = true;
      return effects;
    };
    const settle = cluster.settle.bind(cluster);
    cluster.settle = (now, request) => {
      this.#record("settle-asked", { request });
      settle(now, request);
    };
    this.#tables = cluster.status().tables.map(({ name }) => name);
    for (const name of this.#tables) {
      this.#views.set(name, new Map());
      this.#writes(cluster.table(name));
    }
  }

  /** After a turn: tells what has changed in what is visible. */
  look(): void {
    const cluster = this.#cluster;
    if (!this.#stirred || cluster === undefined) return;
    this.#stirred = false;
    for (const { name, replicas } of cluster.tablesStatus()) {
      const views = this.#views.get(name);
      if (views === undefined) continue;
      // What a table shows is asked of the table, whatever its machine believes.
      const table = cluster.table(name);
      const shown = new Set<string>();
      for (const peer of table.owners.slice(1)) shown.add(this.#text(peer));
      for (const owner of views.keys()) if (!shown.has(owner)) this.#hid(name, views, owner);
      for (const { peer, seq, state } of replicas) {
        const owner = this.#text(peer);
        if (state === "loading" && !this.#loading.has(owner)) {
          this.#loading.add(owner);
          this.#record("table-loading", { table: name, owner });
        } else if (state !== "loading") this.#loading.delete(owner);
        if (shown.has(owner) && views.get(owner)?.seq !== seq) this.#saw(table, views, peer, seq);
      }
    }
  }

  /** Who is linked, who is synced, how much waits; `closely`: and all records that are shown. */
  observe(closely: boolean): void {
    const cluster = this.#cluster;
    if (cluster === undefined) return;
    if (closely) this.#compareAll(cluster);
    const peers = cluster.peers();
    const { links, tables } = cluster.status();
    const broken = links.flatMap(({ state, peer }) =>
      state === "broken" && peer !== undefined ? [peerText(peer)] : [],
    );
    this.#record("cluster-observed", {
      peers: peers.map(peerText),
      synced: peers.filter((peer) => cluster.synced(peer)).map(peerText),
      ...(broken.length > 0 ? { broken } : {}),
      queuedBytes: links.reduce((most, link) => Math.max(most, link.queuedBytes), 0),
      unackedBytes: links.reduce((most, link) => Math.max(most, link.unackedBytes), 0),
      logBytes: tables.reduce((most, table) => Math.max(most, table.logBytes), 0),
      logOperations: tables.reduce((most, { name }) => {
        return Math.max(most, cluster.table(name).log.size);
      }, 0),
    });
  }

  #writes(table: ReplicatedTable): void {
    const { name } = table;
    const put = table.put.bind(table);
    table.put = (key, value) => {
      const seq = put(key, value);
      this.#record("table-written", { table: name, seq, key, value, deleted: false });
      return seq;
    };
    const remove = table.delete.bind(table);
    table.delete = (key) => {
      const deleted = remove(key);
      const { seq } = table.ownPartition;
      if (deleted) this.#record("table-written", { table: name, seq, key, value: "", deleted });
      return deleted;
    };
  }

  #saw(table: ReplicatedTable, views: Map<string, View>, peer: Peer, seq: number): void {
    const owner = this.#text(peer);
    const before = views.get(owner);
    const fresh = before === undefined;
    const view = before ?? { peer, seq, partition: undefined, records: new Map() };
    if (fresh) views.set(owner, view);
    view.seq = seq;
    const partition = table.visiblePartition(peer);
    const keys = partition === view.partition ? this.#touchedOf(partition) : undefined;
    view.partition = partition;
    const { put, gone } = keys === undefined ? this.#whole(table, view) : byKey(view, keys);
    this.#record("table-seen", { table: table.name, owner, seq, fresh, put, gone });
  }

  /** A partition that changes past its own methods is found here. */
  #compareAll(cluster: Cluster): void {
    for (const [name, views] of this.#views) {
      const table = cluster.table(name);
      for (const [owner, view] of views) {
        // What was hidden or replaced in this turn, the next look tells.
        if (table.visiblePartition(view.peer) !== view.partition) continue;
        const { seq } = view;
        const { put, gone } = this.#whole(table, view);
        if (put.length + gone.length === 0) continue;
        this.#record("table-seen", { table: name, owner, seq, fresh: false, put, gone });
      }
    }
  }

  /** Compares all that the table shows. */
  #whole(table: ReplicatedTable, { peer, partition, records }: View): Difference {
    this.#touchedOf(partition)?.clear();
    const put: string[] = [];
    let size = 0;
    for (const { key, value } of table.ownedBy(peer)) {
      size++;
      if (records.get(key) === value) continue;
      put.push(key, value);
      records.set(key, value);
    }
    if (records.size === size) return { put, gone: [] };
    const left = new Set(records.keys());
    for (const { key } of table.ownedBy(peer)) left.delete(key);
    for (const key of left) records.delete(key);
    return { put, gone: [...left] };
  }

  /** From the first call on it is noted which keys are written. */
  #touchedOf(partition: Partition | undefined): Set<BinaryString> | undefined {
    if (partition === undefined) return undefined;
    const known = this.#touched.get(partition);
    if (known !== undefined) return known;
    const touched = new Set<BinaryString>();
    this.#touched.set(partition, touched);
    const put = partition.put.bind(partition);
    partition.put = (key, value, seq) => {
      touched.add(key);
      return put(key, value, seq);
    };
    const remove = partition.delete.bind(partition);
    partition.delete = (key, seq) => {
      touched.add(key);
      return remove(key, seq);
    };
    const take = partition.take.bind(partition);
    partition.take = (operation) => {
      touched.add(flat(operation.key));
      take(operation);
    };
    return touched;
  }

  #text(peer: Peer): string {
    let text = this.#texts.get(peer);
    if (text === undefined) this.#texts.set(peer, (text = peerText(peer)));
    return text;
  }

  #hid(table: string, views: Map<string, View>, owner: string): void {
    views.delete(owner);
    this.#record("table-hidden", { table, owner });
  }

  #effects(effects: readonly ClusterEffect[]): readonly ClusterEffect[] {
    for (const effect of effects) this.#effect(effect);
    return effects;
  }

  #effect(effect: ClusterEffect): void {
    switch (effect.type) {
      case "peer-up": {
        const { peer, session, version } = effect;
        const told = { peer: peerText(peer), session };
        return this.#record("peer-up", version === 1 ? told : { ...told, version });
      }
      case "peer-down": {
        const { peer, session, reason, final, undelivered } = effect;
        const count = undelivered.length;
        const told = { peer: peerText(peer), session, reason, final, undelivered: count };
        const handedBack = undelivered.flatMap(clientsId);
        return this.#record("peer-down", handedBack.length === 0 ? told : { ...told, handedBack });
      }
      case "settled": {
        const { request, visibleAt, missing, lost, skipped } = effect;
        return this.#record("settled", {
          request,
          visible: visibleAt.map(peerText),
          missing: missing.map(peerText),
          lost: lost.map(peerText),
          skipped: skipped.map(peerText),
        });
      }
      case "superseded":
        return this.#record("node-superseded", { by: peerText(effect.by) });
      default:
        return;
    }
  }
}

/** Of a client's message or request, or what answers it; of anything else, none. */
function clientsId({ kind, body }: Message): readonly string[] {
  const id = kind === kinds.stanza ? / id=["']([mq]\/[^"']+)["']/.exec(body)?.[1] : undefined;
  return id === undefined ? [] : [id];
}

/** Compares what the partition has under these keys, and forgets them. */
function byKey({ partition, records }: View, keys: Set<BinaryString>): Difference {
  const put: string[] = [];
  const gone: string[] = [];
  for (const key of keys) {
    const value = partition?.get(key)?.value;
    if (records.get(key) === value) continue;
    if (value === undefined) {
      gone.push(key);
      records.delete(key);
    } else {
      put.push(key, value);
      records.set(key, value);
    }
  }
  keys.clear();
  return { put, gone };
}
