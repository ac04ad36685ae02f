import { expect, test } from "vitest";
import { Reader, XmlError, type ReaderEvent, type ReaderLimits } from "../../src/xmpp/reader.ts";
import { Stanza } from "../../src/xmpp/stanza.ts";

const HEADER =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
const LIMITS: ReaderLimits = { maxStanzaSize: 10_000 };

function events(input: string | Uint8Array, limits = LIMITS): ReaderEvent[] {
  const reader = new Reader(limits);
  reader.push(Buffer.from(input));
  return drain(reader);
}

function drain(reader: Reader): ReaderEvent[] {
  const all: ReaderEvent[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) all.push(event);
  return all;
}

function verdict(input: string | Uint8Array, limits = LIMITS): string {
  try {
    return events(input, limits).at(-1)?.kind === "closed" ? "taken" : "reads on";
  } catch (error) {
    if (error instanceof XmlError) return error.condition;
    throw error;
  }
}

const header = (more: string): string => HEADER.replace(">", `${more}>`);
const raw = (...bytes: number[]): string => Buffer.from(bytes).toString("latin1");

/** What was sent, the verdict between stanzas, and within one. Fragments are binary strings. */
const FRAGMENTS: readonly (readonly [string, string, string])[] = [
  // Restricted XML (RFC 6120 §11.1)
  ["<!-- comment -->", "restricted-xml", "restricted-xml"],
  ["<?target data?>", "restricted-xml", "restricted-xml"],
  ["<?xml version='1.0'?>", "restricted-xml", "restricted-xml"],
  ["<!DOCTYPE x>", "restricted-xml", "restricted-xml"],
  ["<!DOCTYPE x [<!ENTITY e 'boom'>]>", "restricted-xml", "restricted-xml"],
  ["<a>&nbsp;</a>", "restricted-xml", "restricted-xml"],
  ["<a b='&e;'/>", "restricted-xml", "restricted-xml"],
  ["<a>&AMP;</a>", "restricted-xml", "restricted-xml"],
  // Tags
  ["<a></b>", "not-well-formed", "not-well-formed"],
  ["<a><b></a></b>", "not-well-formed", "not-well-formed"],
  ["<a></A>", "not-well-formed", "not-well-formed"],
  ["<a></aa>", "not-well-formed", "not-well-formed"],
  ["<aa></a>", "not-well-formed", "not-well-formed"],
  ["</a>", "not-well-formed", "not-well-formed"],
  ["<a></ a>", "not-well-formed", "not-well-formed"],
  ["<a></a/>", "not-well-formed", "not-well-formed"],
  ["<a></a b='c'>", "not-well-formed", "not-well-formed"],
  ["< a/>", "not-well-formed", "not-well-formed"],
  ["<>", "not-well-formed", "not-well-formed"],
  ["<1a/>", "not-well-formed", "not-well-formed"],
  ["<-a/>", "not-well-formed", "not-well-formed"],
  ["<a / >", "not-well-formed", "not-well-formed"],
  ["<a /b>", "not-well-formed", "not-well-formed"],
  ["<a<b/>", "not-well-formed", "not-well-formed"],
  ["<a\x01/>", "not-well-formed", "not-well-formed"],
  ["<!a>", "not-well-formed", "not-well-formed"],
  ["<![CDAT[x]]>", "not-well-formed", "not-well-formed"],
  // Attributes
  ["<a b/>", "not-well-formed", "not-well-formed"],
  ["<a b=c/>", "not-well-formed", "not-well-formed"],
  ["<a b='c'd='e'/>", "not-well-formed", "not-well-formed"],
  ["<a b='1' b='2'/>", "not-well-formed", "not-well-formed"],
  ["<a b='<'/>", "not-well-formed", "not-well-formed"],
  ["<a b='&'/>", "not-well-formed", "not-well-formed"],
  ["<a b='\x00'/>", "not-well-formed", "not-well-formed"],
  ["<a 1b=''/>", "not-well-formed", "not-well-formed"],
  ["<a ='c'/>", "not-well-formed", "not-well-formed"],
  ["<a __proto__='x'/>", "policy-violation", "policy-violation"],
  // Text and references
  ["text", "bad-format", "taken"],
  ["&amp;", "bad-format", "taken"],
  ["<![CDATA[x]]>", "bad-format", "taken"],
  ["]]>", "bad-format", "not-well-formed"],
  ["\x00", "bad-format", "not-well-formed"],
  ["<a>\x0b</a>", "not-well-formed", "not-well-formed"],
  ["<a><![CDATA[\x1f]]></a>", "not-well-formed", "not-well-formed"],
  ["<a>& b</a>", "not-well-formed", "not-well-formed"],
  ["<a>&;</a>", "not-well-formed", "not-well-formed"],
  ["<a>&#;</a>", "not-well-formed", "not-well-formed"],
  ["<a>&#x;</a>", "not-well-formed", "not-well-formed"],
  ["<a>&#X41;</a>", "not-well-formed", "not-well-formed"],
  ["<a>&#0;</a>", "not-well-formed", "not-well-formed"],
  ["<a>&#xD800;</a>", "not-well-formed", "not-well-formed"],
  ["<a>&#xFFFE;</a>", "not-well-formed", "not-well-formed"],
  ["<a>&#x110000;</a>", "not-well-formed", "not-well-formed"],
  ["<a>&amp</a>", "not-well-formed", "not-well-formed"],
  // Namespaces
  ["<p:a/>", "bad-namespace-prefix", "bad-namespace-prefix"],
  ["<a p:b=''/>", "bad-namespace-prefix", "bad-namespace-prefix"],
  ["<a><p:b xmlns:p='u'/><p:c/></a>", "bad-namespace-prefix", "bad-namespace-prefix"],
  ["<a><p:b xmlns:p='u'></p:b><p:c/></a>", "bad-namespace-prefix", "bad-namespace-prefix"],
  ["<a xmlns:p=''/>", "bad-namespace-prefix", "bad-namespace-prefix"],
  ["<a xmlns:xml='u'/>", "bad-namespace-prefix", "bad-namespace-prefix"],
  ["<a xmlns:xmlns='u'/>", "bad-namespace-prefix", "bad-namespace-prefix"],
  ["<a xmlns='http://www.w3.org/2000/xmlns/'/>", "bad-namespace-prefix", "bad-namespace-prefix"],
  ["<xml:a/>", "bad-namespace-prefix", "bad-namespace-prefix"],
  ["<a:b:c xmlns:a='u'/>", "not-well-formed", "not-well-formed"],
  ["<:a/>", "not-well-formed", "not-well-formed"],
  ["<a:/>", "not-well-formed", "not-well-formed"],
  ["<a xml:-b=''/>", "not-well-formed", "not-well-formed"],
  ["<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", "not-well-formed", "not-well-formed"],
  // Encoding (RFC 6120 §11.6)
  [`<a>${raw(0xff)}</a>`, "unsupported-encoding", "unsupported-encoding"],
  [`<a>${raw(0xc0, 0xaf)}</a>`, "unsupported-encoding", "unsupported-encoding"],
  [`<a>${raw(0xed, 0xa0, 0x80)}</a>`, "unsupported-encoding", "unsupported-encoding"],
  [`<a>${raw(0xf4, 0x90, 0x80, 0x80)}</a>`, "unsupported-encoding", "unsupported-encoding"],
  [`<a b='${raw(0xc3)}'/>`, "unsupported-encoding", "unsupported-encoding"],
  [`<a>${raw(0xef, 0xbf, 0xbe)}</a>`, "not-well-formed", "not-well-formed"],
  [`<a>${raw(0xef, 0xbf, 0xbf)}</a>`, "not-well-formed", "not-well-formed"],
  [`<${raw(0xc3, 0x97)}/>`, "not-well-formed", "not-well-formed"],
  // All legal, though some look odd
  [" \r\n\t", "taken", "taken"],
  ["<a b = \"'\" c='\"'\r\n/>", "taken", "taken"],
  ["<a></a \n>", "taken", "taken"],
  ["<a>]] > ]>&#x10FFFF;&#000065;</a>", "taken", "taken"],
  ["<a><![CDATA[<!-- & ]] > ]]]]></a>", "taken", "taken"],
  ["<a xmlns=''><b xmlns='u'/></a>", "taken", "taken"],
  ["<stream:a stream:b='1' xml:lang='en'/>", "taken", "taken"],
  [`<${raw(0xd0, 0xb8)} ${raw(0xc3, 0xa9)}='${raw(0xef, 0xbf, 0xbd)}'/>`, "taken", "taken"],
];

