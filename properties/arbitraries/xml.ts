/**
 * XML: whole streams as bytes, good and spoiled, and ways to cut them.
 *
 * Good documents use all that a stream may contain: both quotes, white space wherever it is allowed,
 * references, CDATA, prefixes declared near and far, names and text beyond ASCII, and texts of lengths
 * around the reader's thresholds. Spoiled ones have had a few fragments put in, taken out or replaced.
 */
import fc from "fast-check";
import { Element } from "ltx";
import { textFromBytes } from "../../src/base/bytes.ts";

const space = fc.constantFrom(" ", "  ", "\n", "\t ", "\r\n");
const maybeSpace = fc.constantFrom("", "", "", " ", "\r\n\t");
const namespace = fc.constantFrom("jabber:client", "urn:a", "urn:b", "urn:c&amp;d", "");
const localName = fc.constantFrom("message", "iq", "body", "x", "a-b.c_1", "naïve", "имя", "_");
/** `stream` and `h` are declared by the header. */
const prefix = fc.constantFrom("", "", "", "", "", "p", "q", "h", "stream");
const SHORT = [
  "",
  " ",
  "hello",
  "é",
  "日本",
  "🦦",
  "]]",
  "'",
  '"',
  "\r\n",
  "\r",
  "\t",
  "a\nb",
  "a='b'",
  'a="b"/',
];
const REFERENCES = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#10;", "&#xD;", "&#x1F9A6;"];

/** Around the length from which text is searched natively, and the sizes of the reader's first buffers. */
const longText = fc
  .tuple(
    fc.constantFrom(159, 160, 161, 320, 511, 512, 513, 1023, 1024, 1025, 2100),
    fc.constantFrom("x", "é", "x&amp;", "x\r", "🦦y"),
  )
  .map(([length, unit]) => unit.repeat(length).slice(0, length - (length % unit.length)));
const textUnit = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...SHORT, ...REFERENCES) },
  { weight: 1, arbitrary: longText },
);
const cdata = fc
  .constantFrom("", "<&>", "]]", "x]", "]>", "a\r\nb", "\r", "é", "x".repeat(600))
  .map((content) => `<![CDATA[${content}]]>`);
const content = fc.oneof({ weight: 4, arbitrary: textUnit }, { weight: 1, arbitrary: cdata });

const quoted = fc
  .tuple(fc.constantFrom('"', "'"), fc.array(textUnit, { maxLength: 3 }))
  .map(
    ([quote, units]) =>
      quote + units.join("").replaceAll(quote, "&#34;").replaceAll("<", "&lt;") + quote,
  );
const attribute = fc
  .tuple(
    space,
    fc.constantFrom("to", "from", "id", "type", "xml:lang", "a", "é", "p:a", "q:a", "h:a"),
    maybeSpace,
    maybeSpace,
    quoted,
  )
  .map(
    ([gap, name, before, after, value]) =>
      [name, `${gap}${name}${before}=${after}${value}`] as const,
  );
/** `p` and `q` are declared on every element that may use them, to different namespaces. */
const declarations = fc
  .tuple(
    fc.option(namespace, { nil: undefined, freq: 2 }),
    fc.constantFrom("urn:a", "urn:b"),
    fc.constantFrom("urn:x", "urn:y"),
  )
  .map(([own, p, q]) => {
    const local = ` xmlns:p='${p}' xmlns:q="${q}"`;
    return own === undefined ? local : ` xmlns='${own}'${local}`;
  });

const { element } = fc.letrec<{ element: string; children: string }>((tie) => ({
  children: fc
    .array(fc.oneof({ maxDepth: 3, depthSize: "small" }, content, tie("element")), { maxLength: 5 })
    .map((parts) => parts.join("")),
  element: fc
    .record({
      prefix,
      localName,
      attributes: fc.uniqueArray(attribute, { maxLength: 5, selector: ([name]) => name }),
      declarations: fc.option(declarations, { nil: "", freq: 3 }),
      children: fc.option(tie("children"), { nil: undefined, freq: 4 }),
      gap: maybeSpace,
      endGap: maybeSpace,
    })
    .map((parts) => {
      const name = parts.prefix === "" ? parts.localName : `${parts.prefix}:${parts.localName}`;
      const attributes = parts.attributes.map(([, text]) => text).join("");
      const needsLocal = /\b[pq]:/.test(name + attributes);
      const declared =
        needsLocal && parts.declarations === ""
          ? " xmlns:p='urn:a' xmlns:q='urn:x'"
          : parts.declarations;
      const start = `<${name}${declared}${attributes}${parts.gap}`;
      return parts.children === undefined
        ? `${start}/>`
        : `${start}>${parts.children}</${name}${parts.endGap}>`;
    }),
}));

