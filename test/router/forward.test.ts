/** Stanzas between nodes: what is forwarded, what happens where it arrives, and to what comes back. */
import { expect, test } from "vitest";
import { bytesFromBinary } from "../../src/base/bytes.ts";
import { Piece } from "../../src/base/chunk.ts";
import { WireError } from "../../src/cluster/codec.ts";
import { Arrivals } from "../../src/router/arrivals.ts";
import {
  decodeFrame,
  encodeFrame,
  originOf,
  StanzaIds,
  type StanzaId,
  type Transit,
} from "../../src/router/stanza-frame.ts";
import { SplitScene, there } from "./split-scene.ts";
import { stanza, wordsOf } from "./scene.ts";

const id: StanzaId = { origin: "0123456789abcdef n1", counter: 7 };
const transit = (target: string, more: Partial<Transit> = {}): Transit => ({
  ...{ id, maybe: false, hops: 0, target },
  ...more,
});
const sent = stanza(
  "<message from='juliet@localhost/balcony' to='romeo@localhost/orchard' type='chat'/>",
);
const orchard = "romeo@localhost/orchard";

test("forward: to a full JID of another node, stamped with the sender", () => {
  const scene = new SplitScene();
  const juliet = scene.bind("juliet@localhost/balcony", 0);
  scene.bindThere("romeo@localhost/orchard", 0);
  const [effect] = scene.send(juliet, `<message to='${orchard}'/>`);
  expect(effect).toMatchObject({ type: "forward", target: orchard, from: juliet.jid.full });
});

test("reroute: to the session that is meant, as it came", () => {
  const scene = new SplitScene();
  const romeo = scene.bind(orchard, 0);
  const effects = scene.router.reroute(sent, transit(orchard));
  expect(effects).toEqual([
    { type: "deliver", session: romeo, stanza: sent, transit: transit(orchard) },
  ]);
});

test("reroute: a chat message for a resource that has gone goes to another [RFC 6121 §8.5.3.2.1]", () => {
  const scene = new SplitScene();
  scene.bind("romeo@localhost/tomb", 0);
  expect(scene.reroute(sent, transit(orchard))).toBe("tomb");
});

test("reroute: a message to the user spares a session that has withdrawn on its way [RFC 6121 §8.5.2.1.1]", () => {
  const scene = new SplitScene();
  scene.bind(orchard, -1);
  const juliet = scene.bind("juliet@localhost/balcony", 0);
  const toUser = stanza(
    "<message from='juliet@localhost/balcony' to='romeo@localhost' type='chat'/>",
  );
  const effects = scene.router.reroute(toUser, transit(orchard)) ?? [];
  expect(wordsOf(effects, juliet)).toBe("error service-unavailable");
  scene.bind("romeo@localhost/tomb", 0);
  expect(scene.reroute(toUser, transit(orchard))).toBe("tomb");
  // By its full JID it is reached whatever its priority (RFC 6121 §8.5.3.1).
  const toSession = stanza(
    `<message from='juliet@localhost/balcony' to='${orchard}' type='chat'/>`,
  );
  expect(scene.reroute(toSession, transit(orchard))).toBe("orchard");
});

test("reroute: a presence to the user spares a session that has withdrawn on its way [RFC 6121 §8.5.2.1.2]", () => {
  const scene = new SplitScene();
  const romeo = scene.bind(orchard, -1);
  const from = "juliet@localhost/balcony";
  const toUser = stanza(`<presence from='${from}' to='romeo@localhost'/>`);
  expect(scene.reroute(toUser, transit(orchard))).toBe("orchard"); // whatever its priority
  scene.send(romeo, "<presence type='unavailable'/>");
  expect(scene.router.reroute(toUser, transit(orchard))).toEqual([]);
  scene.bind("romeo@localhost/tomb", -1);
  expect(scene.reroute(toUser, transit(orchard))).toBe("tomb");
  const toSession = stanza(`<presence from='${from}' to='${orchard}'/>`);
  expect(scene.reroute(toSession, transit(orchard))).toBe("orchard");
});

