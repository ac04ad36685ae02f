/** Answers, and errors for messages, whose addressee is out of sight or has a namesake: where they go, how long they wait, how many. */
import { expect, test } from "vitest";
import { bytesFromBinary } from "../../src/base/bytes.ts";
import { Piece } from "../../src/base/chunk.ts";
import { kinds } from "../../src/cluster/messages.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import { encodeFrame, originOf } from "../../src/router/stanza-frame.ts";
import { Stranded, strandedLimits, type Strand } from "../../src/server/stranded.ts";
import { stanza } from "../router/scene.ts";
import { balcony } from "./balcony.ts";

const peer = { name: "n3", incarnation: 1, boot: "0123456789abcdef" };
const juliet = "juliet@localhost/balcony";
const result = (id: number, text = ""): Strand => ({
  type: "strand",
  target: juliet,
  stanza: stanza(`<iq to='${juliet}' type='result' id='${id}'>${text}</iq>`),
});
const ids = (strands: readonly Strand[]) => strands.map((strand) => Number(strand.stanza.id));
const anybody = (): boolean => true;

test("stranded: nothing waits while everybody is in sight, or has been gone for long", () => {
  const stranded = new Stranded();
  expect(stranded.waitsForSomebody(0)).toBe(false);
  stranded.put(0, result(1));
  expect(stranded.peerBack(1, peer, anybody).found).toEqual([]);
  stranded.peerLost(10, peer);
  expect([10, 120_010, 200_000].map((at) => stranded.waitsForSomebody(at))).toEqual([
    ...[true, true, false],
  ]);
  stranded.put(200_000, result(2));
  expect(stranded.peerBack(200_001, peer, anybody).found).toEqual([]);
});

test("stranded: an answer goes on once its asker is in sight, not before, and once", () => {
  const stranded = new Stranded();
  const other = { ...peer, name: "n2" };
  stranded.peerLost(0, peer);
  stranded.peerLost(0, other);
  stranded.put(1, result(1));
  stranded.put(2, result(2));
  expect(stranded.peerBack(3, other, () => false)).toEqual({ found: [], givenUp: [] });
  expect(ids(stranded.peerBack(4, peer, (full) => full === juliet).found)).toEqual([1, 2]);
  expect(stranded.peerBack(5, peer, anybody).found).toEqual([]);
});

test("stranded: an answer whose asker's process is known waits for that one alone", () => {
  const stranded = new Stranded();
  stranded.peerLost(0, peer);
  stranded.put(1, { ...result(1), asker: peer });
  // Another has a session of that name; a successor has not asked.
  for (const other of [
    { ...peer, name: "n2" },
    { ...peer, boot: "fedcba9876543210" },
  ]) {
    expect(stranded.peerBack(2, other, anybody).found).toEqual([]);
  }
  expect(ids(stranded.peerBack(3, peer, () => false).found)).toEqual([1]);
});

test("stranded: what nobody came back for is given up, and told, with the next answer", () => {
  const stranded = new Stranded();
  stranded.peerLost(0, peer);
  stranded.put(1, result(1));
  expect(stranded.put(119_000, result(2))).toEqual([]);
  expect(ids(stranded.put(130_000, result(3)))).toEqual([1]); // nobody is waited for any more: it is not kept
  expect(stranded.peerBack(130_001, peer, anybody).found).toHaveLength(1);
});

test("stranded: bounded in number, bytes and time, and what is given up is told", () => {
  const stranded = new Stranded();
  stranded.peerLost(0, peer);
  let given = 0;
  for (let id = 1; id <= strandedLimits.answers + 5; id += 1)
    given += stranded.put(1, result(id)).length;
  expect(given).toBe(5);
  stranded.peerLost(2, peer);
  const large = "x".repeat(60_000);
  for (let id = 1; id <= 20; id += 1) given += stranded.put(2, result(id, large)).length;
  expect(given).toBeGreaterThan(1_000);
  stranded.peerLost(100_000, peer);
  const { found, givenUp } = stranded.peerBack(200_000, peer, () => false);
  expect(found).toEqual([]);
  expect(givenUp.length + given).toBe(strandedLimits.answers + 25);
});

