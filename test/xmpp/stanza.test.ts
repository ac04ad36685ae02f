import { Element } from "ltx";
import { expect, test } from "vitest";
import { bytesFromBinary, textFromBytes } from "../../src/base/bytes.ts";
import { NS } from "../../src/xmpp/namespaces.ts";
import { Reader } from "../../src/xmpp/reader.ts";
import { errorReply, resultReply } from "../../src/xmpp/stanza-error.ts";
import { Stanza } from "../../src/xmpp/stanza.ts";
import { streamError } from "../../src/xmpp/stream-error.ts";

const HEADER = (more = "", content = NS.client as string): string =>
  `<stream:stream xmlns='${content}' xmlns:stream='${NS.streams}'${more}>`;

function received(xml: string, header = HEADER()): Stanza {
  const reader = new Reader({ maxStanzaSize: 10_000 });
  reader.push(Buffer.from(header + xml));
  reader.next();
  const event = reader.next();
  if (!(event instanceof Stanza)) throw new Error("no stanza");
  return event;
}

const written = (stanza: Stanza | undefined, context: string, address = {}): string =>
  textFromBytes(bytesFromBinary(stanza?.write(context, address) ?? ""));

test("the head is there without a tree, unescaped", () => {
  const stanza = received(
    "<iq to='a&amp;b' from=\"c@d/'e\" id='1&#10;2' type='get' xml:lang='fr'><q xmlns='u'/><r/></iq>",
  );
  expect(stanza).toMatchObject({
    kind: "element",
    name: "iq",
    namespace: NS.client,
    to: "a&b",
    from: "c@d/'e",
    id: "1\n2",
    type: "get",
    lang: "fr",
    payloads: [
      { name: "q", namespace: "u" },
      { name: "r", namespace: NS.client },
    ],
  });
  expect(received("<iq/>")).toMatchObject({ id: undefined, type: undefined, payloads: [] });
});

test("of many payloads eight are told, and all can be had", () => {
  const children = Array.from({ length: 12 }, (_, i) => `<p${i} xmlns='u${i}'/>`).join("");
  const stanza = received(`<message>${children}</message>`);
  expect(stanza.payloads.map(({ name }) => name)).toEqual([
    "p0",
    "p1",
    "p2",
    "p3",
    "p4",
    "p5",
    "p6",
    "p7",
  ]);
  expect(stanza.payload("u11")?.name).toBe("p11");
  expect(stanza.payload("u12")).toBeUndefined();
});

test("a payload is found by its namespace, and name if given", () => {
  const stanza = received("<message><body>hi</body><a xmlns='u'/><b xmlns='u' c='d'/></message>");
  expect(stanza.payload("u")?.name).toBe("a");
  expect(stanza.payload("u", "b")?.attrs["c"]).toBe("d");
  expect(stanza.payload(NS.client, "body")?.getText()).toBe("hi");
  expect(stanza.payload("u", "c")).toBeUndefined();
});

test("text that looks like attributes is text", () => {
  const stanza = received("<message >from='x'<a />b='c'</message>");
  expect(stanza.element().toString()).toBe(
    `<message xmlns="${NS.client}">from='x'<a/>b='c'</message>`,
  );
});

test("a tree has its namespaces and its stream's language", () => {
  const stanza = received("<message><body/><stream:x/></message>", HEADER(" xml:lang='de'"));
  const element = stanza.element();
  expect(element.getNS()).toBe(NS.client);
  expect(element.children.map((child) => (child as Element).getNS())).toEqual([
    NS.client,
    NS.streams,
  ]);
  expect(element.attrs["xml:lang"]).toBe("de");
  expect(stanza.lang).toBe("de");
  expect(stanza.element()).toBe(element);
});

test.each([
  [
    "nothing changed",
    "<message to='a' id='1'>x</message>",
    {},
    "<message to='a' id='1'>x</message>",
  ],
  ["from added", "<message to='a'/>", { from: "é@b" }, "<message from='é@b' to='a'/>"],
  [
    "from replaced",
    "<message to='a' from='x' id='1'/>",
    { from: "b" },
    "<message from='b' to='a' id='1'/>",
  ],
  [
    "both replaced",
    '<iq from="x" to="y"><q/></iq>',
    { from: "b", to: "c" },
    "<iq from='b' to='c'><q/></iq>",
  ],
  [
    "both removed",
    "<iq to='y' a=' from=' from='x'/>",
    { from: null, to: null },
    "<iq a=' from='/>",
  ],
  ["nothing to remove", "<iq a='b'/>", { from: null }, "<iq a='b'/>"],
  ["escaped", "<iq/>", { to: "a/<'\">&" }, "<iq to='a/&lt;&apos;&quot;&gt;&amp;'/>"],
  ["white space in the tag", "<iq  from = 'x'\n>y</iq >", { from: "b" }, "<iq from='b' \n>y</iq >"],
])("forwarding: %s", (_, xml, address, expected) => {
  expect(written(received(xml), NS.client, address)).toBe(expected);
});

test.each([
  ["to a server", NS.server, "<message><body>x</body></message>"],
  ["on a websocket", "", "<message xmlns='jabber:client'><body>x</body></message>"],
  ["within <forwarded/>", NS.forward, "<message xmlns='jabber:client'><body>x</body></message>"],
])("the content namespace is declared where it differs: %s", (_, context, expected) => {
  expect(written(received("<message><body>x</body></message>"), context)).toBe(expected);
});

