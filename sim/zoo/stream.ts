/** Plants in the stream of one client: negotiation, delivery queue, endings. */
import type { Plant } from "./plant.ts";

const c2s = "src/stream/c2s.ts";
const outbox = "src/stream/outbox.ts";

export const streamPlants: readonly Plant[] = [
  {
    name: "stream-allows-one-more-guess",
    file: c2s,
    find: "if (this.#authGuesses >= max ||",
    replace: "if (this.#authGuesses > max ||",
    oracle: "accounts",
  },
  {
    name: "stream-takes-a-second-auth",
    file: c2s,
    find: 'return this.#fail(now, "not-authorized", "Already authenticated (RFC 6120 §6.4.6)");',
    replace: "",
    oracle: "refusals",
  },
  {
    name: "stream-loses-what-follows-success",
    file: c2s,
    find: 'this.#restart(this.#options.framing === "tcp" ? this.#reader.rest() : undefined);',
    replace: "this.#restart();",
    oracle: "progress",
  },
  {
    name: "stream-loses-what-came-while-it-authenticated",
    file: c2s,
    find: "    for (const bytes of held) this.#receive(now, bytes);",
    replace: "    void held;",
    oracle: "courtesy",
  },
  {
    name: "requests-before-binding-are-not-counted",
    file: c2s,
    find: "    this.#requests += 1;\n",
    replace: "",
    oracle: "refusals",
  },
  {
    name: "stream-authenticates-in-the-clear",
    file: "src/stream/sasl-elements.ts",
    find: 'if (mustEncryptFirst) return "encryption-required";',
    replace: "",
    oracle: "refusals",
  },
  {
    name: "stream-never-clears-congestion",
    file: c2s,
    find: 'this.#outbox.congested = input.type === "connection-congested";',
    replace: 'this.#outbox.congested ||= input.type === "connection-congested";',
    oracle: "patience",
  },
  {
    name: "outbox-gives-its-queue-backwards",
    file: outbox,
    find: "    const all = this.#waiting ?? [];",
    replace: "    const all = (this.#waiting ?? []).reverse();",
    oracle: "conservation",
  },
  {
    name: "outbox-never-forgets-what-it-held",
    file: outbox,
    find: "    this.#bytes = 0;\n    return all;",
    replace: "    return all;",
    oracle: "patience",
  },
  {
    name: "outbox-forgets-what-would-be-too-much",
    file: outbox,
    find: "    this.#bytes += stanza.size;",
    replace: "    this.#bytes += stanza.size;\n    if (this.#bytes > this.#maxBytes) return false;",
    oracle: "conservation",
  },
  {
    name: "outbox-gives-one-piece-and-no-more",
    file: c2s,
    find: "    if (this.#outbox.holds) return this.#drain(now);\n",
    replace: "",
    oracle: "patience",
    profile: "splits",
  },
  {
    name: "congested-stream-is-never-given-up",
    file: c2s,
    find: '      return this.#fail(now, "resource-constraint", text);\n    }\n    if (this.#outbox.holds)',
    replace:
      "      this.#deadline = now.at + sendTimeout;\n      return void text;\n    }\n    if (this.#outbox.holds)",
    oracle: "patience",
    profile: "splits",
  },
  {
    name: "what-a-client-says-counts-as-reading",
    file: c2s,
    find: '    this.#activeAt = now.at;\n    if (this.#state === "securing")',
    replace:
      '    this.#activeAt = now.at;\n    if (this.#outbox.congested) this.#deadline = now.at + this.#options.sendTimeout;\n    if (this.#state === "securing")',
    oracle: "patience",
    profile: "splits",
  },
  {
    name: "drained-stream-keeps-its-deadline",
    file: c2s,
    find: "    else this.#deadline = this.#outbox.holds ? now.at : idleAt(now.at, keepAliveInterval);\n",
    replace: "    else if (this.#outbox.holds) this.#deadline = now.at;\n",
    oracle: "patience",
    profile: "splits",
  },
  {
    name: "negotiation-is-limited-at-its-opening-only",
    file: c2s,
    find: '    if (this.#state !== "bound") {\n      return this.#fail',
    replace: '    if (this.#state === "opening") {\n      return this.#fail',
    oracle: "patience",
    profile: "cluster",
  },
  {
    name: "shaped-reading-resumes-late",
    file: "src/server/clients.ts",
    find: "  return Math.min(one, other);",
    replace: "  return Math.max(one, other);",
    oracle: "patience",
  },
  {
    name: "shaper-forgets-its-debt",
    file: "src/stream/shaper.ts",
    find: "Math.max(this.#evenAt, at - burst) + input.count",
    replace: "at - burst + input.count",
    oracle: "patience",
  },
  {
    name: "later-deadlines-stay-where-they-are",
    file: "src/base/deadlines.ts",
    find: "    else this.#down(slot);\n",
    replace: "",
    oracle: "patience",
  },
  {
    name: "stream-sends-no-keep-alive",
    file: c2s,
    find: "    if (isIdle) this.#write(this.#framing.keepAlive);\n",
    replace: "",
    oracle: "patience",
  },
];
