/** A node that is drained takes leave of its peers: when, and what of that they see. */
import { expect, test } from "vitest";
import { balcony as on } from "./balcony.ts";

/** Juliet on n1, which leaves, and Romeo on n2. */
function balcony() {
  const { first: n1, last: n2, ...rest } = on(["n1", "n2"]);
  return { n1, n2, ...rest };
}

test("shutdown: a node that leaves is gone at once, its sessions with it", () => {
  const { cluster, n1, n2, juliet, romeo } = balcony();
  n1.deliver({ type: "shutdown-requested" });
  expect(n1.read(juliet)).toContain("<system-shutdown");
  n1.send(juliet, "</stream:stream>");
  cluster.run(20);
  expect(n1.stopped).toBe(true);
  expect(n2.metric("meerkat_cluster_peers")).toBe(0);
  n2.send(romeo, "<message to='juliet@localhost/balcony' type='chat'><body>hi</body></message>");
  expect(n2.read(romeo)).toContain("<service-unavailable");
});

test("shutdown: a node leaves when what waits for its peers is on its way, or after a second", () => {
  const bodies = Array.from({ length: 30 }, (_, at) => `<body>${`${at} `.padEnd(40_000)}</body>`);
  for (const [healAfter, arrive] of [
    [500, 30],
    [10_000, 0],
  ] as const) {
    const { cluster, n1, n2, juliet, romeo } = balcony();
    cluster.cut("n1", "n2");
    for (const body of bodies) {
      n1.send(juliet, `<message to='romeo@localhost/orchard'>${body}</message>`);
      cluster.run(1);
    }
    n1.deliver({ type: "shutdown-requested" });
    n1.send(juliet, "</stream:stream>");
    cluster.run(healAfter);
    expect(n1.stopped).toBe(arrive === 0);
    cluster.heal();
    cluster.run(200);
    expect(n1.stopped).toBe(true);
    if (arrive > 0) expect(n2.read(romeo).match(/<body>/g)).toHaveLength(arrive);
  }
});