test("stranded: no more waits than half of what may wait for a link", () => {
  const stranded = new Stranded(4_000);
  stranded.peerLost(0, peer);
  const text = "x".repeat(400);
  const given = [1, 2, 3, 4, 5, 6].map((id) => ids(stranded.put(1, result(id, text))));
  expect(given).toEqual([[], [], [], [], [1], [2]]);
  expect(ids(stranded.peerBack(2, peer, anybody).found)).toEqual([3, 4, 5, 6]);
});

test("stranded: an asker whose node was cut off has the answer when it is back", () => {
  const names = ["n1", "n2", "n3"] as const;
  const { cluster, first: n1, last: n3, juliet: asker, romeo } = balcony(names);
  for (const id of ["q", "later"]) {
    n1.send(
      asker,
      `<iq to='romeo@localhost/orchard' type='get' id='${id}'><x xmlns='urn:x'/></iq>`,
    );
  }
  cluster.run(2_000);
  n1.read(asker);
  cluster.cut("n1", "n3");
  n3.send(romeo, `<iq to='${juliet}' type='result' id='q'/>`);
  cluster.run(12_000); // n3 has it back, and n1 is out of sight
  n3.send(romeo, `<iq to='${juliet}' type='result' id='later'/>`);
  n3.send(romeo, "<iq to='nobody@localhost/x' type='result' id='never'/>");
  cluster.heal();
  cluster.run(12_000);
  const received = [...n1.read(asker).matchAll(/type='(\w+)' id='(\w+)'/g)];
  expect(received.map(([, type, id]) => `${type} ${id}`)).toEqual(["result q", "result later"]);
});

/** In a partial split, where two nodes that do not see each other both have a session of one name. */
function partlySplit() {
  const { cluster, first: n1, last: n3, juliet: elder, romeo } = balcony(["n1", "n2", "n3"]);
  const n2 = cluster.node("n2");
  cluster.cut("n1", "n2");
  cluster.run(12_000);
  const younger = n2.login("juliet", "balcony");
  cluster.run(3_000);
  n1.read(elder);
  n2.read(younger);
  return { cluster, n1, n2, n3, elder, younger, romeo };
}

test("stranded: each of two sessions with one name has the answers to what it has asked itself", () => {
  const { cluster, n1, n2, n3, elder, younger, romeo } = partlySplit();
  const ask = (id: string): string =>
    `<iq to='romeo@localhost/orchard' type='get' id='${id}'><x xmlns='urn:x'/></iq>`;
  n1.send(elder, ask("elder"));
  n2.send(younger, ask("younger"));
  cluster.run(2_000);
  for (const id of ["elder", "younger"])
    n3.send(romeo, `<iq to='${juliet}' type='result' id='${id}'/>`);
  cluster.run(2_000);
  const heard = (text: string): readonly string[] =>
    [...text.matchAll(/type='result' id='(\w+)'/g)].map(([, id = ""]) => id);
  expect(heard(n1.read(elder))).toEqual(["elder"]);
  expect(heard(n2.read(younger))).toEqual(["younger"]);
});

test.each([
  // n3 has it back when n2 goes out of sight.
  { when: "that comes back", answeredAfter: 0, healedAfter: 12_000 },
  // n3 shows the elder session alone by then.
  { when: "given while its node is out of sight", answeredAfter: 12_000, healedAfter: 1_000 },
])(
  "stranded: an answer $when is for the node that asked, whoever else has its asker's name",
  ({ answeredAfter, healedAfter }) => {
    const { cluster, n1, n2, n3, elder, younger: asker, romeo } = partlySplit();
    n2.send(asker, "<iq to='romeo@localhost/orchard' type='get' id='q'><x xmlns='urn:x'/></iq>");
    cluster.run(2_000);
    expect(n3.read(romeo)).toContain("id='q'");
    cluster.cut("n2", "n3");
    cluster.run(answeredAfter);
    n3.send(romeo, `<iq to='${juliet}' type='result' id='q'/>`);
    cluster.run(healedAfter);
    cluster.heal();
    cluster.run(12_000);
    expect(n2.read(asker)).toMatch(/<iq [^>]*type='result' id='q'/);
    expect(n1.read(elder)).not.toContain("id='q'");
  },
);

test("stranded: of two sessions with one name the one that sent a message is told that it came to nothing", () => {
  const { cluster, n1, n2, n3, elder: sender, younger, romeo } = partlySplit();
  n3.deliver({ type: "connection-congested", connection: romeo });
  n1.send(sender, "<message to='romeo@localhost/orchard' id='m'/>");
  cluster.run(2_000);
  n3.hangUp(romeo); // with what waits for it
  cluster.run(2_000);
  expect(n1.read(sender).split("type='error'")).toHaveLength(2);
  expect(n2.read(younger)).not.toContain("id='m'");
});

