/** Copies of one message: what its sender is told when they come to nothing. */
import { expect, test } from "vitest";
import { SmallCluster } from "./small-cluster.ts";

const user = "romeo@localhost";
const message = `<message to='${user}' type='chat' id='twice'><body>hi</body></message>`;

for (const [where, node] of [
  ["their sender's node", "n1"],
  ["another node", "n2"],
] as const) {
  test(`fan-out: of copies on ${where} that all come back one is told of [RFC 6121 §8.5.2.1.1]`, () => {
    const cluster = SmallCluster.of(["n1", "n2"]);
    const [n1, theirs] = [cluster.node("n1"), cluster.node(node)];
    const juliet = n1.login("juliet", "balcony");
    const romeos = ["orchard", "tomb"].map((resource) => theirs.login("romeo", resource));
    cluster.run(100);
    n1.read(juliet);
    for (const connection of romeos) theirs.deliver({ type: "connection-congested", connection });
    n1.send(juliet, message);
    n1.send(juliet, message.replace("twice", "again"));
    cluster.run(50);
    for (const connection of romeos) theirs.hangUp(connection);
    cluster.run(50);
    const told = n1.read(juliet);
    expect(told).toContain("<recipient-unavailable");
    expect(told.match(/<\/message>/g)).toHaveLength(2); // as many as were sent
    expect(told).not.toContain(`${user}/`); // which sessions he has is nobody's business
    expect(theirs.metric("meerkat_stanzas_bounced_total")).toBe(2);
  });
}
