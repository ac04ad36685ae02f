/** Plants in the stream of one client: negotiation, delivery queue, endings. */
import type { Plant } from "./plant.ts";

const c2s = "src/stream/c2s.ts";
const outbox = "src/stream/outbox.ts";

export const streamPlants: readonly Plant[] = [
  {
    name: "stream-takes-a-second-auth",
    file: c2s,
    find: 'return this.#fail(now, "not-authorized", "Already authenticated (RFC 6120 §6.4.6)");',
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
    find: "  #drain(now: Now): void {\n    this.#congested = false;",
    replace: "  #drain(now: Now): void {",
    oracle: "conservation",
  },
  {
    name: "outbox-gives-its-queue-backwards",
    file: outbox,
    find: "    const all = this.#waiting ?? [];",
    replace: "    const all = (this.#waiting ?? []).reverse();",
    oracle: "conservation",
  },
  {
    name: "outbox-forgets-what-would-be-too-much",
    file: outbox,
    find: "    this.#bytes += stanza.size;",
    replace: "    this.#bytes += stanza.size;\n    if (this.#bytes > this.#maxBytes) return false;",
    oracle: "conservation",
  },
  {
    name: "stream-sends-no-keep-alive",
    file: c2s,
    find: "if (now.at - idleSince >= interval) this.#write(this.#framing.keepAlive);",
    replace: "",
    oracle: "patience",
  },
];
