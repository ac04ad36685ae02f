/** RFC 7395 framing: each message one element, <open/> and <close/> for the stream's tags. */
import { expect, test } from "vitest";
import type { C2sOptions } from "../../src/stream/c2s.ts";
import { replay, tidy } from "./transcript.ts";

const websocket: Partial<C2sOptions> = {
  framing: "websocket",
  tlsMode: undefined,
  mechanisms: () => ["PLAIN"],
};
const prefix = "xmlns:stream='http://etherx.jabber.org/streams'";
const features = `<stream:features ${prefix}><mechanisms xmlns='sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>`;
const bound = `
  C: <open to='localhost'/>
  S: <open from='localhost'/>${features}
  C: <auth xmlns='sasl' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth>
  E: authenticate PLAIN "|juliet|secret"
  W: success juliet
  S: <success xmlns='sasl'/>
  C: <open to='localhost'/>
  S: <open from='localhost'/><stream:features ${prefix}><bind xmlns='bind'><required/></bind><session xmlns='session'><optional/></session></stream:features>
  C: <iq xmlns='jabber:client' type='set' id='b'><bind xmlns='bind'/></iq>
  E: bind any
  W: bound juliet@localhost/balcony
`;

test("websocket: open, log in, talk, close [RFC 7395 §3.3–§3.6]", () => {
  const text = `${bound}
    C: <message xmlns='jabber:client' id='1' to='romeo@localhost'/>
    E: stanza-received message 1
    W: deliver <message id='2'/>
    S: <message from='romeo@localhost/a' xmlns='jabber:client' id='2'/>
    C: <close xmlns='framing'/>
    S: <close xmlns='framing'/>
    E: ended: the peer closed the stream
    E: close
  `;
  expect(replay(text, websocket)).toBe(tidy(text));
});

test("websocket: an error is one message and <close/> another [RFC 7395 §3.5]", () => {
  const text = `${bound}
    W: end conflict
    S: <stream:error ${prefix}><conflict xmlns='streams'/><text xmlns='streams' xml:lang='en'>because</text></stream:error><close xmlns='framing'/>
    E: ended: conflict
    E: close
  `;
  expect(replay(text, websocket)).toBe(tidy(text));
});

test("websocket: into silence goes a ping, as there is no place for white space [RFC 7395 §3.8]", () => {
  const text = `${bound}
    W: after 60000
    E: ping
    W: after 60000
    E: ping
  `;
  expect(replay(text, websocket)).toBe(tidy(text));
});

test.each([
  ["<stream to='localhost'>", "not-well-formed"],
  ["<message xmlns='jabber:client'/>", "not-well-formed"],
  ["<close xmlns='framing'/>", "<close "],
  ["<open to='nowhere'/>", "host-unknown"],
  ["<open to='localhost'/>", "<stream:features"],
  ["text", "bad-format"],
  ["<open to='localhost'/><open to='localhost'/>", "not-well-formed"],
  ["</open>", "not-well-formed"],
  ["<!-- a comment -->", "restricted-xml"],
])("websocket: first of all %s is met by %s", (message, answer) => {
  expect(replay(`C: ${message}`, websocket)).toContain(answer);
});

test("websocket: the version must be said [RFC 6120 §4.7.5]", () => {
  const open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost'/>";
  expect(replay(`C: ${open.replace("<open ", "<open\t")}`, websocket)).toContain(
    "unsupported-version",
  );
});

test("websocket: a second <open/> where none belongs", () => {
  expect(replay(`${bound}\nC: <open to='localhost'/>`, websocket)).toContain("bad-format");
});