test("jabber:server becomes jabber:client and back, also where it was declared [RFC 6120 §4.8.3]", () => {
  const inner = "<f xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></f>";
  const fromServer = received(`<message>${inner}</message>`, HEADER("", NS.server));
  expect(fromServer.namespace).toBe(NS.server);
  expect(written(fromServer, NS.client)).toBe(`<message>${inner}</message>`);
  const declared = received(`<message xmlns='jabber:client'>${inner}<body/></message>`);
  expect(written(declared, NS.server)).toBe(`<message>${inner}<body/></message>`);
  expect(written(Stanza.of(declared.element()), NS.server)).toBe(
    `<message>${inner}<body/></message>`,
  );
  const prefixed = received("<c:message xmlns:c='jabber:client'><c:body/></c:message>");
  expect(written(prefixed, NS.server)).toBe("<message xmlns:c='jabber:client'><body/></message>");
});

test("prefixes of the stream header are not needed where it is written", () => {
  const header = HEADER(" xmlns:p='urn:p'");
  expect(written(received("<message><p:x p:a='b'><y/></p:x></message>", header), NS.client)).toBe(
    `<message xmlns:stream='${NS.streams}' xmlns:p='urn:p'>` +
      "<x xmlns='urn:p' p:a='b'><y xmlns='jabber:client'/></x></message>",
  );
});

test("the stream's language is written where a stanza has none", () => {
  const header = HEADER(" xml:lang='de'");
  expect(written(received("<message/>", header), NS.client)).toBe("<message xml:lang='de'/>");
  expect(written(received("<message xml:lang='en'/>", header), NS.client)).toBe(
    "<message xml:lang='en'/>",
  );
});

test("a stanza made here is written with what XML needs", () => {
  const element = new Element("message", { to: "a\nb", from: null });
  element.c("body").t("é <&> \r \u0001 \ud800 🦦");
  const stanza = Stanza.of(element);
  expect(stanza).toMatchObject({
    namespace: NS.client,
    to: "a\nb",
    from: undefined,
    payloads: [{ name: "body", namespace: NS.client }],
  });
  expect(written(stanza, NS.client, { from: "c" })).toBe(
    "<message to='a&#10;b' from='c'><body>é &lt;&amp;&gt; &#13; \uFFFD \uFFFD 🦦</body></message>",
  );
  expect(written(stanza, "")).toMatch(/^<message xmlns='jabber:client' to/);
});

test("an error goes back to the sender, with the type that the condition has [RFC 6120 §8.3]", () => {
  const iq = received("<iq to='b' from='a/r' id='7' type='get'><q xmlns='u'/></iq>");
  expect(written(errorReply(iq, "service-unavailable"), NS.client)).toBe(
    "<iq from='b' to='a/r' id='7' type='error'><error type='cancel'>" +
      `<service-unavailable xmlns='${NS.stanzas}'/></error></iq>`,
  );
  const options = { type: "wait", text: "Later & again", by: "c", from: "d" } as const;
  expect(written(errorReply(iq, "resource-constraint", options), NS.client)).toBe(
    "<iq from='d' to='a/r' id='7' type='error'><error type='wait' by='c'>" +
      `<resource-constraint xmlns='${NS.stanzas}'/>` +
      `<text xmlns='${NS.stanzas}' xml:lang='en'>Later &amp; again</text></error></iq>`,
  );
});

test("no error answers an error or a result [RFC 6120 §8.3.1]", () => {
  expect(errorReply(received("<message type='error'/>"), "bad-request")).toBeUndefined();
  expect(errorReply(received("<iq type='error' id='1'/>"), "bad-request")).toBeUndefined();
  expect(errorReply(received("<iq type='result' id='1'/>"), "bad-request")).toBeUndefined();
});

test("a result has the id of its request and what was asked for", () => {
  const iq = received("<iq from='a/r' id='7' type='get'><q xmlns='u'/></iq>");
  expect(written(resultReply(iq), NS.client)).toBe("<iq to='a/r' id='7' type='result'/>");
  expect(written(resultReply(iq, new Element("q", { xmlns: "u" })), NS.client)).toBe(
    "<iq to='a/r' id='7' type='result'><q xmlns='u'/></iq>",
  );
});

test("a stream error is one element, whose prefix is declared where there is no header", () => {
  expect(streamError("conflict")).toBe(
    `<stream:error><conflict xmlns='${NS.streamErrors}'/></stream:error>`,
  );
  expect(streamError("see-other-host", "Moved", { host: "[::1]:5222", declarePrefix: true })).toBe(
    `<stream:error xmlns:stream='${NS.streams}'>` +
      `<see-other-host xmlns='${NS.streamErrors}'>[::1]:5222</see-other-host>` +
      `<text xmlns='${NS.streamErrors}' xml:lang='en'>Moved</text></stream:error>`,
  );
});

test("stanzas are written as they came, wherever chunks end", () => {
  const stanza = (body: string): string => `<message id='${body}'><body>${body}</body></message>`;
  const all = ["a", "bb", "ccc", "d", "ee", "fff"].map(stanza);
  const xml = all.join("");
  for (let size = 1; size <= xml.length; size++) {
    const reader = new Reader({ maxStanzaSize: 10_000 });
    reader.push(Buffer.from(HEADER()));
    const seen: string[] = [];
    for (let at = -size; at < xml.length; at += size) {
      if (at >= 0) reader.push(Buffer.from(xml.slice(at, at + size)));
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event instanceof Stanza) seen.push(written(event, NS.client));
      }
    }
    expect(seen).toEqual(all);
  }
});

test("each kind of stanza is stamped as what it is, also after another of the same sender", () => {
  const kinds = ["message", "presence", "iq", "message", "m"];
  const stamped = kinds.map((name) => written(received(`<${name}/>`), NS.client, { from: "a@b" }));
  expect(stamped).toEqual(kinds.map((name) => `<${name} from='a@b'/>`));
});
