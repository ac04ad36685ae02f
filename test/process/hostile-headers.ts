/** What hostile clients say before anything is secured, and what becomes of them. What the words mean: `hostile-table.ts`. */
import {
  auth,
  bind,
  body,
  bomb,
  bytes,
  header,
  manyAttributes,
  manyNamespaces,
  maxStanzaSize,
  register,
  sasl,
  type Behaviour,
} from "./hostile-words.ts";

export const clear: readonly Behaviour[] = [
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

  // What a server has to bear (RFC 6120 §4.7, §11.5, §11.7).
  [
    "is of a version to come",
    header.replace("version='1.0' xmlns", "version='2.7' xmlns"),
    "alive",
  ],
  ["gives an id of its own", header.replace(" to=", " id='mine' to="), "alive"],
  ["says who it is too soon", header.replace(" to=", " from='@' to="), "alive"],
  ["has attributes of its own", header.replace(" to=", " foo='bar' to="), "alive"],
  ["speaks no language", header.replace(" to=", " xml:lang='&lt;&apos;>' to="), "alive"],
  ["shouts its host", header.replace("localhost", "LOCALHOST."), "alive"],
  [
    "has another prefix",
    header.replace("<stream:", "<s:").replace("xmlns:stream", "xmlns:s"),
    "alive",
  ],
  [
    "declares its encoding",
    header.replace("'?>", "' encoding='utf-8' standalone=\"yes\" ?>"),
    "alive",
  ],
  ["sends much white space first", `${" \n".repeat(100_000)}${header.slice(21)}`, "alive"],
  ["sends two headers at once", header + header.slice(21), "alive"],
  ["declares no XML version", "<?xml encoding='UTF-8'?>", "error not-well-formed"],
  [
    "has half a version",
    header.replace("version='1.0' xmlns", "version='1.' xmlns"),
    "error unsupported-version",
  ],
  [
    "has an empty version",
    header.replace("version='1.0' xmlns", "version='' xmlns"),
    "error unsupported-version",
  ],
  [
    "says its version twice",
    header.replace(" xmlns=", " version='1.0' xmlns="),
    "error not-well-formed",
  ],
  [
    "declares the streams prefix twice",
    header.replace(" to=", " xmlns:stream='urn:x' to="),
    "error not-well-formed",
  ],
  [
    "undeclares the streams prefix",
    header.replace("http://etherx.jabber.org/streams", ""),
    "error bad-namespace-prefix",
  ],
  ["redefines xml", header.replace(" to=", " xmlns:xml='urn:x' to="), "error bad-namespace-prefix"],
  [
    "uses an undeclared prefix",
    header.replace(" to=", " p:a='1' to="),
    "error bad-namespace-prefix",
  ],
  [
    "puts streams into the content namespace",
    header.replace("jabber:client", "http://etherx.jabber.org/streams"),
    "error invalid-namespace",
  ],
  [
    "begins with a mark of UTF-8",
    Buffer.concat([bytes("ef bb bf"), Buffer.from(header)]),
    "error not-well-formed",
  ],
  [
    "has Latin-1 in its header",
    Buffer.concat([
      Buffer.from("<stream:stream a='"),
      bytes("e9"),
      Buffer.from(`'${header.slice(35)}`),
    ]),
    "error unsupported-encoding",
  ],
  ["has a NUL in its header", header.replace("localhost", "local\0host"), "error not-well-formed"],
  [
    "has a header of many namespaces",
    header.replace(" to=", `${manyNamespaces(200)} to=`),
    "error policy-violation",
  ],
  [
    "closes before it has begun to say anything",
    `${header.slice(0, 40)}</stream:stream>`,
    "error not-well-formed",
  ],
];

export const stream: readonly Behaviour[] = [
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

  [
    "starts TLS twice at once",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".repeat(2),
    "alive",
  ],
  [
    "starts TLS with a wish",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>",
    "alive",
  ],
  [
    "starts SCRAM without TLS",
    auth("SCRAM-SHA-256", "n,,n=evil0,r=abc"),
    "sasl encryption-required",
  ],
  ["aborts without TLS", `<abort xmlns='${sasl}'/>`, "sasl malformed-request"],
  [
    "compresses without TLS",
    "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
    "error not-authorized",
  ],
  [
    "resumes what is not its own",
    "<resume xmlns='urn:xmpp:sm:3' h='0' previd='x'/>",
    "error not-authorized",
  ],
  [
    "asks for the form without TLS",
    "<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>",
    "error not-authorized",
  ],
  ["sends much white space without TLS", "\n".repeat(300_000), "alive"],
  [
    "speaks TLS before it was told to",
    bytes("16 03 01 02 00 01 00 01 fc 03 03"),
    "error bad-format",
  ],
  ["sends a comment", "<!-- x -->", "error restricted-xml"],
  [
    "sends another server's dialback",
    "<db:result xmlns:db='jabber:server:dialback' to='localhost'>x</db:result>",
    "error not-authorized",
  ],
  [
    "is a component",
    "<handshake>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>",
    "error not-authorized",
  ],
];

export const rawTls: readonly Behaviour[] = [
  ["speaks XMPP to the TLS port", header, "closed"],
  ["speaks HTTP to the TLS port", "GET / HTTP/1.1\r\n\r\n", "closed"],
  ["sends zeros to the TLS port", Buffer.alloc(1_000), "closed"],
  ["sends an alert", bytes("15 03 01 00 02 02 28"), "closed"],
  ["sends a record of wrong version", bytes("16 07 07 00 05 01 00 00 01 00"), "closed"],
  ["sends an oversized record", bytes("16 03 01 ff ff 01 00 ff fb 03 03"), "closed"],
  ["sends SSL 2", bytes("80 2e 01 00 02 00 15 00 00 00 10 01 00 80"), "closed"],
];
