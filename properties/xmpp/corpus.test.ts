/**
 * Corpus: streams as clients of many kinds send them, and streams that nobody may send, one file each;
 * and what becomes of them when they are spoiled: bytes changed, pieces taken out, doubled, put into
 * another's middle. Saxes and ours must agree on all of it, however it is cut.
 *
 * The names in test/xmpp/corpus/ say what must become of a file. A failure found elsewhere is one file more.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chunkSizes, cut } from "../arbitraries/xml.ts";
import { isDisputed, oracle, read } from "./two-readers.ts";

const folder = fileURLToPath(new URL("../../test/xmpp/corpus/", import.meta.url));
const corpus = readdirSync(folder).map((name) => ({ name, bytes: readFileSync(folder + name) }));

test("the corpus has streams of both kinds", () => {
  expect(corpus.filter(({ name }) => name.startsWith("taken-"))).toHaveLength(21);
  expect(corpus.filter(({ name }) => name.startsWith("refused-"))).toHaveLength(18);
  expect(corpus).toHaveLength(39);
});

test.each(corpus)("corpus: $name", ({ name, bytes }) => {
  const taken = name.startsWith("taken-");
  const whole = read([bytes]);
  expect(whole.verdict === "closed").toBe(taken);
  expect(oracle(bytes).taken).toBe(taken);
  if (taken) expect(whole.stanzas).toEqual(oracle(bytes).stanzas);
  const byBytes = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  expect(read(byBytes)).toEqual(whole);
});

const share = fc.double({ min: 0, max: 1, noNaN: true });
const crumbs = [
  "<",
  ">",
  "/",
  "&",
  ";",
  "'",
  '"',
  "=",
  ":",
  "]]>",
  "<!--",
  "<![CDATA[",
  "xmlns",
  "\0",
  "\xc3",
];

interface Spoiling {
  readonly what: "change" | "take" | "double" | "insert" | "graft";
  readonly from: number;
  readonly length: number;
  readonly crumb: string;
  readonly other: Buffer;
}

const spoiling: fc.Arbitrary<Spoiling> = fc.record({
  what: fc.constantFrom("change", "take", "double", "insert", "graft"),
  from: share,
  length: fc.nat(40),
  crumb: fc.constantFrom(...crumbs),
  other: fc.constantFrom(...corpus.map(({ bytes }) => bytes)),
});

function spoil(bytes: Buffer, { what, from, length, crumb, other }: Spoiling): Buffer {
  const at = Math.floor(from * bytes.length);
  const [before, piece, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + length),
    bytes.subarray(at + length),
  ];
  switch (what) {
    case "change":
      return Buffer.concat([before, Buffer.from([length]), bytes.subarray(at + 1)]);
    case "take":
      return Buffer.concat([before, after]);
    case "double":
      return Buffer.concat([before, piece, piece, after]);
    case "insert":
      return Buffer.concat([before, Buffer.from(crumb, "latin1"), piece, after]);
    case "graft":
      return Buffer.concat([before, other.subarray(Math.floor(from * other.length))]);
  }
}

test("spoiled, it is taken or refused as by saxes, with the same content, however it is cut", () => {
  const verdicts = new Set<string>();
  const seed = fc.constantFrom(...corpus.map(({ bytes }) => bytes));
  const spoilings = fc.array(spoiling, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(seed, spoilings, chunkSizes, (bytes, changes, sizes) => {
      const spoiled = changes.reduce(spoil, bytes);
      fc.pre(!isDisputed(spoiled));
      const ours = read(cut(spoiled, sizes));
      const theirs = oracle(spoiled);
      verdicts.add(ours.verdict);
      expect(ours.verdict === "closed").toBe(theirs.taken);
      if (theirs.taken) expect(ours.stanzas).toEqual(theirs.stanzas);
    }),
    { numRuns: 3_000 },
  );
  // It was not all the same to the reader.
  expect(verdicts.size).toBeGreaterThan(5);
}, 60_000);