test("stranded: so it is, if a third node has passed the message on and the next takes no more", () => {
  const { cluster, n1, n2, n3, elder: sender, younger } = partlySplit();
  const peerOf = (name: string): Peer => {
    const found = n3.peers().find((each) => each.name === name);
    if (found === undefined) throw new TypeError(`${name} is a peer`);
    return found;
  };
  n2.login("nurse", "hall");
  cluster.run(100);
  const target = "nurse@localhost/hall";
  const id = { origin: originOf(peerOf("n1")), counter: 1 };
  const sent = stanza(`<message id='m' from='${juliet}' to='${target}'/>`);
  const body = encodeFrame({ id, maybe: false, hops: 1, target }, sent, {});
  n3.pretended.push(
    { type: "queue-full", peer: peerOf("n2"), queue: "stanzas" },
    {
      type: "message-received",
      peer: peerOf("n2"),
      kind: kinds.stanza,
      body: Piece.of(bytesFromBinary(body)),
    },
  );
  cluster.run(1_100);
  expect(n1.read(sender)).toMatch(/id='m' type='error'.*resource-constraint/);
  expect(n2.read(younger)).not.toContain("id='m'");
});

test("stranded: it waits for that node, though a later session of its asker's name is in sight of all others", () => {
  const { cluster, n1, n2, n3, elder: asker, younger, romeo } = partlySplit();
  n1.send(asker, "<iq to='romeo@localhost/orchard' type='get' id='q'><x xmlns='urn:x'/></iq>");
  cluster.run(2_000);
  cluster.cut("n1", "n3");
  cluster.run(12_000);
  n3.send(romeo, `<iq to='${juliet}' type='result' id='q'/>`);
  cluster.heal();
  cluster.cut("n1", "n2"); // or one of the two sessions ends
  cluster.run(12_000);
  expect(n1.read(asker)).toMatch(/<iq [^>]*type='result' id='q'/);
  expect(n2.read(younger)).not.toContain("id='q'");
});

test("stranded: what would go back to a node that has gone, since no record told of its asker, waits too", () => {
  const { cluster, first: n1, last: n3, romeo } = balcony(["n1", "n2", "n3"]);
  const peer = n3.peers().find(({ name }) => name === "n1");
  if (peer === undefined) throw new TypeError("n1 is a peer");
  cluster.cut("n1", "n3");
  cluster.run(12_000); // n1 is out of sight
  const nurse = n1.login("nurse", "hall");
  cluster.run(3_000);
  n1.read(nurse);
  // It had come by n1 before n1's records came into sight.
  const id = { origin: "0123456789abcdef n1", counter: 1 };
  const to = "romeo@localhost/orchard";
  const asked = stanza(`<message id='m' from='nurse@localhost/hall' to='${to}'/>`);
  const frame = encodeFrame({ id, maybe: false, hops: 0, target: to }, asked, {});
  const body = Piece.of(bytesFromBinary(frame));
  n3.pretended.push({ type: "message-received", peer, kind: kinds.stanza, body });
  cluster.run(1_100);
  expect(n3.read(romeo)).toContain("id='m'");
  n3.send(romeo, "<message to='nurse@localhost/hall' type='error' id='m'/>");
  cluster.run(1_000);
  cluster.heal();
  cluster.run(12_000);
  expect(n1.read(nurse)).toMatch(/<message [^>]*type='error' id='m'/);
});

test("stranded: what is given up is counted, and named in the log", () => {
  const { cluster, last: n3, romeo } = balcony(["n1", "n2", "n3"]);
  cluster.cut("n1", "n3");
  cluster.run(12_000); // n1 is out of sight
  n3.send(romeo, `<iq to='${juliet}' type='result' id='never heard'/>`);
  expect(n3.metric("meerkat_answers_lost_total")).toBe(0);
  cluster.run(130_000);
  n3.send(romeo, `<iq to='${juliet}' type='result' id='too late'/>`);
  expect(n3.metric("meerkat_answers_lost_total")).toBe(1);
  const given = n3.logged.filter((line) => line.includes("answer-given-up"));
  expect(given).toEqual([`debug answer-given-up {"id":"never heard","to":"${juliet}"}`]);
});
