/** What a peer has read is trusted: what if it is wrong all the same? */
import { expect, test } from "vitest";
import { bytesFromBinary } from "../../src/base/bytes.ts";
import { Piece } from "../../src/base/chunk.ts";
import { kinds } from "../../src/cluster/messages.ts";
import { encodeFrame } from "../../src/router/stanza-frame.ts";
import { stanza } from "../router/scene.ts";
import { SmallCluster } from "./small-cluster.ts";

test("bugs: bytes of a peer that are no stanza are refused where they have to be read", () => {
  const cluster = SmallCluster.of(["n1", "n2"], { onFault: "contain" });
  const [n1, n2] = [cluster.node("n1"), cluster.node("n2")];
  const juliet = n1.login("juliet", "balcony");
  const romeo = n2.login("romeo", "orchard");
  cluster.run(100);
  const peer = n2.peers().find(({ name }) => name === "n1");
  if (peer === undefined) throw new TypeError("n1 is a peer");
  const wrong = (target: string, counter: number): void => {
    const id = { origin: "0123456789abcdef n1", counter };
    const sent = stanza("<message from='juliet@localhost/balcony'/>");
    const frame = encodeFrame({ id, maybe: false, hops: 0, target }, sent, {});
    const body = Piece.of(bytesFromBinary(frame.replace("/>", ">")));
    n2.pretended.push({ type: "message-received", peer, kind: kinds.stanza, body });
    cluster.run(1_100); // a heartbeat at the latest
  };
  wrong("romeo@localhost/tomb", 1); // looked up again
  expect(n2.metric("meerkat_cluster_frames_refused_total")).toBe(1);
  n2.deliver({ type: "connection-congested", connection: romeo });
  wrong("romeo@localhost/orchard", 2);
  n1.send(juliet, "<message to='romeo@localhost/orchard' type='chat' id='after'/>");
  cluster.run(100);
  expect(n2.metric("meerkat_cluster_frames_refused_total")).toBe(1);
  n2.hangUp(romeo); // both are handed back
  cluster.run(100);
  expect(n2.metric("meerkat_cluster_frames_refused_total")).toBe(2);
  expect(n2.logged.filter((line) => line.includes("cluster-frame-refused"))).toHaveLength(2);
  expect(n2.metric("meerkat_faults_total")).toBe(0);
  expect(n1.read(juliet)).toMatch(/id=.after.*<recipient-unavailable/s);
});
