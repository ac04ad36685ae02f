/** Who may say what, and what is said of it: the router's checks, errors and presence. */
import { expect, test } from "vitest";
import type { Stanza } from "../../src/xmpp/stanza.ts";
import type { Session } from "../../src/router/session.ts";
import { Session as RestoredSession } from "../../src/router/session.ts";
import { conditionOf, Scene, stanza, wordsOf } from "./scene.ts";

function balcony(): { scene: Scene; juliet: Session } {
  const scene = new Scene();
  return { scene, juliet: scene.bind("juliet@localhost/balcony", 0) };
}

test.each([
  ["romeo@localhost/orchard"],
  ["romeo@localhost"],
  ["juliet@localhost/chamber"],
  ["juliet@other.test/balcony"],
  ["localhost"],
  ["not a jid@@"],
  [""],
])("router: a forged from of %j closes the stream [RFC 6120 §8.1.2.1]", (from) => {
  const { scene, juliet } = balcony();
  scene.bind("romeo@localhost/orchard", 0);
  const xml = `<message from='${from}' to='romeo@localhost'/>`;
  expect(scene.fate(juliet, xml)).toBe("closed invalid-from");
});

test.each([["juliet@localhost/balcony"], ["juliet@localhost"], ["JULIET@LocalHost/balcony"]])(
  "router: %s is the sender's own address, and stamped in full [RFC 6120 §8.1.2.1]",
  (from) => {
    const { scene, juliet } = balcony();
    scene.bind("romeo@localhost/orchard", 0);
    const [effect] = scene.send(juliet, `<message from='${from}' to='romeo@localhost'/>`);
    expect(effect).toMatchObject({ type: "deliver", from: "juliet@localhost/balcony" });
  },
);

test.each([
  ["no id", "<iq type='get'><known xmlns='urn:test:known'/></iq>"],
  ["no type", "<iq id='1'><known xmlns='urn:test:known'/></iq>"],
  ["another type", "<iq id='1' type='subscribe'><known xmlns='urn:test:known'/></iq>"],
  ["no payload", "<iq id='1' type='get'/>"],
  ["no payload", "<iq id='1' type='set'>text</iq>"],
  ["two payloads", "<iq id='1' type='set'><a xmlns='a'/><b xmlns='b'/></iq>"],
])("router: an iq with %s is a bad request [RFC 6120 §8.2.3]: %s", (_what, xml) => {
  const { scene, juliet } = balcony();
  expect(scene.fate(juliet, xml)).toBe("error bad-request");
});

test("router: a result with two payloads is dropped, as an answer may not be answered [RFC 6120 §8.3.1]", () => {
  const { scene, juliet } = balcony();
  const romeo = scene.bind("romeo@localhost/orchard", 0);
  const xml = `<iq id='1' type='result' to='${romeo.jid.full}'><a xmlns='a'/><b xmlns='b'/></iq>`;
  expect(scene.fate(juliet, xml)).toBe("-");
});

test.each([["@localhost"], ["a b@localhost"], ["romeo@localhost/"], ["romeo@"]])(
  "router: an address of %j is malformed [RFC 6120 §8.3.3.8]",
  (to) => {
    const { scene, juliet } = balcony();
    expect(scene.fate(juliet, `<message to='${to}'/>`)).toBe("error jid-malformed");
  },
);

test.each(["message", "presence", "iq type='get' id='1'"])(
  "router: <%s> to a host that is not ours [RFC 6120 §10.4]",
  (tag) => {
    const { scene, juliet } = balcony();
    const name = tag.split(" ")[0] ?? "";
    const xml = `<${tag} to='romeo@elsewhere.test'><x xmlns='urn:x'/></${name}>`;
    const [effect] = scene.send(juliet, xml);
    if (effect?.type !== "deliver") throw new TypeError("an error was expected");
    expect(conditionOf(effect.stanza.open())).toBe("remote-server-not-found");
    expect(effect.stanza.from).toBe("romeo@elsewhere.test");
  },
);

test.each([
  "<message type='error' to='nobody@localhost'/>",
  "<message type='error' to='nobody@elsewhere.test'/>",
  "<message type='error' to='@'/>",
  "<presence type='error' to='nobody@elsewhere.test'/>",
  "<presence type='error'/>",
  "<iq type='error' id='1' to='nobody@localhost/gone'/>",
  "<iq type='error' id='1' to='nobody@elsewhere.test'/>",
  "<iq type='result' id='1' to='@'/>",
  "<iq type='result' id='1' to='localhost'/>",
  "<iq type='error' id='1'/>",
])("router: errors and results are never answered [RFC 6120 §8.3.1]: %s", (xml) => {
  const { scene, juliet } = balcony();
  expect(scene.fate(juliet, xml)).toBe("-");
});

