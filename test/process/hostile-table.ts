/**
 * What hostile clients do, and what becomes of it: one line each, by how far the client has come.
 *
 * `error X` is a stream error and the end of the connection; `closed` an end without one; `sasl X` a failed
 * authentication and `stanza X` an error stanza, after which the stream lives on; `alive` means that the
 * client is still served.
 */
import { headerTo } from "../support/client.ts";
import {
  body,
  bomb,
  bytes,
  malformed,
  manyAttributes,
  maxStanzaSize,
  type Behaviour,
} from "./hostile-xml.ts";

export type Stage =
  /** TCP, nothing said. */
  | "clear"
  /** A stream without TLS. */
  | "stream"
  /** TCP to the direct TLS port, no handshake. */
  | "raw-tls"
  /** A stream over TLS. */
  | "secured"
  | "authenticated"
  | "online";

const header = headerTo("localhost");
const sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
const auth = (mechanism: string, data: string | Buffer): string =>
  `<auth xmlns='${sasl}' mechanism='${mechanism}'>${Buffer.from(data).toString("base64")}</auth>`;
const register = (fields: string): string =>
  `<iq type='set' id='r'><query xmlns='jabber:iq:register'>${fields}</query></iq>`;
const bind = (attributes: string, resource: string): string =>
  `<iq ${attributes}><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`;