test.each(FRAGMENTS)("%j between stanzas: %s; within one: %s", (fragment, between, within) => {
  const binary = (text: string): Uint8Array => Buffer.from(text, "latin1");
  expect(verdict(binary(`${HEADER}${fragment}</stream:stream>`))).toBe(between);
  expect(verdict(binary(`${HEADER}<m><n>${fragment}</n></m></stream:stream>`))).toBe(within);
});

const PROLOGS: readonly (readonly [string, string])[] = [
  [`<?xml version='1.0'?>${HEADER}`, "reads on"],
  [`<?xml version="1.0" encoding='utf-8' standalone='yes' ?>\r\n${HEADER}`, "reads on"],
  [` \n<?xml version='1.0'?>${HEADER}`, "reads on"],
  [`<?xml version='1.0' encoding='UTF-16'?>${HEADER}`, "unsupported-encoding"],
  [`<?xml version='1.0' encoding='ISO-8859-1'?>${HEADER}`, "unsupported-encoding"],
  [`<?xml version='2.0'?>${HEADER}`, "not-well-formed"],
  [`<?xml encoding='UTF-8'?>${HEADER}`, "not-well-formed"],
  [`<?xml version='1.0'>${HEADER}`, "not-well-formed"],
  [`<?xml version='1.0'?><?xml version='1.0'?>${HEADER}`, "restricted-xml"],
  [`<?xml-stylesheet href='x'?>${HEADER}`, "restricted-xml"],
  [`<?xmlversion='1.0'?>${HEADER}`, "restricted-xml"],
  [`<!DOCTYPE stream>${HEADER}`, "restricted-xml"],
  [`<!-- hello -->${HEADER}`, "restricted-xml"],
  [`\uFEFF${HEADER}`, "not-well-formed"],
  ["GET / HTTP/1.1\r\n", "not-well-formed"],
  ["\x16\x03\x01", "not-well-formed"],
  ["</stream:stream>", "not-well-formed"],
  ["<stream:stream>", "bad-namespace-prefix"],
  [`${HEADER}</stream:stream> \n`, "taken"],
  [`${HEADER}</stream:stream>x`, "not-well-formed"],
  [`${HEADER}</stream>`, "not-well-formed"],
  [HEADER.replace(">", "/>"), "taken"],
  [`<?xml version='1.0'${" ".repeat(400)}?>${HEADER}`, "policy-violation"],
];

