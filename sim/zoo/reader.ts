/** Plants in the reader: bytes to stanzas. */
import type { Plant } from "./plant.ts";

const scan = "src/xmpp/element-scan.ts";

export const readerPlants: readonly Plant[] = [
  {
    name: "reader-forgets-cut-end-tag",
    file: scan,
    find: "    let i = this.#seen > first ? this.#seen : first;\n    for (; i < first + nameLength",
    replace:
      "    let i = this.#seen > first ? this.#seen + 1 : first;\n    for (; i < first + nameLength",
    oracle: "courtesy",
  },
  {
    name: "reader-does-not-move-open-names-of-a-cut-stanza",
    file: scan,
    find: "for (let i = 0; i < 2 * this.#depth; i++) this.#open[i]",
    replace: "for (let i = 2; i < 2 * this.#depth; i++) this.#open[i]",
    oracle: "courtesy",
  },
  {
    name: "reader-accepts-any-end-tag",
    file: scan,
    find: 'if (bytes[i] !== bytes[name + i - first]) throw notWellFormed("An end tag of another name");',
    replace: "",
    oracle: "refusals",
  },
  {
    name: "reader-does-not-check-utf-8",
    file: "src/xmpp/reader.ts",
    find: "if (scan.kinds & WIDE) checkEncoding(this.#bytes, scan.start, after);",
    replace: "",
    oracle: "refusals",
  },
  {
    name: "reader-has-no-depth-limit",
    file: scan,
    find: "if (depth > this.#limits.maxDepth) {",
    replace: "if (depth > 1_000_000) {",
    oracle: "refusals",
  },
  {
    name: "reader-drops-what-a-chunk-cut",
    file: "src/xmpp/reader.ts",
    find: "    this.#bytes.set(more, this.#end);",
    replace: "    if (more.length !== 1) this.#bytes.set(more, this.#end);",
    oracle: "courtesy",
  },
];
