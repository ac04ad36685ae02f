/**
 * What no XML stream may contain, said by a client that is online, and the stream error that it gets
 * (RFC 6120 §11; XML 1.0; Namespaces in XML 1.0).
 */

import {
  body,
  bomb,
  bytes,
  manyAttributes,
  maxStanzaSize,
  type Behaviour,
} from "./hostile-words.ts";

const around = (before: string, hex: string, after: string): Buffer =>
  Buffer.concat([Buffer.from(before), bytes(hex), Buffer.from(after)]);
const inBody = (hex: string): Buffer =>
  around("<message to='good@localhost'><body>", hex, "</body></message>");

export const malformed: readonly Behaviour[] = [
  ["mixes end tags", "<message><body></message></body>", "error not-well-formed"],
  ["closes what is not open", "</message>", "error not-well-formed"],
  ["leaves a quote open", "<message to='good@localhost><body/></message>", "error not-well-formed"],
  ["has a bare ampersand", body("a & b"), "error not-well-formed"],
  ["has an entity of HTML", body("&nbsp;"), "error restricted-xml"],
  ["refers to NUL", body("&#0;"), "error not-well-formed"],
  ["refers to a surrogate", body("&#xD800;"), "error not-well-formed"],
  ["refers beyond Unicode", body("&#x110000;"), "error not-well-formed"],
  ["refers to U+FFFF", body("&#xFFFF;"), "error not-well-formed"],
  ["refers without an end", body("&amp"), "error not-well-formed"],
  ["has a control character", inBody("01"), "error not-well-formed"],
  ["has a NUL", inBody("00"), "error not-well-formed"],
  ["has an overlong NUL", inBody("c0 80"), "error unsupported-encoding"],
  ["has an overlong slash", inBody("e0 80 af"), "error unsupported-encoding"],
  ["has a surrogate in UTF-8", inBody("ed a0 80"), "error unsupported-encoding"],
  ["has 0xFF", inBody("ff"), "error unsupported-encoding"],
  ["has a lone continuation", inBody("80"), "error unsupported-encoding"],
  ["has a character cut short", inBody("f0 9f a6"), "error unsupported-encoding"],
  ["has a character beyond Unicode", inBody("f4 90 80 80"), "error unsupported-encoding"],
  ["has U+FFFE", inBody("ef bf be"), "error not-well-formed"],
  [
    "has a bad name in UTF-8",
    around("<message to='good@localhost'><", "c3 28", "/></message>"),
    "error not-well-formed",
  ],
  ["has ]]> in text", body("]]>"), "error not-well-formed"],
  ["comments", `<message><!-- x --></message>`, "error restricted-xml"],
  ["comments between stanzas", `<!-- x -->`, "error restricted-xml"],
  ["instructs", `<message><?php x ?></message>`, "error restricted-xml"],
  ["declares XML again", `<?xml version='1.0'?>`, "error restricted-xml"],
  ["declares a document type", bomb, "error restricted-xml"],
  ["declares a document type in a stanza", `<message>${bomb}</message>`, "error restricted-xml"],
  [
    "has CDATA without an end",
    `<message><body><![CDATA[${"x".repeat(maxStanzaSize)}`,
    "error policy-violation",
  ],
  ["has something like CDATA", "<message><![CDAT[x]]></message>", "error not-well-formed"],
  ["says an attribute twice", "<message to='a' to='b'/>", "error not-well-formed"],
  [
    "says an attribute twice by prefixes",
    "<message xmlns:p='u' xmlns:q='u' p:a='1' q:a='2'/>",
    "error not-well-formed",
  ],
  ["has an attribute without a value", "<message to/>", "error not-well-formed"],
  ["forgets quotes", "<message to=good/>", "error not-well-formed"],
  ["forgets the gap between attributes", "<message to='a'id='b'/>", "error not-well-formed"],
  ["has a < in an attribute", "<message to='<'/>", "error not-well-formed"],
  ["uses an undeclared prefix", "<message><x:y/></message>", "error bad-namespace-prefix"],
  ["uses an undeclared prefix on an attribute", "<message x:y='1'/>", "error bad-namespace-prefix"],
  ["undeclares a prefix", "<message xmlns:x=''/>", "error bad-namespace-prefix"],
  ["takes the prefix xml", "<message xmlns:xml='urn:x'/>", "error bad-namespace-prefix"],
  ["takes the prefix xmlns", "<message xmlns:xmlns='urn:x'/>", "error bad-namespace-prefix"],
  ["has two colons in a name", "<message><a:b:c xmlns:a='u'/></message>", "error not-well-formed"],
  ["has a name that begins with a digit", "<message><1/></message>", "error not-well-formed"],
  ["has a tag without a name", "<message>< /></message>", "error not-well-formed"],
  ["writes text between stanzas", "hello", "error bad-format"],
  ["nests deeply", `<message>${"<x>".repeat(200)}`, "error policy-violation"],
  ["has a thousand attributes", `<message${manyAttributes(1_000)}/>`, "error policy-violation"],
  ["has an endless name", `<${"m".repeat(500)}/>`, "error policy-violation"],
  [
    "has an endless attribute",
    `<message to='${"x".repeat(maxStanzaSize)}'/>`,
    "error policy-violation",
  ],
  ["has an endless body", body("x".repeat(maxStanzaSize)), "error policy-violation"],
  ["never ends its start tag", `<message ${" ".repeat(maxStanzaSize)}`, "error policy-violation"],
  ["has a million children", `<message>${"<x/>".repeat(maxStanzaSize)}`, "error policy-violation"],
  ["has a body of references", body("&amp;".repeat(maxStanzaSize)), "error policy-violation"],
  [
    "never ends the end tag",
    `</stream:stream${" ".repeat(maxStanzaSize)}`,
    "error policy-violation",
  ],
];
