/** What is too late: answers for who is gone, and stanzas behind the one that ended their stream. */
import { expect, test } from "vitest";
import { SmallNode } from "./small-node.ts";

const change =
  "<iq type='set' id='change'><query xmlns='jabber:iq:register'>" +
  "<username>juliet</username><password>other</password></query></iq>";

test("traffic: an answer is its asker's, not of who has taken the asker's name meanwhile", () => {
  for (const replaced of [false, true]) {
    const node = new SmallNode();
    const asker = node.login("juliet", "balcony");
    const withheld = (node.withheld = []);
    node.send(asker, change);
    node.withheld = undefined;
    expect(withheld).toHaveLength(1);
    const young = replaced ? node.login("juliet", "balcony") : asker;
    expect(node.closed.has(asker)).toBe(replaced);
    for (const answer of withheld) node.deliver(answer);
    expect(node.read(young).includes("id='change'")).toBe(!replaced);
  }
});

test("traffic: of what a client sent together nothing counts behind what ended its stream [RFC 6120 §4.9.1.1]", () => {
  const node = new SmallNode();
  const romeo = node.login("romeo", "orchard");
  const juliet = node.login("juliet", "balcony");
  const message = (id: string, from = ""): string =>
    `<message${from} to='romeo@localhost/orchard' type='chat' id='${id}'/>`;
  node.send(
    juliet,
    message("before") + message("forged", " from='nurse@localhost'") + message("late"),
  );
  expect(node.read(juliet)).toContain("<invalid-from");
  expect(node.read(romeo).match(/(?<=id=')\w+(?='\/>)/g)).toEqual(["before"]);
});

test("traffic: who asks and closes in one breath has the answers before the closing tag [RFC 6120 §4.4]", () => {
  const node = new SmallNode();
  const juliet = node.login("juliet", "balcony");
  node.read(juliet);
  const said =
    "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>" +
    "<message to='nobody@localhost/x' type='headline' id='m'/><presence type='unavailable'/>";
  node.send(juliet, `${said}</stream:stream>`);
  const answers = /^<iq id='p' type='result' [^>]*><message [^>]*id='m'.*<\/stream:stream>$/;
  expect(node.read(juliet)).toMatch(answers);
  expect(node.closed.has(juliet)).toBe(true);
});

test("traffic: what stands before a mistake is acted upon, and answered before the error", () => {
  const node = new SmallNode();
  const romeo = node.login("romeo", "orchard");
  const juliet = node.login("juliet", "balcony");
  node.read(juliet);
  const message = (to: string): string => `<message to='${to}@localhost/orchard' id='for ${to}'/>`;
  node.send(juliet, `${message("romeo")}${message("nobody")}<x></y>${message("romeo")}`);
  expect(node.read(romeo).match(/id='for romeo'/g)).toHaveLength(1);
  expect(node.read(juliet)).toMatch(
    /^<message [^>]*id='for nobody'.*<stream:error><not-well-formed/,
  );
  expect(node.closed.has(juliet)).toBe(true);
});

test("traffic: who is replaced by what it said itself is closed once, whatever end follows it", () => {
  const node = new SmallNode();
  const juliet = node.login("juliet", "balcony");
  node.read(juliet);
  const gone = "<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>";
  node.send(juliet, `${gone}</stream:stream>`);
  const written = node.read(juliet);
  expect(written.match(/<\/stream:stream>/g)).toHaveLength(1);
  expect(node.closed.has(juliet)).toBe(true);
});
