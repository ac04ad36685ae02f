/** Plants in the stream of one client: negotiation, delivery queue, endings. */
import type { Plant } from "./plant.ts";

const c2s = "src/stream/c2s.ts";

export const streamPlants: readonly Plant[] = [
  {
    name: "stream-takes-a-second-auth",
    file: c2s,
    find: 'return this.#fail(now, "not-authorized", "Already authenticated (RFC 6120 §6.4.6)");',
    replace: "",
    oracle: "refusals",
  },
  {
    name: "stream-takes-a-password-in-the-clear",
    file: c2s,
    find: 'if (this.#tls === undefined && this.#options.tlsMode === "starttls_required") {',
    replace: "if (this.#options.hosts.length === 0) {",
    oracle: "refusals",
  },
  {
    name: "stream-loses-what-came-while-it-waited",
    file: c2s,
    find: "    for (const bytes of held) this.#receive(now, bytes);",
    replace: "    void held;",
    oracle: "progress",
  },
  {
    name: "stream-never-clears-congestion",
    file: c2s,
    find: "  #drain(now: Now): void {\n    this.#congested = false;",
    replace: "  #drain(now: Now): void {",
    oracle: "conservation",
  },
  {
    name: "stream-sends-its-queue-backwards",
    file: c2s,
    find: "for (const delivery of queue) this.#writeStanza(delivery);",
    replace: "for (const delivery of queue.reverse()) this.#writeStanza(delivery);",
    oracle: "conservation",
  },
  {
    name: "stream-ignores-the-login-time-limit",
    file: c2s,
    find: '    if (this.#state !== "bound") {\n      const limit',
    replace:
      '    if (this.#state === "bound" && this.#congested === undefined) {\n      const limit',
    oracle: "sessions",
  },
  {
    name: "stream-forgets-its-queue-at-the-end",
    file: c2s,
    find: "if (deliveries !== undefined) this.#effects.push",
    replace: "if (deliveries === null) this.#effects.push",
    oracle: "conservation",
  },
  {
    name: "stream-sends-no-keep-alive",
    file: c2s,
    find: "if (now.at - idleSince >= interval) this.#write(this.#framing.keepAlive);",
    replace: "",
    oracle: "sessions",
  },
];
