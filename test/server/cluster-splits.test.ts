/** Nodes that lost each other are back: what of the time before goes on, and what of both sides must end. */
import { expect, test } from "vitest";
import { balcony } from "./balcony.ts";
import { SmallCluster } from "./small-cluster.ts";

test("conflict: after a split each name that both sides have gives up a session", () => {
  const cluster = SmallCluster.of(["n1", "n2"]);
  const [n1, n2] = [cluster.node("n1"), cluster.node("n2")];
  cluster.cut("n1", "n2");
  cluster.run(15_000);
  const names = ["nurse", "friar", "tybalt"];
  const older = names.map((name) => n1.login(name, "hall"));
  cluster.run(100);
  const younger = names.map((name) => n2.login(name, "hall"));
  cluster.run(100);
  cluster.heal();
  cluster.run(15_000);
  expect(older.map((client) => n1.isClosed(client))).toEqual([true, true, true]);
  expect(younger.map((client) => n2.isClosed(client))).toEqual([false, false, false]);
});

test("conflict: a session that takes the place of one that had to end is another, and may stay", () => {
  const cluster = SmallCluster.of(["n1", "n2"]);
  const [n1, n2] = [cluster.node("n1"), cluster.node("n2")];
  const first = n2.login("nurse", "hall");
  cluster.run(100);
  cluster.cutOneWay("n1", "n2");
  const second = n1.login("nurse", "hall"); // n2 is not told yet that it has to end the first
  cluster.run(100);
  const third = n2.login("nurse", "hall");
  cluster.run(100);
  expect([n1.isClosed(second), n2.isClosed(first), n2.isClosed(third)]).toEqual([
    true,
    true,
    false,
  ]);
  cluster.heal();
  cluster.run(1_000);
  expect(n2.isClosed(third)).toBe(false);
  for (const node of [n1, n2]) expect(node.visible()).toEqual(["nurse@localhost/hall"]);
});

test("bounds: a peer whose queue was full when it was lost is sent to again when it is back", () => {
  const { cluster, first: n1, last: n2, juliet, romeo } = balcony(["n1", "n2"]);
  const [peer] = n1.peers();
  if (peer === undefined) throw new TypeError("n2 is a peer");
  n1.pretended.push({ type: "queue-full", peer, queue: "stanzas" });
  cluster.run(1_100); // a heartbeat at the latest
  cluster.cut("n1", "n2");
  cluster.run(20_000);
  cluster.heal();
  cluster.run(15_000);
  n1.send(juliet, "<message to='romeo@localhost/orchard' type='chat' id='again'/>");
  cluster.run(100);
  expect(n1.read(juliet)).toBe("");
  expect(n2.read(romeo)).toContain("id='again'");
});
