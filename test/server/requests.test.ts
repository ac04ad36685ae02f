/** Requests to sessions of other nodes: each has one answer, whatever becomes of the node that received it. */
import { expect, test } from "vitest";
import type { Peer } from "../../src/cluster/peer.ts";
import { requestPatience, Requests, requestsMax } from "../../src/server/requests.ts";
import { balcony } from "./balcony.ts";

const ask =
  "<iq to='Romeo@localhost/orchard' type='get' id='q'><query xmlns='jabber:iq:version'/></iq>";
const result = "<iq to='juliet@localhost/balcony' type='result' id='q'/>";

/** Juliet has asked Romeo on another node, and he has read it; her node has the receipt, if there was time for it. */
function asked(time = 5_000): ReturnType<typeof balcony> {
  const scene = balcony(["n1", "n2"]);
  const { cluster, first, last, juliet, romeo } = scene;
  first.send(juliet, ask);
  cluster.run(time);
  expect(last.read(romeo)).toContain("id='q'");
  expect(first.read(juliet)).toBe("");
  return scene;
}

test("requests: what a node received and did not answer before it died, the asker's node answers", () => {
  const { cluster, first, juliet } = asked();
  cluster.kill("n2");
  cluster.run(requestPatience - 1_000);
  expect(first.read(juliet)).toBe("");
  cluster.run(2_000);
  const told = first.read(juliet);
  expect(told).toContain("service-unavailable");
  expect(told.match(/<iq /g)).toHaveLength(1);
  expect(told).toMatch(/from=['"]Romeo@localhost\/orchard['"]/);
});

test("requests: it answers at once for a node that has left or has a successor", () => {
  for (const leaves of [true, false]) {
    const { cluster, first, last, juliet, romeo } = asked();
    if (leaves) {
      last.deliver({ type: "shutdown-requested" });
      last.send(romeo, "</stream:stream>");
      last.hangUp(romeo);
      cluster.run(100);
    } else {
      cluster.kill("n2");
      cluster.run(1_000);
      expect(first.read(juliet)).toBe("");
      cluster.start("n2");
      cluster.run(7_000);
    }
    expect(first.read(juliet)).toContain("service-unavailable");
  }
});

test("requests: a node that is back in time with the answer is waited for", () => {
  const { cluster, first, last, juliet, romeo } = asked();
  cluster.cut("n1", "n2");
  last.send(romeo, result);
  cluster.run(20_000);
  expect(first.peers()).toEqual([]);
  cluster.heal();
  cluster.run(7_000);
  expect(first.read(juliet)).toContain("result");
  cluster.run(60_000);
  expect(first.read(juliet)).toBe("");
});

test("requests: one that was answered is not answered again", () => {
  const { cluster, first, last, juliet, romeo } = asked();
  last.send(romeo, result);
  cluster.run(100);
  expect(first.read(juliet)).toContain("result");
  cluster.kill("n2");
  cluster.run(2 * requestPatience);
  expect(first.read(juliet)).toBe("");
});

test("requests: an answer that a split has held back is not a second one", () => {
  const { cluster, first, last, juliet, romeo } = asked();
  cluster.cut("n1", "n2");
  last.send(romeo, result);
  cluster.run(10_000 + requestPatience + 1_000);
  expect(first.read(juliet)).toContain("service-unavailable");
  cluster.heal();
  cluster.run(15_000);
  expect(first.peers()).toHaveLength(1);
  expect(first.read(juliet)).toBe("");
  expect(first.metric("meerkat_stanzas_duplicate_total")).toBe(1);
});

test("requests: one that came back without its receipt is answered by its node, and by nobody else", () => {
  const { cluster, first, last, juliet, romeo } = asked(10);
  cluster.cut("n1", "n2");
  last.send(romeo, result);
  cluster.run(15_000);
  expect(first.read(juliet)).toContain("service-unavailable");
  cluster.heal();
  cluster.run(60_000);
  expect(first.read(juliet)).toBe("");
  expect(first.metric("meerkat_stanzas_duplicate_total")).toBe(1);
});

test("requests: one that came back and goes to a session here is answered by the first of the two", () => {
  const { cluster, first, last, juliet, romeo } = asked(10);
  cluster.cut("n1", "n2");
  last.send(romeo, result);
  const here = first.login("romeo", "orchard");
  cluster.run(15_000);
  expect(first.peers()).toEqual([]);
  expect(first.read(here)).toContain("id='q'");
  first.send(here, result);
  expect(first.read(juliet)).toContain("result");
  cluster.heal();
  cluster.run(60_000);
  expect(first.peers()).toHaveLength(1);
  expect(first.read(juliet)).toBe("");
  expect(first.metric("meerkat_stanzas_duplicate_total")).toBe(1);
});

test("requests: whoever asks again with the same id is answered again", () => {
  const { cluster, first, juliet } = asked();
  cluster.kill("n2");
  cluster.run(2 * requestPatience);
  expect(first.read(juliet)).toContain("service-unavailable");
  first.send(juliet, ask);
  expect(first.read(juliet)).toContain("service-unavailable");
  const back = first.login("romeo", "orchard");
  cluster.run(100);
  first.read(back);
  first.send(juliet, ask);
  expect(first.read(back)).toContain("id='q'");
  first.send(back, result);
  expect(first.read(juliet)).toContain("result");
});

test("requests: an asker's successor, who asked nothing, is told nothing", () => {
  const { cluster, first, juliet } = asked();
  const successor = first.login("juliet", "balcony");
  cluster.run(500);
  expect(first.isClosed(juliet)).toBe(true);
  first.read(successor);
  cluster.kill("n2");
  cluster.run(2 * requestPatience);
  expect(first.read(successor)).toBe("");
});

test("requests: the oldest are forgotten", () => {
  const requests = new Requests();
  const peer: Peer = { name: "n2", incarnation: 1, boot: "b" };
  const names = { asker: "a@x/r", target: "b@x/r", sid: "s", to: "b@x/r", peer };
  for (let id = 0; id <= requestsMax; id += 1) requests.sent({ ...names, id: `${id}` });
  expect(requests.size).toBe(requestsMax);
  expect(requests.peerGone({ ...peer, boot: "c" })).toEqual([]);
  expect(requests.peerGone(peer)[0]?.id).toBe("1");
});
