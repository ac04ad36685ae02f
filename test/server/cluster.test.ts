/** Several nodes are one server: what clients on different nodes see of each other. */
import { expect, test } from "vitest";
import { RecordingWriter, verify } from "../../src/server/recording.ts";
import { Piece } from "../../src/base/chunk.ts";
import { balcony as on } from "./balcony.ts";
import { SmallCluster, type ClusterNode, type ClusterNodeOptions } from "./small-cluster.ts";
import { pureCrypto, smallConfig } from "./small-node.ts";

/** Of three nodes. */
function balcony(presence?: string, options?: ClusterNodeOptions) {
  const { cluster, first: n1, last: n3, juliet, romeo } = on(["n1", "n2", "n3"], presence, options);
  return { cluster, n1, n2: cluster.node("n2"), n3, juliet, romeo };
}

const chat = (to: string, id = "1"): string =>
  `<message to='${to}' type='chat' id='${id}'><body>hi</body></message>`;

test("cluster: nodes find each other and are ready", () => {
  const cluster = SmallCluster.of(["n1", "n2", "n3"]);
  for (const node of cluster.nodes.values()) {
    expect(node.metric("meerkat_cluster_peers"), node.logged.join("\n")).toBe(2);
    expect(node.get("/readyz").body).toBe("ready\n");
  }
});

test("cluster: a message to a full JID reaches a session of another node", () => {
  const { cluster, n1, n3, juliet, romeo } = balcony();
  n1.send(
    juliet,
    "<message to='romeo@localhost/orchard' type='chat' id='1'><body>é?</body></message>",
  );
  cluster.run(100);
  expect(n3.read(romeo)).toBe(
    "<message from='juliet@localhost/balcony' to='romeo@localhost/orchard' type='chat' id='1'><body>é?</body></message>",
  );
});

test("cluster: a message to a bare JID reaches the best resource, wherever it is", () => {
  const { cluster, n1, n2, n3, juliet, romeo } = balcony(
    "<presence><priority>5</priority></presence>",
  );
  const tomb = n2.login("romeo", "tomb", "<presence><priority>1</priority></presence>");
  cluster.run(100);
  n2.read(tomb);
  n1.send(juliet, chat("romeo@localhost", "first"));
  cluster.run(100);
  expect(n3.read(romeo)).toContain("id='first'");
  expect(n2.read(tomb)).toBe("");
  n2.send(tomb, "<presence><priority>7</priority></presence>");
  cluster.run(100);
  n1.send(juliet, chat("romeo@localhost", "second"));
  cluster.run(100);
  expect(n3.read(romeo)).toBe("");
  expect(n2.read(tomb)).toContain("id='second'");
});

test("cluster: who becomes unavailable on one node is so on all [RFC 6121 §4.5]", () => {
  const { cluster, n1, n3, juliet, romeo } = balcony();
  n3.send(romeo, "<presence type='unavailable'/>");
  cluster.run(100);
  n1.send(juliet, chat("romeo@localhost"));
  expect(n1.read(juliet)).toContain("<service-unavailable");
});

test("cluster: a request goes to another node and its answer comes back [RFC 6120 §8.2.3]", () => {
  const { cluster, n1, n3, juliet, romeo } = balcony();
  n1.send(
    juliet,
    "<iq to='romeo@localhost/orchard' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>",
  );
  cluster.run(10);
  expect(n3.read(romeo)).toContain("from='juliet@localhost/balcony'");
  n3.send(romeo, "<iq to='juliet@localhost/balcony' type='result' id='p'/>");
  cluster.run(10);
  expect(n1.read(juliet)).toBe(
    "<iq from='romeo@localhost/orchard' to='juliet@localhost/balcony' type='result' id='p'/>",
  );
});