const clear: readonly Behaviour[] = [
  ["speaks HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "error not-well-formed"],
  ["speaks TLS where none is", bytes("16 03 01 02 00 01 00 01 fc 03 03"), "error not-well-formed"],
  ["sends zeros", bytes("00 00 00 00"), "error not-well-formed"],
  ["begins with a UTF-16 mark", bytes("ff fe 3c 00 3f 00"), "error not-well-formed"],
  ["has an XML version of its own", "<?xml version='2.0'?>", "error not-well-formed"],
  ["speaks Latin-1", "<?xml version='1.0' encoding='ISO-8859-1'?>", "error unsupported-encoding"],
  [
    "speaks UTF-16 in name",
    "<?xml version='1.0' encoding='UTF-16'?>",
    "error unsupported-encoding",
  ],
  ["sends a document type", "<!DOCTYPE stream>", "error restricted-xml"],
  ["sends an entity bomb", `${bomb}${header}`, "error restricted-xml"],
  ["begins with a comment", "<!-- hello -->", "error restricted-xml"],
  ["begins with an instruction", "<?php echo 1 ?>", "error restricted-xml"],
  ["declares XML twice", `<?xml version='1.0'?>${header}`, "error restricted-xml"],
  ["writes text first", `hello ${header}`, "error not-well-formed"],
  [
    "forgets the prefix's namespace",
    "<stream:stream to='localhost' version='1.0'>",
    "error bad-namespace-prefix",
  ],
  [
    "has another streams namespace",
    header.replace("etherx.jabber.org/streams", "example.org/"),
    "error invalid-namespace",
  ],
  [
    "claims to be a server",
    header.replace("jabber:client", "jabber:server"),
    "error invalid-namespace",
  ],
  [
    "claims to be a component",
    header.replace("jabber:client", "jabber:component:accept"),
    "error invalid-namespace",
  ],
  [
    "has no content namespace",
    header.replace("xmlns='jabber:client'", ""),
    "error invalid-namespace",
  ],
  ["opens something else", header.replace("<stream:stream", "<stream:river"), "error bad-format"],
  ["does not say to whom", header.replace("to='localhost'", ""), "error host-unknown"],
  ["says to nobody", header.replace("to='localhost'", "to=''"), "error host-unknown"],
  [
    "wants another host",
    header.replace("to='localhost'", "to='example.org'"),
    "error host-unknown",
  ],
  [
    "wants no possible host",
    header.replace("to='localhost'", "to='a b@c/d'"),
    "error host-unknown",
  ],
  ["has no version", header.replace(" version='1.0' xmlns", " xmlns"), "error unsupported-version"],
  [
    "is of before the RFCs",
    header.replace("version='1.0' xmlns", "version='0.9' xmlns"),
    "error unsupported-version",
  ],
  [
    "has a version of words",
    header.replace("version='1.0' xmlns", "version='one' xmlns"),
    "error unsupported-version",
  ],
  ["says an attribute twice", header.replace(" to=", " to='a' to="), "error not-well-formed"],
  ["forgets the quotes", header.replace("'localhost'", "localhost"), "error not-well-formed"],
  ["has a < in an attribute", header.replace("'localhost'", "'<'"), "error not-well-formed"],
  ["refers to an entity", header.replace("'localhost'", "'&host;'"), "error restricted-xml"],
  [
    "has an endless header",
    header.replace(" to=", ` a='${"x".repeat(maxStanzaSize)}' to=`),
    "error policy-violation",
  ],
  [
    "has a header of many attributes",
    header.replace(" to=", `${manyAttributes(300)} to=`),
    "error policy-violation",
  ],
  ["opens and closes at once", header.replace(/>$/, "/>"), "closed"],
  ["sends an end tag", "</stream:stream>", "error not-well-formed"],
  ["sends random bytes", bytes("8f 1c 9a 3c 77 e2 01 42 99"), "error not-well-formed"],
  [
    "sends one element in its own world",
    "<message xmlns='jabber:client'/>",
    "error invalid-namespace",
  ],
];

const stream: readonly Behaviour[] = [
  ["sends a message without TLS", body("hi"), "error not-authorized"],
  ["sends presence without TLS", "<presence/>", "error not-authorized"],
  [
    "asks without TLS",
    "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    "error not-authorized",
  ],
  ["sends its password without TLS", auth("PLAIN", "\0evil0\0pencil"), "sasl encryption-required"],
  ["answers what nobody asked", `<response xmlns='${sasl}'/>`, "sasl malformed-request"],
  [
    "registers without TLS",
    register("<username>x</username><password>y</password>"),
    "error not-authorized",
  ],
  ["binds without TLS", bind("type='set' id='b'", "x"), "error not-authorized"],
  [
    "says proceed itself",
    "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "error not-authorized",
  ],
  ["starts TLS in a foreign namespace", "<starttls xmlns='urn:x'/>", "error not-authorized"],
  ["closes another tag", "</stream:river>", "error not-well-formed"],
  ["closes at once", "</stream:stream>", "closed"],
  ["closes and talks on", `</stream:stream>${body("hi")}`, "closed"],
  [
    "answers proceed with text",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>GARBAGE",
    "alive",
  ],
  ["opens a stream within the stream", header.replace(/^<\?xml[^>]*>/, ""), "alive"],
];

const rawTls: readonly Behaviour[] = [
  ["speaks XMPP to the TLS port", header, "closed"],
  ["speaks HTTP to the TLS port", "GET / HTTP/1.1\r\n\r\n", "closed"],
  ["sends zeros to the TLS port", Buffer.alloc(1_000), "closed"],
  ["sends an alert", bytes("15 03 01 00 02 02 28"), "closed"],
  ["sends a record of wrong version", bytes("16 07 07 00 05 01 00 00 01 00"), "closed"],
  ["sends an oversized record", bytes("16 03 01 ff ff 01 00 ff fb 03 03"), "closed"],
  ["sends SSL 2", bytes("80 2e 01 00 02 00 15 00 00 00 10 01 00 80"), "closed"],
];

const secured: readonly Behaviour[] = [
  ["sends a message before logging in", body("hi"), "error not-authorized"],
  ["sends presence before logging in", "<presence/>", "error not-authorized"],
  [
    "asks before logging in",
    "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    "error not-authorized",
  ],
  ["binds before logging in", bind("type='set' id='b'", "x"), "error not-authorized"],
  ["sends the unknown before logging in", "<x xmlns='urn:x'/>", "error not-authorized"],
  ["starts TLS in TLS", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "closed"],
  ["names no mechanism", `<auth xmlns='${sasl}'>AAA=</auth>`, "sasl invalid-mechanism"],
  ["names an unknown mechanism", auth("KERBEROS_V9", "x"), "sasl invalid-mechanism"],
  ["names EXTERNAL without a certificate", auth("EXTERNAL", "x"), "sasl invalid-mechanism"],
  ["names ANONYMOUS where it is not offered", auth("ANONYMOUS", "x"), "sasl invalid-mechanism"],
  [
    "sends broken base64",
    `<auth xmlns='${sasl}' mechanism='PLAIN'>A*=</auth>`,
    "sasl incorrect-encoding",
  ],
  [
    "sends base64 without padding",
    `<auth xmlns='${sasl}' mechanism='PLAIN'>AAA</auth>`,
    "sasl incorrect-encoding",
  ],
  [
    "sends base64 in lines",
    `<auth xmlns='${sasl}' mechanism='PLAIN'>AAAA\nAAAA</auth>`,
    "sasl incorrect-encoding",
  ],
  [
    "sends nothing as PLAIN",
    `<auth xmlns='${sasl}' mechanism='PLAIN'>=</auth>`,
    "sasl malformed-request",
  ],
  ["sends PLAIN of one part", auth("PLAIN", "evil0"), "sasl malformed-request"],
  ["sends PLAIN of four parts", auth("PLAIN", "a\0b\0c\0d"), "sasl malformed-request"],
  ["sends PLAIN without a password", auth("PLAIN", "\0evil0\0"), "sasl malformed-request"],
  ["sends PLAIN in Latin-1", auth("PLAIN", bytes("00 e9 00 e9")), "sasl malformed-request"],
  ["has a wrong password", auth("PLAIN", "\0evil0\0pen"), "sasl not-authorized"],
  ["has a wrong name", auth("PLAIN", "\0nobody\0pencil"), "sasl not-authorized"],
  ["has an impossible name", auth("PLAIN", "\0a@b/c\0pencil"), "sasl not-authorized"],
  ["has an endless name", auth("PLAIN", `\0${"x".repeat(3_000)}\0pencil`), "sasl not-authorized"],
  [
    "has an endless password",
    auth("PLAIN", `\0evil0\0${"x".repeat(3_000)}`),
    "sasl not-authorized",
  ],
  ["would be somebody else", auth("PLAIN", "good\0evil0\0pencil"), "sasl invalid-authzid"],
  ["sends no SCRAM at all", auth("SCRAM-SHA-256", "hello"), "sasl malformed-request"],
  ["sends SCRAM without a nonce", auth("SCRAM-SHA-256", "n,,n=evil0"), "sasl malformed-request"],
  [
    "sends SCRAM with an extension that it demands",
    auth("SCRAM-SHA-256", "n,,m=x,n=evil0,r=abc"),
    "sasl malformed-request",
  ],
  [
    "saw no -PLUS where it was offered",
    auth("SCRAM-SHA-256", "y,,n=evil0,r=abc"),
    "sasl not-authorized",
  ],
  [
    "binds a channel without -PLUS",
    auth("SCRAM-SHA-256", "p=tls-exporter,,n=evil0,r=abc"),
    "sasl malformed-request",
  ],
  [
    "binds an unknown channel",
    auth("SCRAM-SHA-256-PLUS", "p=tls-magic,,n=evil0,r=abc"),
    "sasl not-authorized",
  ],
  ["aborts before it began", `<abort xmlns='${sasl}'/>`, "sasl malformed-request"],
  [
    "responds before it began",
    `<response xmlns='${sasl}'>AAA=</response>`,
    "sasl malformed-request",
  ],
  ["says success itself", `<success xmlns='${sasl}'/>`, "sasl malformed-request"],
  [
    "aborts in the middle",
    `${auth("SCRAM-SHA-256", "n,,n=evil0,r=abc")}<abort xmlns='${sasl}'/>`,
    "sasl aborted",
  ],
  [
    "responds with broken base64",
    `${auth("SCRAM-SHA-256", "n,,n=evil0,r=abc")}<response xmlns='${sasl}'>*</response>`,
    "sasl incorrect-encoding",
  ],
  [
    "responds with nonsense",
    `${auth("SCRAM-SHA-256", "n,,n=evil0,r=abc")}<response xmlns='${sasl}'>AAAA</response>`,
    "sasl malformed-request",
  ],
  [
    "responds with nothing",
    `${auth("SCRAM-SHA-256", "n,,n=evil0,r=abc")}<response xmlns='${sasl}'/>`,
    "sasl malformed-request",
  ],
  [
    "sends a message in the middle",
    `${auth("SCRAM-SHA-256", "n,,n=evil0,r=abc")}${body("x")}`,
    "error not-authorized",
  ],
  [
    "begins twice at once",
    auth("SCRAM-SHA-256", "n,,n=evil0,r=abc").repeat(2),
    "sasl malformed-request",
  ],
  ["guesses passwords", auth("PLAIN", "\0evil0\0pen").repeat(5), "error policy-violation"],
  ["sends an endless <auth/>", auth("PLAIN", "x".repeat(maxStanzaSize)), "error policy-violation"],
  ["registers nobody", register(""), "stanza not-acceptable"],
  [
    "registers a name of spaces",
    register("<username>a b</username><password>x</password>"),
    "stanza not-acceptable",
  ],
  [
    "registers a name that is taken",
    register("<username>good</username><password>x</password>"),
    "stanza conflict",
  ],
  [
    "registers a name with a host",
    register("<username>a@b</username><password>x</password>"),
    "stanza not-acceptable",
  ],
  [
    "registers an endless name",
    register(`<username>${"x".repeat(1_024)}</username><password>x</password>`),
    "stanza not-acceptable",
  ],
  [
    "asks for the form again and again",
    `<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>`.repeat(20),
    "error policy-violation",
  ],
];

const authenticated: readonly Behaviour[] = [
  ["sends a message before binding", body("hi"), "error not-authorized"],
  ["sends presence before binding", "<presence/>", "error not-authorized"],
  [
    "asks before binding",
    "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    "error not-authorized",
  ],
  ["logs in again", auth("PLAIN", "\0evil0\0pencil"), "error not-authorized"],
  ["gets a binding", bind("type='get' id='b'", "x"), "stanza bad-request"],
  ["binds without an id", bind("type='set'", "x"), "stanza bad-request"],
  ["binds an endless resource", bind("type='set' id='b'", "x".repeat(1_024)), "stanza bad-request"],
  ["binds a resource that is none", bind("type='set' id='b'", "a&#x9;b"), "stanza bad-request"],
  ["sends the unknown", "<x xmlns='urn:x'/>", "error unsupported-stanza-type"],
];

const online: readonly Behaviour[] = [
  ...malformed,
  ["sends what is no stanza", "<letter/>", "error unsupported-stanza-type"],
  [
    "sends a server's stanza",
    "<message xmlns='jabber:server' to='good@localhost'/>",
    "error unsupported-stanza-type",
  ],
  ["sends features", "<stream:features/>", "error unsupported-stanza-type"],
  [
    "sends a stream error",
    "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    "error unsupported-stanza-type",
  ],
  ["logs in again", auth("PLAIN", "\0evil0\0pencil"), "error unsupported-stanza-type"],
  [
    "opens the stream again",
    header.replace(/^<\?xml[^>]*>/, "").replace(/>$/, "/>"),
    "error unsupported-stanza-type",
  ],
  [
    "speaks websocket framing",
    "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
    "error unsupported-stanza-type",
  ],
  [
    "is somebody else",
    "<message from='good@localhost/pad' to='good@localhost'/>",
    "error invalid-from",
  ],
  ["is the server", "<message from='localhost' to='good@localhost'/>", "error invalid-from"],
  ["is nobody", "<message from='' to='good@localhost'/>", "error invalid-from"],
  [
    "is another of its own resources",
    "<message from='evil0@localhost/other' to='good@localhost'/>",
    "error invalid-from",
  ],
  ["asks without an id", "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>", "stanza bad-request"],
  ["asks without a type", "<iq id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "stanza bad-request"],
  [
    "asks with a type of its own",
    "<iq type='please' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    "stanza bad-request",
  ],
  ["asks nothing", "<iq type='get' id='1'/>", "stanza bad-request"],
  [
    "asks two things at once",
    "<iq type='get' id='1'><a xmlns='u'/><b xmlns='u'/></iq>",
    "stanza bad-request",
  ],
  [
    "asks the unknown",
    "<iq type='get' id='1' to='localhost'><a xmlns='urn:x'/></iq>",
    "stanza service-unavailable",
  ],
  [
    "sets the unknown",
    "<iq type='set' id='1' to='good@localhost'><a xmlns='urn:x'/></iq>",
    "stanza service-unavailable",
  ],
  ["writes to no address", "<message to='@'/>", "stanza jid-malformed"],
  [
    "writes to an endless address",
    `<message to='${"x".repeat(1_024)}@localhost'/>`,
    "stanza jid-malformed",
  ],
  [
    "writes to an address with controls",
    "<message to='a&#x9;b@localhost'/>",
    "stanza jid-malformed",
  ],
  ["writes to another server", "<message to='a@example.org'/>", "stanza remote-server-not-found"],
  [
    "writes to nobody",
    "<message to='nobody@localhost'><body/></message>",
    "stanza service-unavailable",
  ],
  [
    "writes to a resource that is none",
    "<iq type='get' id='1' to='good@localhost/none'><a xmlns='urn:x'/></iq>",
    "stanza service-unavailable",
  ],
  ["is present in a way of its own", "<presence type='floating'/>", "stanza bad-request"],
  ["is too important", "<presence><priority>999</priority></presence>", "stanza bad-request"],
  ["is important in words", "<presence><priority>very</priority></presence>", "stanza bad-request"],
  ["answers what nobody asked", "<iq type='result' id='zzz' to='localhost'/>", "alive"],
  ["reports errors that nobody made", "<message type='error' to='nobody@localhost'/>", "alive"],
  ["sends much white space", " \n\t\r".repeat(20_000), "alive"],
  [
    "pings a thousand times",
    "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>".repeat(1_000),
    "alive",
  ],
  ["sends a thousand presences", "<presence/>".repeat(1_000), "alive"],
  [
    "writes a thousand times to nobody",
    "<message to='nobody@localhost'/>".repeat(1_000),
    "stanza service-unavailable",
  ],
  [
    "changes its password to nothing",
    register("<username>evil0</username><password/>"),
    "stanza bad-request",
  ],
  [
    "changes another's password",
    register("<username>good</username><password>x</password>"),
    "stanza not-allowed",
  ],
];

export const behaviours: Readonly<Record<Stage, readonly Behaviour[]>> = {
  clear,
  stream,
  "raw-tls": rawTls,
  secured,
  authenticated,
  online,
};
