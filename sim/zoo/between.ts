/** Plants in what nodes know of each other: a stranger's, most of which the simulator did not reach before. */
import type { Plant } from "./plant.ts";

const plantsBetween: readonly Plant[] = [
  {
    name: "sessions-are-counted-here-only",
    file: "src/router/directory.ts",
    find: "    if (this.#table === undefined) return count;\n    const key",
    replace: "    if (this.#table === undefined || count >= 0) return count;\n    const key",
    oracle: "sessions",
  },
  {
    name: "names-are-taken-here-only",
    file: "src/server/binding.ts",
    find: "const taken = directory.stampOf(wanted.full) !== undefined;",
    replace: "const taken = directory.local.get(wanted.full) !== undefined;",
    oracle: "sessions",
  },
  {
    name: "a-new-name-is-made-for-nothing",
    file: "src/server/binding.ts",
    find: "      ? wanted.withResource(newResource(asked.entropy))\n      : wanted;",
    replace: "      ? wanted\n      : wanted.withResource(newResource(asked.entropy));",
    oracle: "progress",
  },
  {
    name: "who-was-a-peer-is-dialled-only-if-listed",
    file: "src/cluster/link-dialling.ts",
    find: "return this.listed || this.#context.now < this.until;",
    replace: "return this.listed;",
    oracle: "constancy",
    profile: "lists",
  },
  {
    name: "link-takes-no-receipt-from-a-heartbeat",
    file: "src/cluster/link.ts",
    find: "    if (session.acknowledged(reader.uint(), this.#context.now)) this.#context.wake(this);\n    if (frame.kind === kinds.ack) return;\n",
    replace:
      "    const received = reader.uint();\n    if (frame.kind === kinds.ack) {\n      if (session.acknowledged(received, this.#context.now)) this.#context.wake(this);\n      return;\n    }\n",
    oracle: "receipts",
    profile: "splits",
  },
  {
    name: "link-hears-no-receipt-of-who-gave-it-up",
    file: "src/cluster/link.ts",
    find: "        final,\n        peer,\n      );",
    replace: "        final,\n      );",
    oracle: "receipts",
    profile: "splits",
  },
  {
    name: "looks-are-as-seldom-as-rows-expire",
    file: "src/cluster/discovery.ts",
    find: "Math.min(slowInterval, expireAfter / 8)",
    replace: "Math.min(slowInterval, expireAfter)",
    oracle: "discovery",
  },
  {
    name: "a-lost-link-hurries-nobody",
    file: "src/cluster/discovery.ts",
    find: "    if (this.#nextAt !== undefined) this.#nextAt = Math.min(this.#nextAt, now.at + quickInterval);\n",
    replace: "",
    oracle: "discovery",
    profile: "cluster",
  },
];

export const plantsBetweenNodes: readonly Plant[] = plantsBetween.map((plant) => ({
  profile: "cluster",
  ...plant,
}));
