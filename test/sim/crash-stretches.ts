/** Crash stretches: small plans whose interesting moments are few enough to crash at each of them. */
import type { Stretch } from "../../sim/crash-everywhere.ts";
import { planHost } from "../../sim/addresses.ts";
import {
  planVersion,
  type ClientPlan,
  type FaultPlan,
  type NodePlan,
  type Plan,
} from "../../sim/plan.ts";
import { congestionMarkBytes } from "../../sim/kit/network.ts";

const setUp = 3_000;
/** The latest successor is there, and has been for a while, when all is healed. */
const safety = 15_000;
const cut: Omit<FaultPlan, "target"> = { kind: "split", startAt: 3_000, endAt: 9_000, amount: 0 };

function planOf(
  nodes: readonly string[],
  clients: readonly ClientPlan[],
  faults: readonly FaultPlan[] = [],
): Plan {
  const joining = new Set(
    faults.filter(({ kind }) => kind === "node-join").map(({ target }) => target),
  );
  return {
    version: planVersion,
    seed: 1,
    topology: {
      nodes: nodes.map((name, index): NodePlan => ({
        name,
        monotonicOrigin: 1_000_000 * (index + 1),
        wallOrigin: 1_767_225_600_000 + 40 * index,
        joins: joining.has(name),
      })),
      cluster: {
        discovery: "static",
        heartbeatInterval: 500,
        heartbeatTimeout: 2_000,
        linkGrace: 2_000,
        expireAfter: 20_000,
        // Little at a time, so that a sync takes many events.
        bounds: {
          window: 600,
          queue: 1_048_576,
          fragment: 200,
          logOperations: 0,
          chunk: 60,
        },
      },
      network: {
        latencyMs: [1, 15],
        cutChance: 0.5,
        windowBytes: 65_536,
        congestionMarkBytes,
      },
      database: { latencyMs: [1, 5] },
    },
    limits: {
      maxStanzaSize: 65_536,
      negotiationTimeout: 10_000,
      keepAliveInterval: 5_000,
      maxSendQueue: 1_048_576,
      sendTimeout: 15_000,
      maxSessionsPerUser: 10,
      maxAuthAttempts: 5,
      queryTimeout: 2_000,
    },
    clients,
    faults,
    duration: { setUp, safety, liveness: 15_000 },
  };
}

function client(
  user: string,
  nodes: readonly string[],
  startAt: number,
  peers: readonly string[],
  name = user,
): ClientPlan {
  const kind = name === user ? "chatter" : "rival";
  return {
    name,
    nodes,
    roams: false,
    user,
    resource: "one",
    mechanism: "SCRAM-SHA-1",
    startAt,
    behaviour: { kind, everyMs: [400, 900], peers: peers.map((peer) => `${peer}@${planHost}/one`) },
  };
}

const alice = client("alice", ["n1", "n2"], 500, ["bob"]);
const bob = client("bob", ["n2", "n1"], 600, ["alice"]);
const joinAt = 5_000;

export const stretches: Readonly<Record<string, Stretch>> = {
  "a node joins": {
    plan: planOf(
      ["n1", "n2", "n3"],
      [alice, bob],
      [{ kind: "node-join", target: "n3", startAt: joinAt, endAt: joinAt, amount: 0 }],
    ),
    victims: ["n1", "n3"],
    from: joinAt,
    to: joinAt + 400,
  },
  "sides meet again after a split": {
    plan: planOf(["n1", "n2", "n3"], [alice, bob], [{ ...cut, target: "n1|n2,n3" }]),
    victims: ["n1", "n2"],
    from: cut.endAt,
    to: cut.endAt + 2_000,
  },
  "a client binds": {
    plan: planOf(["n1", "n2"], [alice, { ...bob, startAt: 5_000 }]),
    victims: ["n1", "n2"],
    from: 5_000,
    to: 5_600,
  },
  "a login takes another's full JID": {
    plan: planOf(
      ["n1", "n2"],
      [
        client("carol", ["n1", "n2"], 500, ["carol"], "carol-1"),
        client("carol", ["n2", "n1"], 5_000, ["carol"], "carol-2"),
      ],
    ),
    victims: ["n1", "n2"],
    from: 5_000,
    to: 5_600,
  },
  "two sides had one full JID": {
    plan: planOf(
      ["n1", "n2"],
      [
        client("carol", ["n1"], 500, ["carol"], "carol-1"),
        client("carol", ["n2"], 8_000, ["carol"], "carol-2"),
      ],
      [{ ...cut, target: "n1|n2" }],
    ),
    victims: ["n1", "n2"],
    from: cut.endAt,
    to: cut.endAt + 1_500,
  },
};
