/** Plants in links, tables, discovery and the sessions of a cluster. */
import type { Plant } from "./plant.ts";

const link = "src/cluster/link-session.ts";
const queues = "src/cluster/link-queues.ts";
const retained = "src/cluster/retained-frames.ts";
const replica = "src/cluster/sync-replica.ts";
const settlement = "src/cluster/settlement.ts";
const discovery = "src/cluster/discovery.ts";
const directory = "src/router/directory.ts";
const host = "src/server/cluster-host.ts";

const plantsOfCluster: readonly Plant[] = [
  {
    name: "directory-tells-nobody-who-is-away",
    file: directory,
    find: "    if (this.#table !== undefined) this.#put(session);",
    replace: "    if (this.#table !== undefined && session.available) this.#put(session);",
    oracle: "delivery",
  },
  {
    name: "successor-is-no-later",
    file: "src/storage/discovery.ts",
    find: "Math.max(wall, (own?.incarnation ?? 0) + 1)",
    replace: "Math.max(wall, own?.incarnation ?? 0)",
    oracle: "registry",
    profile: "cluster",
  },
  {
    name: "settlement-waits-for-who-has-gone",
    file: "src/cluster/tables.ts",
    find: "    this.#settlement.lose(session.peer);\n",
    replace: "",
    oracle: "settled",
    profile: "cluster",
  },
  {
    name: "link-resumes-without-what-was-in-flight",
    file: link,
    find: "    this.#resend = this.#retained.length > 0;",
    replace: "    this.#resend = false;",
    oracle: "links",
  },
  {
    name: "link-forgets-what-waited",
    file: link,
    find: "const waiting = [...tables, ...stanzas]",
    replace: "const waiting = [...tables]",
    oracle: "conservation",
  },
  {
    name: "link-forgets-what-was-in-flight",
    file: retained,
    find: "if (more) continue;",
    replace: "if (more || !whole.has(number)) continue;",
    oracle: "conservation",
  },
  {
    name: "link-has-no-window",
    file: link,
    find: "return retained === 0 || retained + bytes <= this.#window.bytes;",
    replace: "return retained >= 0 || retained + bytes <= this.#window.bytes;",
    oracle: "bounds",
  },
  {
    name: "link-closes-at-what-a-later-release-adds",
    file: link,
    find: "if (frame.kind < ignorableFrom)",
    replace: "if (frame.kind > 0)",
    oracle: "links",
  },
  {
    name: "link-speaks-its-own-highest-version",
    file: "src/cluster/link.ts",
    find: "    const version = commonVersion(own, peer);",
    replace: "    const version = commonVersion(own, own);",
    oracle: "links",
  },
  {
    name: "operation-of-a-later-release-is-read-as-an-old-one",
    file: "src/cluster/sync-messages.ts",
    find: "  if ((flags & extended) !== 0) reader.skip();\n  return seq;",
    replace: "  if ((flags & extended) > extended) reader.skip();\n  return seq;",
    oracle: "uncaught",
  },
  {
    name: "record-of-a-later-release-is-no-session",
    file: "src/router/session-record.ts",
    find: "  return value.length >= sizeMin && value.charCodeAt(0) > 0;",
    replace: "  return value.length >= sizeMin && value.charCodeAt(0) === version;",
    oracle: "directory",
  },
  {
    name: "link-hears-only-heartbeats",
    file: "src/cluster/link.ts",
    find: "    this.#heardAt = this.#context.now;",
    replace: "    if (this.#heardAt === 0) this.#heardAt = this.#context.now;",
    oracle: "convergence",
  },
  {
    name: "replica-shows-a-half-loaded-snapshot",
    file: replica,
    find: "    this.#loading = { sync, partition, deleted: new Set(), broken: false };",
    replace:
      "    this.#loading = { sync, partition, deleted: new Set(), broken: false };\n    if (!this.#visible) {\n      this.#partition = partition;\n      this.#show(partition);\n    }",
    oracle: "atomic-sync",
  },
  {
    name: "replica-shows-what-it-had-before-it-asks",
    file: replica,
    find: "    this.#asked = true;\n    this.#outlet.ask(this.table, this.#partition?.seq, false);",
    replace:
      "    this.#asked = true;\n    if (this.#partition !== undefined) this.#show(this.#partition);\n    this.#outlet.ask(this.table, this.#partition?.seq, false);",
    oracle: "ghosts",
  },
  {
    name: "replica-is-not-hidden",
    file: replica,
    find: "      this.table.hide(this.#partition);",
    replace: "",
    oracle: "ghosts",
  },
  {
    name: "log-is-off-by-one",
    file: "src/cluster/sync-source.ts",
    find: "this.table.log.after(from, seq, this.#limits.deltaBytesMax);",
    replace: "this.table.log.after(from + 1, seq, this.#limits.deltaBytesMax);",
    oracle: "links",
  },
  {
    name: "snapshot-forgets-what-had-no-room",
    file: "src/cluster/record-store.ts",
    find: "      if (count > 0 && size + layout.end - at > bytesMax) break;",
    replace:
      "      if (count > 0 && size + layout.end - at > bytesMax) { cursor.next += 1; break; }",
    oracle: "atomic-sync",
  },
  {
    name: "settled-before-it-is-seen",
    file: settlement,
    find: 'return source.state !== "stale" && source.visibleSeq < seq;',
    replace: 'return source.state !== "stale" && source.visibleSeq > seq;',
    oracle: "settled",
  },
  {
    name: "mesh-ends-what-no-list-names",
    file: "src/cluster/mesh.ts",
    find: "      link.dialling.listed = false;",
    replace: '      link.dialling.listed = false;\n      link.end("no longer listed", false);',
    oracle: "constancy",
    profile: "lists",
  },
  {
    name: "discovery-takes-no-address-for-a-list",
    file: discovery,
    find: "    if (addresses.length === 0) return this.#onFailed(now, `${source.host} has no addresses`);",
    replace: "",
    oracle: "health",
    profile: "lists",
  },
  {
    name: "discovery-takes-an-empty-file-for-a-list",
    file: discovery,
    find: "    if (nodes.length === 0) return this.#onFailed(now, `${source.path} names no node`);",
    replace: "",
    oracle: "health",
    profile: "lists",
  },
  {
    name: "registration-once-lost-stays-lost",
    file: discovery,
    find: "      this.#registered = false;\n      this.#nextAt = now.at;",
    replace: "      this.#nextAt = now.at;",
    oracle: "registry",
  },
  {
    name: "bind-stamps-by-the-wall-clock",
    file: "src/server/binding.ts",
    find: "  return greatest === undefined ? now.wall : Math.max(now.wall, greatest + 1);",
    replace: "  return greatest === undefined ? now.wall : Math.max(now.wall, 1);",
    oracle: "directory",
  },
  {
    name: "conflict-closes-the-newer",
    file: directory,
    find: "      if (survives({ ...theirs, node: record.owner.name }, ours)) {",
    replace: "      if (!survives({ ...theirs, node: record.owner.name }, ours)) {",
    oracle: "directory",
  },
  {
    name: "session-leaves-its-record-behind",
    file: directory,
    find: "if (record?.sid === session.sid && record.gen === session.gen) this.#table?.delete(key);",
    replace:
      "if (record?.sid !== session.sid && record?.gen === session.gen) this.#table?.delete(key);",
    oracle: "directory",
  },
  {
    name: "handed-back-and-dropped",
    file: host,
    find: "    for (const { body } of returned) this.#return(now, body, lookedUp, lost);",
    replace: "",
    oracle: "conservation",
  },
  {
    name: "maybe-is-never-doubted",
    file: "src/router/arrivals.ts",
    find: "    if ((maybe ? this.#all : this.#marked).has(id)) return false;",
    replace: "",
    oracle: "conservation",
  },
  {
    name: "link-counts-what-has-left-as-waiting",
    file: queues,
    find: "      this.bytes -= cost(first);\n",
    replace: "",
    oracle: "bounds",
  },
  {
    name: "link-cuts-the-next-message-where-the-last-was-cut",
    file: queues,
    find: "      this.written += 1;\n      this.#cutAt = 0;",
    replace: "      this.written += 1;",
    oracle: "uncaught",
  },
  {
    name: "conflict-is-not-looked-for-when-a-record-comes",
    file: host,
    find: "        if (effect.after !== undefined) life.recordWritten(now, effect.key);\n",
    replace: "",
    oracle: "sessions",
    profile: "splits",
  },
  {
    name: "conflict-is-won-by-the-greater-name",
    file: "src/router/session-conflict.ts",
    find: "  if (one.stamp !== other.stamp) return one.stamp > other.stamp;\n",
    replace: "",
    oracle: "directory",
    profile: "splits",
  },
  {
    name: "looked-up-again-and-not-doubted",
    file: "src/router/router.ts",
    find: "    const onwards = { ...transit, maybe: true };",
    replace: "    const onwards = transit;",
    oracle: "conservation",
    profile: "splits",
  },
  {
    name: "link-gives-no-grace",
    file: "src/cluster/link.ts",
    find: "    this.#graceEndsAt = now + options.timing.linkGrace;\n",
    replace: "",
    oracle: "links",
  },
  {
    name: "tables-leave-with-something-else-alone",
    file: "src/cluster/tables.ts",
    find: "      if (table.hasUnsent || this.#reports.has(table.name)) this.#flush(number);",
    replace: "      if (this.pending || this.#reports.has(table.name)) this.#flush(number);",
    oracle: "convergence",
  },
  {
    name: "chunks-fill-their-window-for-ever",
    file: retained,
    find: "    if (sync) this.#syncBytes -= cost;\n",
    replace: "",
    oracle: "convergence",
  },
  {
    name: "table-hides-the-last-that-came",
    file: "src/cluster/table.ts",
    find: "    this.#visible.splice(at, 1);",
    replace: "    this.#visible.pop();",
    oracle: "convergence",
  },
  {
    name: "ready-before-it-has-the-tables",
    file: "src/server/cluster-readiness.ts",
    find: "peer.name === name && cluster.synced(peer));",
    replace: "peer.name === name);",
    oracle: "health",
  },
  {
    name: "ready-only-when-all-are-there",
    file: "src/server/cluster-readiness.ts",
    find: "(this.#since.get(name) ?? now) >= patience)",
    replace: "(this.#since.get(name) ?? now) >= 100 * patience)",
    oracle: "health",
  },
  {
    name: "bound-before-the-others-know",
    file: "src/server/session-life.ts",
    find: "    if (!settle(now, waiting)) return this.#bound(now, client, reply);",
    replace: "    settle(now, waiting);\n    return this.#bound(now, client, reply);",
    oracle: "settled",
  },
  {
    name: "a-long-message-loses-its-beginning",
    file: "src/cluster/link-session.ts",
    find: `      grown.set(assembly.bytes.subarray(0, assembly.size));
`,
    replace: "",
    oracle: "uncaught",
    profile: "cluster",
  },
];

export const clusterPlants: readonly Plant[] = plantsOfCluster.map((plant) => ({
  profile: "cluster",
  ...plant,
}));
