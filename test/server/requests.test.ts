/** Requests to sessions of other nodes: each has one answer, whatever becomes of the node that received it. */
import { expect, test } from "vitest";
import type { Peer } from "../../src/cluster/peer.ts";
import {
  requestPatience,
  Requests,
  requestsMax,
  returnPatience,
} from "../../src/server/requests.ts";
import { strandedLimits } from "../../src/server/stranded.ts";
import { balcony } from "./balcony.ts";
import { SmallCluster } from "./small-cluster.ts";

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

/** Romeo logs in on another node at the moment when a request leaves for his session on n2, which ends. */
function movedAway() {
  const cluster = SmallCluster.of(["n1", "n2", "n3"]);
  const [n1, n2, n3] = [cluster.node("n1"), cluster.node("n2"), cluster.node("n3")];
  const juliet = n1.login("juliet", "balcony");
  n2.login("romeo", "orchard");
  cluster.run(100);
  n1.read(juliet);
  const romeo = n3.login("romeo", "orchard");
  n1.send(juliet, ask);
  return { cluster, n1, n2, n3, juliet, romeo };
}

test("requests: a node that has not the session gives it back, and the asker's node sends it on", () => {
  const { cluster, n1, n2, n3, juliet, romeo } = movedAway();
  cluster.run(100);
  expect(n2.metric("meerkat_stanzas_forwarded_total")).toBe(1); // back
  expect(n1.metric("meerkat_stanzas_forwarded_total")).toBe(2);
  expect(n3.read(romeo).match(/id='q'/g)).toHaveLength(1);
  n3.send(romeo, result);
  cluster.run(100);
  expect(n1.read(juliet)).toContain("result");
  cluster.kill("n3");
  cluster.kill("n2");
  cluster.run(2 * requestPatience);
  expect(n1.read(juliet)).toBe("");
});

test("requests: of one that was given back there is one answer, whichever node dies, and when", () => {
  for (const dies of ["n2", "n3"]) {
    for (const at of [0, 1, 2, 3, 4, 5, 2_000]) {
      const { cluster, n1, n3, juliet, romeo } = movedAway();
      cluster.run(at);
      cluster.kill(dies);
      cluster.run(10_000);
      const received = n3.read(romeo).includes("id='q'");
      if (dies === "n2") expect(received).toBe(true);
      if (received && dies !== "n3") n3.send(romeo, result);
      cluster.run(2 * requestPatience);
      const answer = dies === "n3" ? /service-unavailable/g : /type='result'/g;
      expect(n1.read(juliet).match(answer)).toHaveLength(1);
    }
  }
});

test("requests: one that comes back to its asker's successor goes nowhere", () => {
  const { cluster, n1, n3, romeo } = movedAway();
  const successor = n1.login("juliet", "balcony");
  cluster.run(100);
  n1.read(successor);
  expect(n3.read(romeo)).not.toContain("id='q'");
});

test("requests: one that comes back when its asker has gone is no business of a later session", () => {
  const { cluster, first, juliet } = balcony(["n1", "n2"]);
  cluster.cut("n1", "n2");
  first.send(juliet, ask);
  first.send(juliet, "</stream:stream>");
  first.hangUp(juliet);
  cluster.run(12_000); // n2 has never received it
  expect(first.peers()).toHaveLength(0);
  const later = first.login("juliet", "balcony");
  first.read(later);
  cluster.heal();
  cluster.run(returnPatience);
  expect(first.peers()).toHaveLength(1);
  expect(first.read(later)).toBe("");
});

test("requests: whose answer a node gave up for want of room is answered for it", () => {
  const { cluster, first, last, juliet, romeo } = asked();
  cluster.cut("n1", "n2");
  last.send(romeo, result);
  cluster.run(12_000); // it waits there for n1
  const another = "<iq to='nobody@localhost/x' type='result' id='never'/>";
  for (let other = 0; other < strandedLimits.answers; other += 1) last.send(romeo, another);
  cluster.heal();
  cluster.run(requestPatience);
  expect(first.peers()).toHaveLength(1);
  expect(first.read(juliet)).toBe("");
  cluster.run(returnPatience);
  expect(first.read(juliet).match(/service-unavailable/g)).toHaveLength(1);
});

test("requests: a client that takes its time is waited for, also across a loss that has healed", () => {
  const { cluster, first, last, juliet, romeo } = asked();
  cluster.cut("n1", "n2");
  cluster.run(12_000);
  cluster.heal();
  cluster.run(2 * requestPatience);
  last.send(romeo, result);
  cluster.run(100);
  expect(first.read(juliet)).toContain("result");
  cluster.run(returnPatience);
  expect(first.read(juliet).trim()).toBe("");
});

test("requests: what is asked after a loss is not answered on its account", () => {
  const { cluster, first, last, juliet, romeo } = asked();
  cluster.cut("n1", "n2");
  cluster.run(12_000);
  cluster.heal();
  cluster.run(10_000);
  first.send(juliet, ask.replace("'q'", "'later'"));
  cluster.run(10 * returnPatience);
  const told = first.read(juliet);
  expect(told).toMatch(/service-unavailable/);
  expect(told).not.toContain("later");
  last.send(romeo, result.replace("'q'", "'later'"));
  cluster.run(100);
  expect(first.read(juliet)).toContain("later");
});

test("requests: an answer that nobody asked for goes nowhere", () => {
  const { cluster, first, last, juliet, romeo } = balcony(["n1", "n2"]);
  last.send(romeo, result);
  cluster.run(100);
  expect(first.read(juliet)).toBe("");
});

test("requests: who has too many open is answered the oldest; others are not", () => {
  const { cluster, first, juliet } = balcony(["n1", "n2"]);
  const nurse = first.login("nurse", "hall");
  cluster.run(100);
  first.read(nurse);
  first.send(nurse, ask);
  const send = (id: number): void => first.send(juliet, ask.replace("'q'", `'${id}'`));
  for (let id = 1; id <= requestsMax; id += 1) send(id);
  expect(first.read(juliet)).toBe("");
  send(requestsMax + 1);
  expect(first.read(juliet)).toMatch(/id=['"]1['"].*service-unavailable/);
  cluster.kill("n2");
  cluster.run(10_000 + requestPatience);
  expect(first.read(juliet).match(/service-unavailable/g)).toHaveLength(requestsMax);
  expect(first.read(nurse).match(/service-unavailable/g)).toHaveLength(1);
});

test("requests: nothing is kept of an asker who has gone", () => {
  const requests = new Requests();
  const peer: Peer = { name: "n2", incarnation: 1, boot: "b" };
  const name = { sid: "s", target: "b@x/r", id: "1" };
  requests.sent({ ...name, asker: "a@x/r", to: "b@x/r", peer });
  requests.peerLost(0, peer);
  requests.sessionEnded("s");
  expect(requests.close(name)).toBe(false);
  expect(requests.expire(requestPatience)).toEqual([]);
  expect(requests.deadline()).toBeUndefined();
});

test("requests: however often a link is lost, its requests wait no longer than after the first time", () => {
  const requests = new Requests();
  const peer: Peer = { name: "n2", incarnation: 1, boot: "b" };
  const request = { sid: "s", target: "b@x/r", id: "1", asker: "a@x/r", to: "b@x/r", peer };
  requests.sent(request);
  for (let at = 0; at < returnPatience; at += 10_000) {
    expect(requests.expire(at)).toEqual([]);
    requests.peerLost(at, peer);
    requests.peerBack(peer);
  }
  expect(requests.deadline()).toBe(returnPatience);
  expect(requests.expire(returnPatience)).toEqual([request]);
});