test("reroute: what cannot be delivered is told the sender, on whatever node", () => {
  const scene = new SplitScene();
  const juliet = "juliet@localhost/balcony";
  expect(scene.reroute(sent, transit(orchard))).toBe("stranded"); // she has gone, too
  scene.bindThere(juliet, 0);
  const [effect] = scene.router.reroute(sent, transit(orchard)) ?? [];
  expect(effect).toMatchObject({ type: "forward", target: juliet, to: juliet });
  scene.unbindThere(juliet);
  const session = scene.bind(juliet, 0);
  const effects = scene.router.reroute(sent, transit(orchard)) ?? [];
  expect(wordsOf(effects, session)).toBe("error service-unavailable");
});

test("reroute: an answer goes back the way its question came while no record tells of the asker", () => {
  const scene = new SplitScene();
  const juliet = "juliet@localhost/balcony";
  const romeo = scene.bind(orchard, 0);
  const ping = stanza(`<iq from='${juliet}' to='${orchard}' type='get' id='1'><x xmlns='x'/></iq>`);
  const pong = `<iq to='${juliet}' type='result' id='1'/>`;
  expect(scene.send(romeo, pong)).toMatchObject([{ type: "strand", target: juliet }]);
  scene.router.reroute(ping, transit(orchard), there);
  expect(scene.send(romeo, pong)).toMatchObject([{ type: "forward", peer: there, target: juliet }]);
  // Only answers: a message for somebody whom nobody knows is refused at once.
  expect(scene.send(romeo, `<message to='${juliet}'/>`)).toMatchObject([
    { type: "deliver", session: romeo },
  ]);
});

test("reroute: a copy that is looked up again is marked: its new session may have one of its own", () => {
  const scene = new SplitScene();
  const tomb = scene.bind("romeo@localhost/tomb", 0);
  const marked = { ...transit(orchard), maybe: true };
  expect(scene.router.reroute(sent, transit(orchard))).toEqual([
    { type: "deliver", session: tomb, stanza: sent, transit: marked },
  ]);
  scene.bindThere(orchard, 0);
  expect(scene.router.reroute(sent, transit(orchard))).toMatchObject([
    { type: "forward", peer: there, target: orchard, transit: marked },
  ]);
});

test("reroute: two nodes that point at each other do not pass a stanza on for ever", () => {
  const scene = new SplitScene();
  scene.bindThere(orchard, 0);
  const juliet = scene.bind("juliet@localhost/balcony", 0);
  expect(scene.reroute(sent, transit(orchard, { hops: 3 }))).toBe(orchard);
  const effects = scene.router.reroute(sent, transit(orchard, { hops: 4 })) ?? [];
  expect(wordsOf(effects, juliet)).toBe("error service-unavailable");
});

test("reroute: a request whose session has gone goes back to its asker's node, and from there on", () => {
  const scene = new SplitScene();
  const ping = stanza(
    `<iq from='juliet@localhost/balcony' to='${orchard}' type='get' id='1'><x xmlns='x'/></iq>`,
  );
  const came = { id: { origin: originOf(there), counter: 1 } };
  const theirs = transit(orchard, came);
  const fromHome = transit(orchard, { ...came, home: there });
  const home = { ...there, name: "n3" };
  const back = [{ type: "forward", peer: there, target: orchard, transit: { hops: 0 } }];
  expect(scene.router.reroute(ping, fromHome, there)).toMatchObject(back);
  // Of another node's request, and of what came back, it is looked up.
  const juliet = scene.bind("juliet@localhost/balcony", 0);
  const effects = scene.router.reroute(ping, transit(orchard), there) ?? [];
  expect(wordsOf(effects, juliet)).toBe("error service-unavailable");
  expect(wordsOf(scene.router.reroute(ping, theirs) ?? [], juliet)).toBe(
    "error service-unavailable",
  );
  // Nobody but her node sends it on; nor does it go to and fro more often than anything else.
  scene.sessions.remove(juliet);
  scene.bindThere("juliet@localhost/balcony", 0);
  scene.bindThere(orchard, 0);
  expect(scene.router.reroute(ping, theirs)).toMatchObject([
    { type: "forward", target: "juliet@localhost/balcony" },
  ]);
  const [error] = scene.router.reroute(ping, { ...transit(orchard), home, hops: 4 }, home) ?? [];
  expect(error).toMatchObject({ type: "forward", peer: home, stanza: { type: "error" } });
});