/** One element, as it may stand in a stream with `streamHeader`. */
export const stanzaText: fc.Arbitrary<string> = element;

export const streamHeader = fc
  .tuple(
    fc.constantFrom("", "<?xml version='1.0'?>", '<?xml version="1.0" encoding="utf-8" ?>\n'),
    fc.constantFrom(" xmlns='jabber:client'", "", ' xmlns="jabber:server"'),
    fc.constantFrom("", " xml:lang='de'", " to='é.example'"),
  )
  .map(
    ([declaration, xmlns, more]) =>
      `${declaration}<stream:stream${xmlns} xmlns:stream='http://etherx.jabber.org/streams' xmlns:h='urn:h'${more}>`,
  );

export const streamText: fc.Arbitrary<string> = fc
  .tuple(streamHeader, fc.array(fc.tuple(maybeSpace, stanzaText), { maxLength: 4 }))
  .map(([header, stanzas]) => `${header}${stanzas.flat().join("")}</stream:stream>`);

const FRAGMENTS = [
  ..."<>&;/'\"= \0\x1f]![?-:a\xa0",
  ...["<!--x-->", "<?pi?>", "<?xml version='1.0'?>", "<!DOCTYPE x>", "<![CDATA[", "]]>", "</x>"],
  ...["&nbsp;", "&#0;", "&#xFFFE;", "&#x110000;", "&#;", "&", "\uFFFE", "\uFEFF", "&amp", "<a>"],
  ...[" a='1'", " a='1' a='1'", " xmlns:p=''", " z:a='1'", " xmlns:xmlns='u'", "<z:a/>", "<1a/>"],
  ...[
    " xmlns:xml='u'",
    " xmlns='http://www.w3.org/2000/xmlns/'",
    " xmlns:z='urn:a' z:a='1' p:a='2'",
  ],
  ...[" xmlns:z='http://www.w3.org/XML/1998/namespace'", " xml:lang='en'", "<a:b:c/>", " :a=''"],
].map((text) => Buffer.from(text));
const BAD_BYTES = [[0xff], [0xc3], [0x80], [0xed, 0xa0, 0x80], [0xc0, 0xaf]].map((b) =>
  Buffer.from(b),
);

interface Edit {
  /** Of a million parts of the document; not `fc.double`, which is small nearly always. */
  readonly at: number;
  readonly drop: number;
  readonly put: Buffer;
}
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.integer({ min: 0, max: 999_999 }),
  drop: fc.constantFrom(0, 0, 0, 1, 2, 5),
  put: fc.constantFrom(Buffer.alloc(0), ...FRAGMENTS, ...BAD_BYTES),
});

/** Bytes of a stream that may no longer be one. */
export const spoiledStream: fc.Arbitrary<Uint8Array> = fc
  .tuple(streamText, fc.array(edit, { maxLength: 3 }))
  .map(([text, edits]) => {
    let bytes = Buffer.from(text);
    for (const { at, drop, put } of edits) {
      const index = Math.floor((at / 1_000_000) * bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, index), put, bytes.subarray(index + drop)]);
    }
    return bytes;
  });

/** Sizes of chunks, used in turn for as long as there are bytes. */
export const chunkSizes: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
  fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
);

export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = sizes[chunks.length % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** An element as what it means: namespaces and not prefixes, attributes in any order, one text per gap. */
export interface Meaning {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Meaning | string)[];
}

/** `declared` are the default namespace (under "") and prefixes in force around the element. */
export function meaningOf(
  element: Element,
  declared: Readonly<Record<string, string>> = {},
): Meaning {
  const scope: Record<string, string> = { ...declared };
  const entries = Object.entries(element.attrs).map(
    ([name, value]) => [name, String(value)] as const,
  );
  for (const [name, value] of entries) {
    if (name === "xmlns") scope[""] = value;
    else if (name.startsWith("xmlns:")) scope[name.slice(6)] = value;
  }
  const attributes: Record<string, string> = {};
  for (const [name, value] of entries) {
    if (name !== "xmlns" && !name.startsWith("xmlns:"))
      attributes[expand(name, scope, true)] = value;
  }
  return {
    name: expand(element.name, scope, false),
    attributes,
    children: element.children.map((child) =>
      child instanceof Element ? meaningOf(child, scope) : String(child),
    ),
  };
}

function expand(
  name: string,
  scope: Readonly<Record<string, string>>,
  isAttribute: boolean,
): string {
  const [first = "", second] = name.split(":");
  if (second === undefined) return isAttribute ? first : `{${scope[""] ?? ""}}${first}`;
  const namespace = first === "xml" ? "http://www.w3.org/XML/1998/namespace" : scope[first];
  return `{${namespace ?? "?"}}${second}`;
}

export const textOf = (bytes: Uint8Array): string => textFromBytes(bytes);