test.each([
  ["<foo/>", "unsupported-stanza-type"],
  ["<message xmlns='jabber:server' to='romeo@localhost'/>", "unsupported-stanza-type"],
  ["<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "unsupported-stanza-type"],
])("router: %s is not a stanza of this stream [RFC 6120 §4.9.3.24]", (xml, condition) => {
  const { scene, juliet } = balcony();
  expect(scene.fate(juliet, xml)).toBe(`closed ${condition}`);
});

test.each([
  ["server", "<iq type='get' id='1' to='localhost'><known xmlns='urn:test:known'/></iq>"],
  ["self, no to", "<iq type='get' id='1'><known xmlns='urn:test:known'/></iq>"],
  ["self", "<iq type='get' id='1' to='juliet@localhost'><known xmlns='urn:test:known'/></iq>"],
  ["account", "<iq type='get' id='1' to='romeo@localhost'><known xmlns='urn:test:known'/></iq>"],
])("router: the server answers for %s [RFC 6120 §10.3.3]", (_what, xml) => {
  const { scene, juliet } = balcony();
  expect(scene.fate(juliet, xml)).toBe("handled");
});

test.each(["localhost", "juliet@localhost", "romeo@localhost", "localhost/nothing"])(
  "router: an unknown namespace is answered by an error, to %s [RFC 6120 §8.4]",
  (to) => {
    const { scene, juliet } = balcony();
    const xml = `<iq type='get' id='1' to='${to}'><what xmlns='urn:test:unknown'/></iq>`;
    expect(scene.fate(juliet, xml)).toBe("error service-unavailable");
  },
);

test("router: an error repeats the id, comes from the addressee and goes to the sender [RFC 6120 §8.3.1]", () => {
  const { scene, juliet } = balcony();
  const [effect] = scene.send(juliet, "<message id='m1' to='nobody@localhost' type='chat'/>");
  if (effect?.type !== "deliver") throw new TypeError("an error was expected");
  expect(effect.session).toBe(juliet);
  expect(effect.to).toBe("juliet@localhost/balcony");
  const written = effect.stanza.write("jabber:client", effect);
  expect(written).toContain("id='m1'");
  expect(written).toContain("from='nobody@localhost'");
  expect(written).toContain("to='juliet@localhost/balcony'");
});

test.each([
  ["<presence/>", 0],
  ["<presence><priority>5</priority></presence>", 5],
  ["<presence><priority> -128 </priority></presence>", -128],
  ["<presence><priority>127</priority></presence>", 127],
  ["<presence><show>away</show><priority>+1</priority></presence>", 1],
])("router: %s sets the priority to %i [RFC 6121 §4.7.2.3]", (xml, priority) => {
  const { scene, juliet } = balcony();
  juliet.available = false;
  expect(scene.fate(juliet, xml)).toBe("-");
  expect(juliet).toMatchObject({ available: true, priority });
});

test.each(["128", "-129", "1000", "x", "1.5", "", "0x1"])(
  "router: a priority of %j is a bad request [RFC 6121 §4.7.2.3]",
  (priority) => {
    const { scene, juliet } = balcony();
    juliet.priority = 3;
    const xml = `<presence><priority>${priority}</priority></presence>`;
    expect(scene.fate(juliet, xml)).toBe("error bad-request");
    expect(juliet.priority).toBe(3);
  },
);

test("router: who becomes unavailable gets no more messages to the bare JID [RFC 6121 §4.5]", () => {
  const { scene, juliet } = balcony();
  const romeo = scene.bind("romeo@localhost/orchard", 7);
  expect(scene.fate(juliet, "<message to='romeo@localhost'/>")).toBe("orchard");
  expect(scene.fate(romeo, "<presence type='unavailable'/>")).toBe("-");
  expect(romeo).toMatchObject({ available: false, priority: 0 });
  expect(scene.fate(juliet, "<message to='romeo@localhost'/>")).toBe("error service-unavailable");
});

test("router: what could not be delivered is told to the sender, errors to nobody", () => {
  const { scene, juliet } = balcony();
  const gone = "romeo@localhost/orchard";
  const message = stanza(`<message id='1' to='${gone}'/>`);
  const bounce = (what: Stanza, from: string) =>
    scene.router.bounce(what, from, gone, "recipient-unavailable");
  expect(wordsOf(bounce(message, juliet.jid.full), juliet)).toBe("error recipient-unavailable");
  expect(bounce(stanza("<message type='error'/>"), juliet.jid.full)).toEqual([]);
  expect(bounce(message, "stranger@localhost/x")).toEqual([]);
});

test("sessions: an old connection's end does not remove the session that took its name", () => {
  const scene = new Scene();
  const old = scene.bind("juliet@localhost/balcony", 0);
  const young = scene.bind("juliet@localhost/balcony", 0);
  scene.sessions.remove(old);
  expect(scene.sessions.get("juliet@localhost/balcony")).toBe(young);
  expect(scene.sessions.of(young.jid)).toEqual([young]);
  expect(scene.sessions.remove(young)).toBe(true);
  expect(scene.sessions.remove(young)).toBe(false);
  expect(scene.sessions.size).toBe(0);
});

test("session: its snapshot is a plain value that makes the same session again", () => {
  const { scene, juliet } = balcony();
  scene.send(juliet, "<presence><priority>9</priority></presence>");
  const state: unknown = JSON.parse(JSON.stringify(juliet.snapshot()));
  expect(state).toEqual(juliet.snapshot());
  expect(RestoredSession.restore(77, juliet.snapshot()).snapshot()).toEqual(juliet.snapshot());
});