test.each(PROLOGS)("%j: %s", (input, expected) => expect(verdict(input)).toBe(expected));

test("a header tells its names, its content namespace and its attributes", () => {
  const [opened] = events(header(" to='a&amp;b' version=\"1.0\" xml:lang='en' xmlns:x='u'"));
  expect(opened).toEqual({
    kind: "opened",
    name: "stream",
    prefix: "stream",
    namespace: "http://etherx.jabber.org/streams",
    contentNamespace: "jabber:client",
    attributes: new Map([
      ["to", "a&b"],
      ["version", "1.0"],
      ["xml:lang", "en"],
    ]),
  });
});

test("a prefixed content namespace is understood [RFC 6120 §4.8.5]", () => {
  const [opened, stanza] = events("<s xmlns='urn:s' xmlns:c='jabber:client'><c:iq><c:q/></c:iq>");
  expect(opened).toMatchObject({
    name: "s",
    prefix: "",
    namespace: "urn:s",
    contentNamespace: "urn:s",
  });
  expect(stanza).toMatchObject({
    name: "iq",
    namespace: "jabber:client",
    payloads: [{ name: "q", namespace: "jabber:client" }],
  });
});

const limited = (limit: keyof ReaderLimits, value: number): ReaderLimits => ({
  ...LIMITS,
  [limit]: value,
});
const sized = (size: number): string => `<a>${"x".repeat(size - 7)}</a>`;

test("a stanza of the maximum size is read, one byte more is refused", () => {
  const limits = limited("maxStanzaSize", 200);
  expect(events(HEADER + sized(200), limits)).toHaveLength(2);
  expect(() => events(HEADER + sized(201), limits)).toThrow(
    "Stanza of more than 200 bytes: the maximum is 200",
  );
});

test.each([
  ["text", `<a>${"x".repeat(1_000)}`],
  ["a tag", `<a b='${"x".repeat(1_000)}`],
  ["a name", `<${"x".repeat(1_000)}`],
  ["CDATA", `<a><![CDATA[${"x".repeat(1_000)}`],
  ["an end tag", `<a></a${" ".repeat(1_000)}`],
])("a stanza is refused at the byte that passes the limit, in %s", (_, text) => {
  const reader = new Reader(limited("maxStanzaSize", 200));
  reader.push(Buffer.from(HEADER));
  expect(drain(reader)).toHaveLength(1);
  for (const byte of Buffer.from(text.slice(0, 199))) {
    reader.push(Uint8Array.of(byte));
    expect(reader.next()).toBeUndefined();
  }
  reader.push(Buffer.from(text.slice(199, 200)));
  expect(() => reader.next()).toThrow(XmlError);
  reader.push(Buffer.from("<a/>"));
  expect(reader.next()).toBeUndefined();
});

