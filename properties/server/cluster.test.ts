/** Laws of several nodes as one server, over any history of logins, ends, splits and deaths. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SmallCluster, type ClusterNode } from "../../test/server/small-cluster.ts";

const names = ["n1", "n2", "n3"];
const node = fc.constantFrom(...names);
const user = fc.constantFrom("juliet", "romeo");
const resource = fc.constantFrom("a", "b");

type Event =
  | {
      readonly type: "login";
      readonly node: string;
      readonly user: string;
      readonly resource: string;
    }
  | { readonly type: "hang-up"; readonly which: number }
  | { readonly type: "cut"; readonly a: string; readonly b: string }
  | { readonly type: "kill" | "start"; readonly node: string }
  | { readonly type: "pass"; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("login" as const), node, user, resource }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("hang-up" as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("cut" as const), a: node, b: node }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom("kill" as const, "start" as const), node }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("pass" as const),
      ms: fc.constantFrom(0, 1, 2, 50, 3_000, 12_000),
    }),
  },
);

/** Some nodes' clocks are wrong by minutes. */
const clocks = fc.tuple(...names.map(() => fc.constantFrom(0, 0, -600_000, 600_000)));

test("cluster: after a heal a full JID has one session, and every node sees exactly the sessions there are", () => {
  fc.assert(
    fc.property(clocks, fc.array(event, { maxLength: 25 }), (ahead, events) => {
      const cluster = new SmallCluster(names);
      names.forEach((name, at) => cluster.start(name, { clockAhead: ahead[at] ?? 0 }));
      cluster.run(500);
      const clients: { at: ClusterNode; connection: number }[] = [];
      const isAlive = (at: ClusterNode): boolean => cluster.nodes.get(at.name) === at;
      for (const each of events) {
        switch (each.type) {
          case "login": {
            const at = cluster.nodes.get(each.node);
            if (at === undefined) break;
            clients.push({ at, connection: at.login(each.user, each.resource) });
            break;
          }
          case "hang-up": {
            const [client] = clients.splice(each.which, 1);
            if (client !== undefined && isAlive(client.at)) client.at.hangUp(client.connection);
            break;
          }
          case "cut":
            if (each.a !== each.b) cluster.cut(each.a, each.b);
            break;
          case "kill":
            if (cluster.nodes.size > 1 && cluster.nodes.has(each.node)) cluster.kill(each.node);
            break;
          case "start":
            if (!cluster.nodes.has(each.node)) cluster.start(each.node);
            break;
          case "pass":
            cluster.run(each.ms);
        }
      }
      cluster.heal();
      cluster.run(60_000);
      const living = [...cluster.nodes.values()];
      const bound = living.flatMap((one) => one.sessions().map(({ jid }) => jid)).toSorted();
      expect(bound).toEqual([...new Set(bound)]);
      for (const one of living) {
        expect(one.metric("meerkat_cluster_peers")).toBe(living.length - 1);
        expect(one.visible(), one.name).toEqual(bound);
      }
      // Who was not told of an end is still there.
      const open = clients.filter(({ at, connection }) => isAlive(at) && !at.isClosed(connection));
      expect(open).toHaveLength(bound.length);
    }),
    { numRuns: 25 },
  );
}, 30_000);
