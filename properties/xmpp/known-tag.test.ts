/**
 * Known tag laws: what tags came before changes nothing. A tag is read, or refused, as by the scanner which
 * remembers none, wherever it lies and whatever stale bytes follow.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { textFromBytes } from "../../src/base/bytes.ts";
import { valueFromBytes } from "../../src/xmpp/escape.ts";
import { addresses } from "../../src/xmpp/interner.ts";
import { FROM, KnownTag, LANG, TO, TYPE } from "../../src/xmpp/known-tag.ts";
import { MORE, scanStartTag, SPAN, tag, WIDE, type ReaderLimits } from "../../src/xmpp/scanner.ts";
import { XmlError } from "../../src/xmpp/stream-error.ts";

const limits: ReaderLimits = {
  maxStanzaSize: 10_000,
  maxDepth: 8,
  maxAttributes: 6,
  maxNameLength: 12,
};
const narrow: ReaderLimits = { ...limits, maxAttributes: 2, maxNameLength: 4 };

const of = (...all: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...all);
/** Mostly the first. */
const mostly = (first: fc.Arbitrary<string>, second: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 12, arbitrary: first }, { weight: 1, arbitrary: second });

const name = mostly(of("message", "mess", "iq"), of("m:iq", "é"));
const attributeName = mostly(
  of("to", "from", "type", "id", "xmlns"),
  of("xml:lang", "xmlns:m", "tö", "is", "identification"),
);
const value = mostly(
  of("", "a@b/c", "a@b", "a@bcdef", "chat", "1", "2", "12345678", "a&amp;b"),
  of("é@b", "a&b", "a<b", "it's", "http://www.w3.org/2000/xmlns/", "x".repeat(300)),
);
const attribute = fc
  .tuple(mostly(of(" "), of("", "  ")), attributeName, mostly(of("='"), of(" = '", '="')), value)
  .map(([space, key, equals, text]) => space + key + equals + text + equals.slice(-1));
const startTag = fc
  .tuple(name, fc.array(attribute, { maxLength: 4 }), mostly(of(">", "/>"), of(" >", "", "/")))
  .map(([first, attributes, end]) => `<${first}${attributes.join("")}${end}`);

type Change = (tag: string, which: number) => string;
/** Of the attribute with that number, all or the value is replaced; or another comes before it. */
const replacing =
  (pattern: RegExp, change: (old: string) => string): Change =>
  (text, which) => {
    const found = [...text.matchAll(pattern)];
    const match = found[which % Math.max(1, found.length)];
    if (match === undefined) return text;
    const end = match.index + match[0].length;
    return text.slice(0, match.index) + change(match[0]) + text.slice(end);
  };
const wholeAttribute = / +[^ =<>]+ ?= ?(?:'[^']*'|"[^"]*")/g;
const itsValue = /(?<==')[^']*(?=')/g;
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>((text) => text),
  value.map((text) => replacing(itsValue, () => text)),
  attribute.map((text) => replacing(wholeAttribute, () => text)),
  attribute.map((text) => replacing(wholeAttribute, (old) => text + old)),
  fc.constant(replacing(wholeAttribute, () => "")),
);

/** Tags of which most are like one before. */
const tags = fc
  .tuple(
    fc.array(startTag, { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(), change), { maxLength: 20 }),
  )
  .map(([first, changes]) => {
    const all = [...first];
    for (const [which, where, make] of changes) {
      all.push(make(all[Math.max(0, all.length - 1 - (which % 3))] ?? "", where));
    }
    return all;
  });

/** What of `tag` matters once it has been scanned. */
function positions(after: number) {
  const { nameStart, nameEnd, colon, selfClosing, attributes, prefixed, xmlns } = tag;
  const spans = [...tag.spans.slice(0, SPAN * attributes)];
  const wide = (tag.kinds & WIDE) !== 0;
  return { after, nameStart, nameEnd, colon, selfClosing, prefixed, xmlns, spans, wide };
}

type Scan = (bytes: Uint8Array, at: number, end: number, max: ReaderLimits) => unknown;

const knowing =
  (known: KnownTag): Scan =>
  (bytes, at, end, max) => {
    const after = known.scan(bytes, at, end, max);
    if (after === MORE) return "more";
    const attributes = Array.from({ length: tag.attributes }, (_, k) => {
      const [first, again] = [1, 2].map(() => known.value(bytes, k, addresses));
      return { role: known.role(bytes, k), first, again };
    });
    const { name: local, defaultNamespace } = known;
    return { ...positions(after), attributes, local, defaultNamespace };
  };

const roles = new Map(Object.entries({ to: TO, from: FROM, type: TYPE, "xml:lang": LANG }));

const unknowing: Scan = (bytes, at, end, max) => {
  const after = scanStartTag(bytes, at + 1, end, max);
  if (after === MORE) return "more";
  const attributes = Array.from({ length: tag.attributes }, (_, k) => {
    const [start = 0, , nameEnd = 0, from = 0, to = 0] = tag.spans.slice(SPAN * k, SPAN * k + SPAN);
    const text = valueFromBytes(bytes, from, to);
    return { role: roles.get(textFromBytes(bytes, start, nameEnd)) ?? 0, first: text, again: text };
  });
  const local = textFromBytes(bytes, Math.max(at, tag.colon) + 1, tag.nameEnd);
  return { ...positions(after), attributes, local, defaultNamespace: attributes[tag.xmlns]?.first };
};

function outcome(scan: Scan, ...[bytes, at, end, max]: Parameters<Scan>): unknown {
  try {
    return scan(bytes, at, end, max);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    return `${error.condition}: ${error.message}`;
  }
}

test("what tags came before changes nothing of what a tag says", () => {
  fc.assert(
    fc.property(tags, fc.nat({ max: 9 }), of("", "'>", "x' y='z'>"), (all, before, stale) => {
      const known = new KnownTag();
      all.forEach((text, i) => {
        const bytes = Buffer.from("-".repeat(before) + text + stale);
        const end = bytes.length - Buffer.byteLength(stale);
        const max = i % 8 === 7 ? narrow : limits;
        const expected = outcome(unknowing, bytes, before, end, max);
        expect(outcome(knowing(known), bytes, before, end, max)).toEqual(expected);
      });
    }),
    { numRuns: 2_000 },
  );
}, 60_000);
