/** Plants in what crosses between nodes: hand-back, answers whose askers are out of sight, order on a link. */
import type { Plant } from "./plant.ts";

const requests = "src/server/requests.ts";
const stranded = "src/server/stranded.ts";
const host = "src/server/cluster-host.ts";
const link = "src/cluster/link-session.ts";
const queues = "src/cluster/link-queues.ts";

const plantsOfCrossing: readonly Plant[] = [
  {
    name: "requests-to-who-leaves-are-forgotten",
    file: "src/server/traffic.ts",
    find: "    if (final) this.#answerFor(now, this.#requests.peerGone(peer));",
    replace: "    if (final) this.#requests.peerGone(peer);",
    oracle: "answers",
    profile: "cluster",
  },
  {
    name: "requests-outlive-their-asker",
    file: "src/server/core.ts",
    find: "    if (client.session !== undefined) this.#traffic.sessionEnded(client.session);\n",
    replace: "",
    oracle: "answers",
    profile: "splits",
  },
  {
    name: "undelivered-forgets-what-went-in-fragments",
    file: "src/cluster/retained-frames.ts",
    find: "if (more) continue;",
    replace: "if (more || whole.has(number)) continue;",
    oracle: "conservation",
  },
  {
    name: "undelivered-forgets-what-is-cut",
    file: queues,
    find: "    return this.#waiting[Symbol.iterator]();",
    replace:
      "    const waiting = [...this.#waiting];\n    return (this.#cutAt > 0 ? waiting.slice(1) : waiting)[Symbol.iterator]();",
    oracle: "conservation",
  },
  {
    name: "stranded-forgets-the-others",
    file: stranded,
    find: "    this.#waiting = kept;",
    replace: "    this.#waiting = [];",
    oracle: "answers",
  },
  {
    name: "stranded-looks-for-the-lost-too-late",
    file: host,
    find: "    if (!final) this.#options.traffic.peerLost(now, peer);\n    const lookedUp = new Set<string>();\n    const lost = final ? undefined : peer;\n    for (const { body } of returned) this.#return(now, body, lookedUp, lost);",
    replace:
      "    const lookedUp = new Set<string>();\n    const lost = final ? undefined : peer;\n    for (const { body } of returned) this.#return(now, body, lookedUp, lost);\n    if (!final) this.#options.traffic.peerLost(now, peer);",
    oracle: "answers",
  },
  {
    name: "bounce-at-a-full-link-names-the-session",
    file: "src/server/traffic.ts",
    find: "    const to = stanza.to ?? target;\n    const effects",
    replace: "    const to = target;\n    const effects",
    oracle: "conservation",
  },
  {
    name: "stranded-waits-for-nobody",
    file: stranded,
    find: "some((since) => at <= since + patience)",
    replace: "some((since) => at > since + patience)",
    oracle: "answers",
  },
  {
    name: "requests-give-up-who-is-not-late",
    file: requests,
    find: "filter(({ until }) => until <= at);",
    replace: "filter(({ until }) => until >= at);",
    oracle: "answers",
  },
  {
    name: "requests-forget-that-they-are-answered",
    file: requests,
    find: "    if (own?.delete(keyOf(name)) !== true) return false;",
    replace: "    if (own === undefined) return false;\n    own.delete(keyOf(name));",
    oracle: "answers",
  },
  {
    name: "requests-take-a-successor-for-a-stranger",
    file: requests,
    find: "      else if (loss.peer.name === peer.name) gone.push(...this.peerGone(loss.peer));\n",
    replace: "",
    oracle: "answers",
  },
  {
    name: "handed-back-what-waited-first",
    file: link,
    find: "[...this.#retained.undelivered(), ...waiting]",
    replace: "[...waiting, ...this.#retained.undelivered()]",
    oracle: "conservation",
  },
  {
    name: "peer-stays-full",
    file: "src/server/stanza-exchange.ts",
    find: "    this.setFull(peer, false);\n",
    replace: "",
    oracle: "delivery",
  },
  {
    name: "stanzas-go-before-tables",
    file: queues,
    find: "    return mayOvertake || tables.written < stanza.after ? tables : stanzas;",
    replace: "    return mayOvertake && tables.written > stanza.after ? tables : stanzas;",
    oracle: "operation-order",
  },
  {
    name: "stranded-are-not-looked-at-again",
    file: host,
    find: "        return traffic.peerBack(now, effect.owner);",
    replace: "        return;",
    oracle: "answers",
  },
  {
    name: "bind-limit-counts-the-login-itself",
    file: "src/server/binding.ts",
    find: "  if (count >= limits.max_per_user) {",
    replace: "  if (count + 1 >= limits.max_per_user) {",
    oracle: "progress",
  },
  {
    name: "refresh-does-not-set-the-time",
    file: "src/storage/discovery.ts",
    find: "UPDATE discovery_nodes SET updated_at = clock_timestamp()",
    replace: "UPDATE discovery_nodes SET updated_at = updated_at",
    oracle: "registry",
    profile: "cluster",
  },
  {
    name: "rows-expire-a-thousand-times-too-soon",
    file: "src/storage/discovery.ts",
    find: "expireAfterMs / 1_000",
    replace: "expireAfterMs / 1_000_000",
    oracle: "registry",
    profile: "cluster",
  },
  {
    name: "who-lost-its-name-keeps-its-record",
    file: "src/router/directory.ts",
    find: "    if (own === undefined) return known;",
    replace:
      "    if (own === undefined || this.ownerOf(session.jid.full) !== undefined) return known;",
    oracle: "directory",
  },
  {
    name: "directory-keeps-who-left-while-away",
    file: "src/router/directory.ts",
    find: "if (record?.sid === session.sid && record.gen === session.gen) this.#table?.delete(key);",
    replace:
      "if (session.available && record?.sid === session.sid && record.gen === session.gen)\n      this.#table?.delete(key);",
    oracle: "directory",
  },
  {
    name: "log-is-bounded-by-bytes-alone",
    file: "src/cluster/operation-log.ts",
    find: "(this.#bytes > this.#bytesMax || this.size > this.#countMax)",
    replace: "this.#bytes > this.#bytesMax",
    oracle: "bounds",
  },
];

export const crossingPlants: readonly Plant[] = plantsOfCrossing.map((plant) => ({
  profile: "splits",
  ...plant,
}));
