/** Three nodes are one server: what clients on different nodes see of each other. */
import { expect, test } from "vitest";
import { SmallCluster } from "./small-cluster.ts";

test("cluster: nodes find each other and are ready", () => {
  const cluster = SmallCluster.of(["n1", "n2", "n3"]);
  for (const node of cluster.nodes.values()) {
    expect(node.metric("meerkat_cluster_peers"), node.logged.join("\n")).toBe(2);
    expect(node.get("/readyz").body).toBe("ready\n");
  }
});

test("cluster: a message to a full JID reaches a session of another node", () => {
  const cluster = SmallCluster.of(["n1", "n2", "n3"]);
  const [n1, n3] = [cluster.node("n1"), cluster.node("n3")];
  const juliet = n1.login("juliet", "balcony");
  const romeo = n3.login("romeo", "orchard");
  cluster.run(100);
  expect(n1.read(juliet)).toContain("<jid>juliet@localhost/balcony</jid>");
  n3.read(romeo);
  n1.send(
    juliet,
    "<message to='romeo@localhost/orchard' type='chat' id='1'><body>é?</body></message>",
  );
  cluster.run(100);
  expect(n3.read(romeo)).toBe(
    "<message from='juliet@localhost/balcony' to='romeo@localhost/orchard' type='chat' id='1'><body>é?</body></message>",
  );
});