test("reroute: without a `to` it was meant for the sender's own account [RFC 6120 §10.3.1]", () => {
  const scene = new SplitScene();
  scene.bind("juliet@localhost/garden", 0);
  const own = stanza("<message from='juliet@localhost/balcony' type='chat'/>");
  expect(scene.reroute(own, transit("juliet@localhost/gone"))).toBe("garden");
});

test("reroute: what no router sends is refused", () => {
  const { router } = new SplitScene();
  expect(router.reroute(stanza("<message to='a@localhost'/>"), transit(orchard))).toBeUndefined();
  expect(router.reroute(stanza("<x from='a@localhost/b'/>"), transit(orchard))).toBeUndefined();
});

test("reroute: no request to an account or server is answered for another node", () => {
  const scene = new SplitScene();
  scene.bindThere("juliet@localhost/balcony", 0);
  const asked = stanza(
    "<iq from='juliet@localhost/balcony' to='localhost' type='get' id='1'><known xmlns='urn:test:known'/></iq>",
  );
  const [effect] = scene.router.reroute(asked, transit(orchard)) ?? [];
  expect(effect).toMatchObject({ type: "forward", target: "juliet@localhost/balcony" });
});

test("frame: one whose header is cut, or names what is no stanza, is refused", () => {
  const body = encodeFrame(transit(orchard), sent, {});
  const at = body.indexOf("<message");
  for (let length = 0; length <= at; length += 1) {
    expect(() => decodeFrame(Piece.of(bytesFromBinary(body.slice(0, length))))).toThrow(WireError);
  }
  const nameAt = 1 + id.origin.length + 3;
  for (const name of ["\x00", "\x04", "\xff"]) {
    const unknown = body.slice(0, nameAt) + name + body.slice(nameAt + 1);
    expect(() => decodeFrame(Piece.of(bytesFromBinary(unknown)))).toThrow(WireError);
  }
  const read = decodeFrame(Piece.of(bytesFromBinary(body)));
  expect(read.transit).toEqual(transit(orchard));
  expect(read.stanza.write("jabber:client")).toBe(sent.write("jabber:client"));
  expect(read.stanza.size).toBe(body.length - at);
});

test("frame: what is no stanza is seen when more than its target is asked for", () => {
  const scene = new SplitScene();
  const body = encodeFrame(transit(orchard), sent, {});
  const at = body.indexOf("<message");
  for (const wrong of [
    ...["text", "</stream:stream>", "<message/><message/>", "<a><b></a>", "<!-- -->"],
    body.slice(at, -1),
  ]) {
    const { stanza: sealed } = decodeFrame(Piece.of(bytesFromBinary(body.slice(0, at) + wrong)));
    expect(() => sealed.open()).toThrow(WireError);
    expect(sealed.isAnswer()).toBe(false);
    expect(() => scene.router.reroute(sealed, transit(orchard))).toThrow(WireError);
  }
});