test("cluster: stanzas of one sender to one recipient keep their order", () => {
  const { cluster, n1, n3, juliet, romeo } = balcony();
  const ids = Array.from({ length: 200 }, (_, i) => `m${i}`);
  for (const id of ids) n1.send(juliet, chat("romeo@localhost/orchard", id));
  cluster.run(100);
  const received = [...n3.read(romeo).matchAll(/id='(m\d+)'/g)].map(([, id]) => id);
  expect(received).toEqual(ids);
});

test("cluster: a prefix of the sender's stream header means the same on another node", () => {
  const { cluster, n1, n3, romeo } = balcony();
  const juliet = n1.login("juliet", "garden");
  cluster.run(100);
  n1.send(
    juliet,
    "<message to='romeo@localhost/orchard' xml:lang='it'><stream:odd/><body>ciao</body></message>",
  );
  cluster.run(100);
  const got = n3.read(romeo);
  expect(got).toContain("xml:lang=");
  expect(got).toMatch(/xmlns:stream=["']http:\/\/etherx.jabber.org\/streams["']/);
});

test("binding: a client is told that it is bound once every live peer sees it", () => {
  const { cluster, n1, n2 } = balcony();
  const nurse = n2.login("nurse", "hall", "");
  expect(n2.read(nurse)).not.toContain("<jid>");
  cluster.run(2); // there and back
  expect(n2.read(nurse)).toContain("<jid>nurse@localhost/hall</jid>");
  const friar = n1.login("friar", "cell");
  n1.send(friar, chat("nurse@localhost/hall", "early"));
  cluster.run(10);
  expect(n2.read(nurse)).toContain("id='early'");
  expect(n2.metric("meerkat_bind_waits_expired_total")).toBe(0);
});

test("binding: a peer that does not answer delays a login by two seconds, which is counted", () => {
  const { cluster, n1 } = balcony();
  cluster.cut("n1", "n2");
  const nurse = n1.login("nurse", "hall", "");
  cluster.run(1_900);
  expect(n1.read(nurse)).not.toContain("<jid>");
  cluster.run(200);
  expect(n1.read(nurse)).toContain("<jid>nurse@localhost/hall</jid>");
  expect(n1.metric("meerkat_bind_waits_expired_total")).toBe(1);
});

test("binding: what is sent to a session before its client knows of it follows the answer", () => {
  const { cluster, n1, n3, romeo } = balcony();
  cluster.cut("n1", "n2");
  const nurse = n1.login("nurse", "hall", "");
  cluster.run(50);
  n3.send(romeo, chat("nurse@localhost/hall", "held"));
  cluster.run(1_000);
  expect(n1.read(nurse)).not.toContain("held");
  cluster.run(1_500);
  expect(n1.read(nurse)).toMatch(/<jid>nurse@localhost\/hall<\/jid>.*id='held'/s);
});

test("binding: a client that goes while it waits leaves no record, and what was held is told its sender", () => {
  const { cluster, n1, n3, romeo } = balcony();
  cluster.cut("n1", "n2");
  const nurse = n1.login("nurse", "hall", "");
  cluster.run(50);
  n3.send(romeo, chat("nurse@localhost/hall", "held"));
  cluster.run(50);
  n1.hangUp(nurse);
  cluster.run(50);
  expect(n3.read(romeo)).toContain("<recipient-unavailable");
  n3.send(romeo, chat("nurse@localhost/hall", "late"));
  expect(n3.read(romeo)).toContain("<service-unavailable"); // its own node knows
  cluster.run(3_000);
  expect(n1.sessions().map(({ jid }) => jid)).toEqual(["juliet@localhost/balcony"]);
  expect(n1.metric("meerkat_stanzas_bounced_total")).toBe(1); // the answer to its request is nobody's
});

test("conflict: a login replaces the session of its name on another node [RFC 6120 §7.7.2.2]", () => {
  const { cluster, n1, n2, n3, juliet } = balcony();
  const young = n2.login("juliet", "balcony");
  cluster.run(20);
  expect(n1.read(juliet)).toMatch(/<conflict .*<\/stream:stream>/s);
  expect(n1.isClosed(juliet)).toBe(true);
  expect(n2.read(young)).toContain("<jid>juliet@localhost/balcony</jid>");
  expect(all(n1, n2, n3)).toEqual(["n2 juliet@localhost/balcony", "n3 romeo@localhost/orchard"]);
});

test("conflict: `refuse_new` and `make_new_resource` see the sessions of other nodes", () => {
  const refusing = SmallCluster.of(["n1", "n2"], { sessions: { conflict: "refuse_new" } });
  refusing.node("n1").login("juliet", "balcony");
  refusing.run(20);
  const second = refusing.node("n2").login("juliet", "balcony", "");
  refusing.run(20);
  expect(refusing.node("n2").read(second)).toContain("<conflict");
  expect(refusing.node("n2").sessions()).toEqual([]);

  const renaming = SmallCluster.of(["n1", "n2"], { sessions: { conflict: "make_new_resource" } });
  renaming.node("n1").login("juliet", "balcony");
  renaming.run(20);
  renaming.node("n2").login("juliet", "balcony");
  renaming.run(20);
  const jids = all(...renaming.nodes.values());
  expect(jids).toHaveLength(2);
  expect(jids[1]).not.toContain("balcony");
});

test("binding: max_per_user counts the sessions of all nodes", () => {
  const cluster = SmallCluster.of(["n1", "n2"], { sessions: { max_per_user: 2 } });
  const [n1, n2] = [cluster.node("n1"), cluster.node("n2")];
  n1.login("juliet", "a");
  cluster.run(20);
  n2.login("juliet", "b");
  cluster.run(20);
  const third = n1.login("juliet", "c", "");
  cluster.run(20);
  expect(n1.read(third)).toContain("2 sessions exist, the maximum is 2");
  const again = n1.login("juliet", "b", ""); // replaces its namesake, so it makes no third
  cluster.run(20);
  expect(n1.read(again)).toContain("<jid>juliet@localhost/b</jid>");
});

test("bind stamp †: a node whose clock is ten minutes behind does not lose its logins to sessions it sees", () => {
  const cluster = new SmallCluster(["n1", "n2"]);
  const n1 = cluster.start("n1", { clockAhead: 600_000 });
  const n2 = cluster.start("n2");
  cluster.run(500);
  const old = n1.login("juliet", "balcony");
  cluster.run(20);
  const young = n2.login("juliet", "balcony");
  cluster.run(20);
  expect(n1.isClosed(old)).toBe(true);
  expect(n2.isClosed(young)).toBe(false);
  expect(all(n1, n2)).toEqual(["n2 juliet@localhost/balcony"]);
});

test("conflict: of two sessions bound on two sides of a split, all nodes keep the same one", () => {
  const { cluster, n1, n2, n3, juliet } = balcony();
  for (const other of ["n1", "n2"]) cluster.cut(other, "n3");
  cluster.run(15_000);
  const twin = n3.login("juliet", "balcony");
  cluster.run(100);
  expect(n3.read(twin)).toContain("<jid>juliet@localhost/balcony</jid>");
  expect(n1.isClosed(juliet)).toBe(false);
  cluster.heal();
  cluster.run(15_000);
  expect(n1.isClosed(juliet)).toBe(true);
  expect(n3.isClosed(twin)).toBe(false); // it was bound later
  expect(all(n1, n2, n3)).toEqual(["n3 juliet@localhost/balcony", "n3 romeo@localhost/orchard"]);
  const nurse = n2.login("nurse", "hall");
  n2.send(nurse, chat("juliet@localhost/balcony", "found"));
  cluster.run(100);
  expect(n3.read(twin)).toContain("id='found'");
});

test("hand-back: what a dead node did not receive goes to another session of its addressee, or back", () => {
  const { cluster, n1, n2, n3, juliet, romeo } = balcony(
    "<presence><priority>5</priority></presence>",
  );
  cluster.cut("n1", "n3"); // in silence: n1 still believes in it
  n1.send(juliet, chat("romeo@localhost/orchard", "full"));
  n1.send(juliet, chat("romeo@localhost", "bare"));
  n1.send(juliet, "<iq to='romeo@localhost/orchard' type='get' id='q'><x xmlns='urn:x'/></iq>");
  const tomb = n2.login("romeo", "tomb");
  cluster.run(100);
  n2.read(tomb);
  expect(n1.read(juliet)).toBe("");
  cluster.kill("n3");
  cluster.run(12_000);
  expect(n2.read(tomb)).toMatch(/id='full'.*id='bare'/s); // in order, both of type chat
  expect(n1.read(juliet)).toMatch(
    /^<iq [^>]*id='q'[^>]*type='error'|^<iq [^>]*type='error'[^>]*id='q'/,
  );
  expect(n1.metric("meerkat_stanzas_returned_total")).toBe(3);
  expect(n3.read(romeo)).toBe("");
});

test("hand-back: when a node is gone, senders are told by an error", () => {
  const { cluster, n1, juliet } = balcony();
  cluster.kill("n3");
  n1.send(juliet, chat("romeo@localhost/orchard", "lost"));
  cluster.run(10_000);
  expect(n1.read(juliet)).toMatch(/id=.lost.*<service-unavailable/s);
  n1.send(juliet, chat("romeo@localhost/orchard", "later"));
  expect(n1.read(juliet)).toMatch(/id=.later.*<service-unavailable/s);
});

test("account: who removes it ends its sessions on all nodes [XEP-0077 §3.2]", () => {
  const { cluster, n1, n2, n3, juliet, romeo } = balcony();
  const [garden, tomb] = [n2.login("juliet", "garden"), n3.login("juliet", "tomb")];
  cluster.run(20);
  n1.send(juliet, "<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>");
  cluster.run(20);
  expect(n2.read(garden)).toContain("<not-authorized");
  expect(n3.read(tomb)).toContain("<not-authorized");
  expect(n3.isClosed(romeo)).toBe(false);
  expect(all(n1, n2, n3)).toEqual(["n3 romeo@localhost/orchard"]);
});

test("conflict: of two logins of one name at the same moment, one stays", () => {
  const { cluster, n1, n2, n3 } = balcony();
  const [a, b] = [n1.login("nurse", "hall"), n3.login("nurse", "hall")];
  cluster.run(50);
  expect([n1.isClosed(a), n3.isClosed(b)].toSorted()).toEqual([false, true]);
  expect(all(n1, n2, n3).filter((line) => line.includes("nurse"))).toHaveLength(1);
});

test("bounds: a stanza for a peer whose queue is full is refused, and its sender told", () => {
  const { cluster, n1, n3, juliet, romeo } = balcony();
  const peer = n1.peers().find(({ name }) => name === "n3");
  if (peer === undefined) throw new TypeError("n3 is a peer");
  n1.pretended.push({ type: "queue-full", peer, queue: "stanzas" });
  cluster.run(1_100); // a heartbeat at the latest
  n1.send(juliet, chat("romeo@localhost/orchard", "refused"));
  expect(n1.read(juliet)).toMatch(/id=.refused.*<resource-constraint/s);
  n1.send(juliet, chat("romeo@localhost", "bare"));
  expect(n1.read(juliet)).toContain("from='romeo@localhost'"); // it names no session
  n1.pretended.push({ type: "queue-drained", peer, queue: "stanzas" });
  cluster.run(1_100);
  n1.send(juliet, chat("romeo@localhost/orchard", "again"));
  cluster.run(100);
  expect(n3.read(romeo)).toContain("id='again'");
  expect(n1.read(juliet)).toBe("");
});

test("bugs: one in what another node's stanza causes is contained", () => {
  const { cluster, n1, n3, juliet, romeo } = balcony("<presence/>", { onFault: "contain" });
  const peer = n3.peers().find(({ name }) => name === "n1");
  if (peer === undefined) throw new TypeError("n1 is a peer");
  const body = Piece.of(new Uint8Array([1, 2, 3]));
  n3.pretended.push({ type: "message-received", peer, kind: 32, body });
  n1.send(juliet, chat("romeo@localhost/orchard", "after"));
  cluster.run(1_100);
  expect(n3.metric("meerkat_cluster_frames_refused_total")).toBe(1);
  expect(n3.read(romeo)).toContain("id='after'");
});

test("fan-out: a copy that comes back is not given again to who has had his", () => {
  const { cluster, n1, n2, juliet } = balcony("<presence><priority>5</priority></presence>");
  const here = n1.login("romeo", "here", "<presence><priority>5</priority></presence>");
  const tomb = n2.login("romeo", "tomb", "<presence><priority>5</priority></presence>");
  cluster.run(50);
  n1.read(here);
  n2.read(tomb);
  cluster.cut("n1", "n3");
  n1.send(juliet, chat("romeo@localhost", "thrice"));
  cluster.run(50);
  cluster.kill("n3");
  cluster.run(12_000);
  expect(n1.metric("meerkat_stanzas_returned_total")).toBe(1);
  expect(n1.read(here).match(/id='thrice'/g)).toHaveLength(1);
  expect(n2.read(tomb).match(/id='thrice'/g)).toHaveLength(1);
  expect(n1.read(juliet)).toBe("");
});

test("readiness: a node waits for those it was told of, but not for ever, and says for whom", () => {
  const cluster = new SmallCluster(["n1", "n2"]);
  const n1 = cluster.start("n1");
  cluster.run(100);
  expect(n1.get("/readyz")).toEqual({ status: 503, body: "Waiting for the tables of n2\n" });
  cluster.run(10_000);
  expect(n1.get("/readyz").status).toBe(200);
});

test("readiness: a node that could not register serves nobody and says why", () => {
  const cluster = new SmallCluster(["n1"]);
  const n1 = cluster.start("n1", { databaseDown: true });
  cluster.run(3_000);
  const { status, body } = n1.get("/readyz");
  expect(status).toBe(503);
  expect(body).toMatch(/not registered: the database does not answer since \d s/);
  expect(n1.metric("meerkat_cluster_discovery_failures_total")).toBeGreaterThan(1);
  expect(n1.metric("meerkat_cluster_discovery_last_success_timestamp_seconds")).toBe(0);
  expect(n1.isClosed(n1.connect("<stream:stream"))).toBe(true);
  expect(n1.get("/healthz").status).toBe(200);
  const link = {
    connection: 99,
    listener: "cluster",
    remote: "127.0.0.1",
    framing: "tcp",
  } as const;
  n1.deliver({ type: "connection-opened", ...link });
  expect(n1.isClosed(99)).toBe(true);
  cluster.run(10);
  n1.deliver({ type: "shutdown-requested" });
  cluster.run(1_000);
  expect(n1.stopped).toBe(true);
});

test("superseded: a node whose successor has come ends its sessions and stops", () => {
  const { cluster, n1, juliet } = balcony();
  const by = { name: "n1", incarnation: 2_000_000_000_000, boot: "00000000000000ff" };
  n1.pretended.push({ type: "superseded", by });
  cluster.run(1_100);
  expect(n1.read(juliet)).toContain("<system-shutdown");
  n1.hangUp(juliet);
  cluster.run(100);
  expect(n1.stopped).toBe(true);
});

test("shutdown: a client that does not close its stream is not waited for for ever", () => {
  const cluster = SmallCluster.of(["n1", "n2"]);
  const n1 = cluster.node("n1");
  n1.connect("<stream:stream"); // has not even said to whom
  n1.deliver({ type: "shutdown-requested" });
  cluster.run(4_000);
  expect(n1.stopped).toBe(false);
  cluster.run(7_500);
  expect(n1.stopped).toBe(true);
});

test("status: a node shows what it sees of its cluster", () => {
  const { cluster, n1 } = balcony();
  const status: unknown = JSON.parse(n1.get("/cluster").body);
  expect(status).toMatchObject({
    ready: true,
    degraded: false,
    backend: "static",
    discovery: { failures: 0 },
    nodes: { available: ["n1", "n2", "n3"], joined: ["n1", "n2", "n3"], unavailable: [] },
    tables: [{ name: "sessions", records: 1 }],
  });
  cluster.kill("n3");
  cluster.run(10_000);
  expect(JSON.parse(n1.get("/cluster").body)).toMatchObject({
    degraded: true,
    nodes: { unavailable: ["n3"] },
  });
  expect(n1.metric("meerkat_cluster_degraded")).toBe(1);
  expect(n1.metric("meerkat_cluster_nodes_discovered")).toBe(2);
  expect(n1.metric("meerkat_cluster_discovery_failures_total")).toBe(0);
  const listedAt = n1.metric("meerkat_cluster_discovery_last_success_timestamp_seconds");
  expect(listedAt).toBe(1_700_000_001); // at its start
  expect(n1.metric("meerkat_cluster_nodes_unavailable")).toBe(1);
  expect(n1.metric("meerkat_cluster_records_own")).toBe(1);
  expect(n1.metric("meerkat_cluster_records_replicated")).toBe(0);
  expect(n1.metric("meerkat_cluster_ready")).toBe(1); // who was ready stays so
});

test("strangers: whoever knocks at the cluster's port is counted, and bounded in the log", () => {
  const { cluster, n1 } = balcony();
  const knock = (count: number): void => {
    for (let connection = 1_000; connection < 1_000 + count; connection += 1) {
      const opened = { listener: "cluster", remote: "10.0.0.1", framing: "tcp" } as const;
      n1.deliver({ type: "connection-opened", connection, ...opened });
      n1.send(connection, "GET / HTTP/1.1\r\nHost: n1\r\n\r\n");
      expect(n1.isClosed(connection)).toBe(true);
      cluster.run(1);
    }
  };
  const lines = (event: string): string[] => n1.logged.filter((line) => line.includes(event));
  knock(100);
  expect(n1.metric("meerkat_cluster_handshakes_refused_total")).toBe(100);
  expect(lines("link-malformed")).toHaveLength(20);
  expect(lines("more-handshakes-refused")).toEqual([]);
  cluster.run(60_000); // nobody needs to come again for the rest to be told
  expect(lines("more-handshakes-refused")).toEqual([
    'warning more-handshakes-refused {"count":80}',
  ]);
  knock(1);
  expect(lines("link-malformed")).toHaveLength(21);
});

test("recorder: a node of a cluster is replayed from what it recorded", () => {
  const lines: string[] = [];
  const cluster = new SmallCluster(["n1", "n2"]);
  cluster.start("n1", {
    recorded: (config) =>
      new RecordingWriter({
        config,
        falseSaltSecret: falseSaltSecret(),
        crypto: pureCrypto,
        write: (line) => lines.push(line),
      }),
  });
  cluster.start("n2");
  cluster.run(500);
  const [n1, n2] = [cluster.node("n1"), cluster.node("n2")];
  const juliet = n1.login("juliet", "balcony");
  n2.login("juliet", "balcony");
  n2.login("romeo", "orchard");
  cluster.run(100);
  n1.send(juliet, chat("romeo@localhost"));
  cluster.kill("n2");
  cluster.run(10_000);
  expect(verify(lines, pureCrypto)).toMatchObject({ equal: true });
});

function falseSaltSecret(): Uint8Array {
  const { username, password, database } = smallConfig.rdbms;
  return pureCrypto.hash("sha-256", Buffer.from(`${username}\0${password}\0${database}`, "latin1"));
}

/** All sessions, each with its node. */
function all(...nodes: readonly ClusterNode[]): string[] {
  return nodes
    .flatMap((node) => node.sessions().map(({ jid }) => `${node.name} ${jid}`))
    .toSorted();
}
