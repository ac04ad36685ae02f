import { expect, test } from "vitest";
import { statusText } from "../../src/cli/cluster-status.ts";
import type { ClusterStatus } from "../../src/server/cluster-status.ts";

const peer = (name: string) => ({ name, incarnation: 1, boot: "b" });
const counts = {
  ...{ queuedMessages: 0, queuedBytes: 10, unackedBytes: 0, sessions: 2, connections: 3 },
  ...{ framesSent: 1, framesReceived: 1, framesResent: 0 },
};
const status: ClusterStatus = {
  cluster: "prod",
  node: { ...peer("a"), address: "a:7000", protocol: { min: 1, max: 2 } },
  ready: true,
  reason: null,
  degraded: true,
  backend: "rdbms",
  discovery: { listedAt: 1_700_000_000_000, failures: 0 },
  nodes: {
    discovered: [
      { name: "b9", address: "b9:7000" },
      { name: "b10", address: "b10:7000" },
      { name: "c", address: "c:7000" },
      { name: "d", address: "d:7000" },
    ],
    available: ["a", "b9", "b10"],
    joined: ["a", "b9"],
    unavailable: ["c", "d"],
  },
  links: [
    {
      ...{ name: "b10", peer: peer("b10"), address: "b10:7000", state: "broken", rttMs: 2 },
      ...{ version: 1, lastError: "silent for 5000 ms", ...counts },
    },
    {
      ...{ name: "b9", peer: peer("b9"), address: "b9:7000", state: "up", rttMs: 1.4 },
      ...{ version: 1, ...counts },
    },
    {
      ...{ name: "c", address: "c:7000", state: "connecting" },
      ...{ lastError: "nobody listens there", ...counts },
    },
  ],
  tables: [
    {
      ...{ name: "sessions", seq: 9, records: 4, logBytes: 0 },
      replicas: [
        { peer: peer("c"), seq: 2, records: 1, visible: false, state: "retained", diverged: 0 },
        { peer: peer("b10"), seq: 7, records: 2, visible: true, state: "loading", diverged: 1 },
        { peer: peer("b9"), seq: 5, records: 3, visible: true, state: "current", diverged: 0 },
      ],
      readers: [{ peer: peer("b9"), state: "current", visibleSeq: 7 }],
    },
  ],
  unshared: [],
  conflicts: 0,
};

test("cluster status: who is there, who is not and why, and how the tables stand", () => {
  expect(statusText(status)).toBe(
    `
Cluster prod (rdbms), as a at a:7000 sees it: ready, but not all is well.

NODE  ADDRESS   STATE        PROTOCOL  RTT   QUEUED  UNACKED  TIMES UP  LAST ERROR
a     a:7000    this node    1 to 2
b9    b9:7000   up, joined   1         1 ms  10 B    0 B      2
b10   b10:7000  broken       1               10 B    0 B      2         silent for 5000 ms
c     c:7000    connecting                   10 B    0 B      2         nobody listens there
d     d:7000    unavailable

TABLE     OWNER  RECORDS  SEQ  HERE              OURS THERE         DIGEST
sessions  a      4        9    own
sessions  b9     3        5    current           current, 2 behind  agrees
sessions  b10    2        7    loading                              differed 1 times
sessions  c      1        2    retained, hidden`.trimStart(),
  );
});

test("cluster status: a node that is not ready says why", () => {
  const text = statusText({ ...status, ready: false, reason: "not registered: the database …" });
  expect(text.split("\n").slice(0, 2)).toEqual([
    "Cluster prod (rdbms), as a at a:7000 sees it: not ready.",
    "not registered: the database …",
  ]);
});

test("cluster status: tables that are not shared, and sessions that gave way", () => {
  const unshared = [{ peer: peer("b9"), missing: ["old"], unknown: ["new"] }];
  const text = statusText({ ...status, unshared, conflicts: 3 });
  expect(text.split("\n").slice(-4)).toEqual([
    "",
    "b9 has no table old, or another version of it.",
    "b9 has a table new that is not known here.",
    "Sessions that gave way to one of their full JID elsewhere: 3.",
  ]);
});