test("sealed stanza: unread it is written as it would be when it was read", () => {
  const declared = "<message xmlns='jabber:client' from='a@b/c'><body>é</body></message>";
  for (const original of [sent, stanza(declared), stanza(`<iq id='1' type='get'><x/></iq>`)]) {
    const changes = [{}, { from: "x@y/z" }, { to: "x@y/z" }, { from: null }];
    for (const context of ["jabber:client", "", "jabber:server"]) {
      for (const change of changes) {
        const frame = encodeFrame(transit(orchard), original, {});
        const { stanza: sealed } = decodeFrame(Piece.of(bytesFromBinary(frame)));
        expect(sealed.write(context, change)).toBe(original.write(context, change));
        expect(sealed.copy().copy().write(context, change)).toBe(original.write(context, change));
        expect(sealed.open().name).toBe(original.name);
      }
    }
  }
});

test("sealed stanza: it knows whether anybody else can be told of it [RFC 6120 §8.3.1]", () => {
  const isAnswer = (xml: string): boolean => {
    const frame = encodeFrame(transit(orchard), stanza(xml), {});
    return decodeFrame(Piece.of(bytesFromBinary(frame))).stanza.isAnswer();
  };
  const answers = [
    "<message type='error'/>",
    "<presence type='error'/>",
    "<iq id='1' type='result'/>",
  ];
  const others = ["<message/>", "<message type='result'/>", "<iq id='1' type='get'><x/></iq>"];
  expect(answers.map(isAnswer)).toEqual([true, true, true]);
  expect(others.map(isAnswer)).toEqual([false, false, false]);
});

test("sealed stanza: opened, then copied, it needs nothing of the frame", () => {
  const frame = bytesFromBinary(encodeFrame(transit(orchard), sent, {}));
  const { stanza: sealed } = decodeFrame(Piece.of(frame));
  const opened = sealed.open();
  sealed.copy();
  frame.fill(0);
  expect(sealed.write("jabber:client")).toBe(sent.write("jabber:client"));
  expect(opened.write("jabber:client")).toBe(sent.write("jabber:client"));
});

test("arrivals: a session drops a `maybe` that it has, among the last thousand", () => {
  const arrivals = new Arrivals();
  expect(arrivals.add(1, true)).toBe(true);
  expect(arrivals.add(1, true)).toBe(false);
  expect(arrivals.add(1, false)).toBe(false); // its own copy, after one that was looked up again
  for (let other = 2; other <= 1_001; other += 1) arrivals.add(other, false);
  expect(arrivals.add(1_001, true)).toBe(false);
  expect(arrivals.add(1, true)).toBe(true); // long ago
});

test("ids: each is different, and has the same number wherever it is read", () => {
  const peer = { name: "n1", incarnation: 1, boot: "0123456789abcdef" };
  const ids = new StanzaIds(peer);
  const [one, two] = [ids.mint(), ids.mint()];
  const elsewhere = new StanzaIds({ ...peer, name: "n2" });
  const numbers = [
    one,
    two,
    elsewhere.mint(),
    new StanzaIds({ ...peer, boot: "f".repeat(16) }).mint(),
  ];
  const reader = new StanzaIds(peer);
  expect(new Set(numbers.map((each) => reader.number(each))).size).toBe(4);
  expect(reader.number(one)).toBe(reader.number({ ...one }));
});

test("frame: an id that its sender has minted names no origin, and means the sender's all the same", () => {
  const theirs = transit(orchard, { id: { origin: originOf(there), counter: 7 } });
  const [short, long] = [
    encodeFrame(theirs, sent, {}, originOf(there)),
    encodeFrame(theirs, sent, {}),
  ];
  expect(short.length).toBe(long.length - originOf(there).length);
  for (const frame of [short, long]) {
    const read = decodeFrame(Piece.of(bytesFromBinary(frame)), originOf(there));
    expect(read.transit).toEqual(theirs);
  }
  const homeOf = (frame: string, minter: string) =>
    decodeFrame(Piece.of(bytesFromBinary(frame)), minter, there).transit.home;
  expect(homeOf(short, originOf(there))).toBe(there);
  // It has passed on what another's client sent.
  expect(homeOf(encodeFrame(transit(orchard), sent, {}, originOf(there)), originOf(there))).toBe(
    undefined,
  );
});