test.each([
  ["maxDepth", 3, "<a><b><c/></b></a>", "<a><b><c><d/></c></b></a>"],
  ["maxAttributes", 3, "<a b='' c='' d=''/>", "<a b='' c='' d='' e=''/>"],
  ["maxNameLength", 14, "<fourteen-bytes/>", "<fifteen--bytes-/>"],
] as const)("%s %i is kept", (limit, value, good, bad) => {
  const limits = limited(limit, value);
  expect(verdict(`${HEADER}${good}</stream:stream>`, limits)).toBe("taken");
  expect(verdict(`${HEADER}${bad}</stream:stream>`, limits)).toBe("policy-violation");
});

test("white space between stanzas is nothing, and is not kept", () => {
  const reader = new Reader(limited("maxStanzaSize", 200));
  reader.push(Buffer.from(HEADER));
  drain(reader);
  for (let i = 0; i < 100; i++) {
    reader.push(Buffer.from(" \r\n\t".repeat(10)));
    expect(reader.next()).toBeUndefined();
  }
  expect(reader.rest()).toHaveLength(0);
});

test("what was not pulled before a restart is the next reader's", () => {
  const reader = new Reader(LIMITS);
  reader.push(
    Buffer.from(`${HEADER}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>x</auth>${HEADER}<iq/>`),
  );
  reader.next();
  expect(reader.next()).toMatchObject({
    name: "auth",
    namespace: "urn:ietf:params:xml:ns:xmpp-sasl",
  });
  const second = new Reader(LIMITS);
  second.push(reader.rest());
  expect(drain(second).map((event) => event.kind)).toEqual(["opened", "element"]);
});

test("a stanza that was not pulled yet is not lost by a push", () => {
  const reader = new Reader(LIMITS);
  reader.push(Buffer.from(`${HEADER}<a/><b/><c`));
  reader.next();
  expect(reader.next()).toMatchObject({ name: "a" });
  reader.push(Buffer.from("/><d/>"));
  expect(drain(reader)).toMatchObject([{ name: "b" }, { name: "c" }, { name: "d" }]);
});

test("two readers may be amid a stanza at the same time", () => {
  const readers = ["a", "b"].map((name) => ({ name, reader: new Reader(LIMITS) }));
  for (const part of [HEADER, "<m x='1' to='T'><n>", "text</", "n></m", ">"]) {
    for (const { name, reader } of readers) {
      reader.push(Buffer.from(part.replace("T", name)));
      const read = drain(reader).filter((event) => event instanceof Stanza);
      expect(read.map((stanza) => stanza.to)).toEqual(part === ">" ? [name] : []);
    }
  }
});

test("a copied stanza outlives the bytes it came in", () => {
  const bytes = Buffer.from(`${HEADER}<a id='1'><b>text</b></a>`);
  const reader = new Reader(LIMITS);
  reader.push(bytes);
  reader.next();
  const event = reader.next();
  if (!(event instanceof Stanza)) throw new Error("no stanza");
  const copy = event.copy();
  bytes.fill(0);
  expect(copy.id).toBe("1");
  expect(copy.write("jabber:client")).toBe("<a id='1'><b>text</b></a>");
});

const message = (text: string): ReaderEvent[] => {
  const reader = new Reader(LIMITS, "message");
  reader.push(Buffer.from(text));
  return drain(reader);
};
const OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a'/>";

test("a message is one element [RFC 7395 §3.3]", () => {
  expect(message(OPEN)).toMatchObject([
    { name: "open", namespace: "urn:ietf:params:xml:ns:xmpp-framing" },
  ]);
  expect(message(`<?xml version='1.0'?>${OPEN}`)).toHaveLength(1);
  expect(message(`${OPEN}\n`)).toHaveLength(1);
  expect(message(" ")).toHaveLength(0);
});

test.each([
  ["two elements", `${OPEN}${OPEN}`, "not-well-formed"],
  ["text after it", `${OPEN}x`, "not-well-formed"],
  ["text before it", `x${OPEN}`, "bad-format"],
  ["an incomplete element", "<iq xmlns='jabber:client'><a>", "not-well-formed"],
  ["half a tag", "<iq xmlns='jabber:client", "not-well-formed"],
  ["one byte", "<", "not-well-formed"],
  ["an end tag", "</iq>", "not-well-formed"],
  ["a comment", "<!-- x --><iq/>", "restricted-xml"],
  ["a stream header", HEADER, "not-well-formed"],
])("a message is not %s", (_, text, condition) => {
  expect(() => message(text)).toThrow(expect.objectContaining({ condition }));
});

test("one reader takes one message after the other", () => {
  const reader = new Reader(LIMITS, "message");
  for (const name of ["a", "b", "c"]) {
    reader.push(Buffer.from(`<?xml version='1.0'?><${name} xmlns='u'/>`));
    expect(drain(reader)).toMatchObject([{ name, namespace: "u" }]);
  }
});
