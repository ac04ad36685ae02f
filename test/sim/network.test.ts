import { expect, test } from "vitest";
import { textFromBytes } from "../../src/base/bytes.ts";
import type { NetworkInput } from "../../src/ports/network.ts";
import { congestionMarkBytes, SimulatedNetwork, type Wire } from "../../sim/kit/network.ts";
import { inTurn } from "../../sim/kit/random.ts";
import { World } from "../../sim/kit/world.ts";

/** One node, one client and what either was told, as text. */
function pair(cutChance = 0.5, seed = 1) {
  const world = new World();
  const network = new SimulatedNetwork({
    world,
    draws: inTurn(seed),
    pipe: { latencyMs: [5, 20], cutChance, windowBytes: 10_000 },
  });
  const node: string[] = [];
  const inputs: NetworkInput[] = [];
  const client: string[] = [];
  let nodeText = "";
  let clientText = "";
  const port = network.attach("n1", {
    deliver: (input) => {
      inputs.push(input);
      if (input.type === "bytes-received") nodeText += textFromBytes(input.bytes);
      else node.push(input.type === "connection-closed" ? `closed: ${input.reason}` : input.type);
    },
    onSent: () => undefined,
  });
  const connect = (tlsFirst = false): Wire =>
    network.connect({
      login: "alice#1",
      node: "n1",
      listener: "c2s",
      remote: "10.0.0.1",
      serverName: "meerkat.test",
      tlsFirst,
      events: {
        opened: () => client.push("opened"),
        received: (bytes) => (clientText += textFromBytes(bytes)),
        secured: () => client.push("secured"),
        closed: (reason) => client.push(`closed: ${reason}`),
      },
    });
  const pass = (ms: number): void => world.runUntil(world.now() + ms);
  const texts = (): { node: string; client: string } => ({ node: nodeText, client: clientText });
  return { world, network, port, node, client, inputs, connect, pass, texts };
}

test("network: bytes pass both ways, in order, however they are cut", () => {
  const { port, node, client, connect, pass, texts } = pair(1);
  const wire = connect();
  pass(100);
  wire.write("hello ");
  wire.write("node");
  port.write(wire.connection, "hello ");
  port.write(wire.connection, "client");
  port.flush();
  pass(1_000);
  expect(node).toEqual(["connection-opened"]);
  expect(client).toEqual(["opened"]);
  expect(texts()).toEqual({ node: "hello node", client: "hello client" });
});

test("network: what is lost arrives a timeout later, in order, and a heal leaves the noise", () => {
  const { network, world, connect, pass, texts } = pair(0);
  const wire = connect();
  pass(100);
  network.fabric.setNoise({ loss: 0.2, latencyMs: 100 });
  network.heal();
  const trips: number[] = [];
  let sent = "";
  for (let count = 0; count < 60; count++) {
    const at = world.now();
    sent += `${count} `;
    wire.write(`${count} `);
    while (texts().node !== sent) pass(1);
    trips.push(world.now() - at);
  }
  const once = trips.filter((trip) => trip >= 105 && trip <= 120);
  // Beside the trip: 200 ms, and a round trip.
  const again = trips.filter((trip) => trip >= 105 + 200 + 210);
  expect(once.length + again.length).toBe(60);
  expect(again.length).toBeGreaterThan(4);
  expect(once.length).toBeGreaterThan(30);
});

test("network: a host is reached although its SYN is lost now and then", () => {
  const opened = { atOnce: 0, atLast: 0 };
  for (let seed = 1; seed <= 20; seed++) {
    const { network, client, connect, pass } = pair(0, seed);
    network.fabric.setNoise({ loss: 0.3, latencyMs: 0 });
    connect();
    pass(100);
    opened.atOnce += client.length;
    pass(9_000);
    opened.atLast += client.filter((told) => told === "opened").length;
  }
  expect(opened.atOnce).toBeLessThan(15);
  expect(opened.atLast).toBeGreaterThan(16);
});

test("network: TLS is granted once both sides have asked, after a round trip", () => {
  const { port, node, client, connect, pass, texts } = pair();
  const wire = connect();
  pass(100);
  wire.write("starttls");
  pass(100);
  port.write(wire.connection, "proceed");
  port.startTls(wire.connection, "meerkat.test");
  pass(100);
  expect(node).not.toContain("tls-established");
  wire.startTls();
  wire.write("secret");
  pass(200);
  expect(client).toEqual(["opened", "secured"]);
  expect(node).toEqual(["connection-opened", "tls-established"]);
  expect(texts()).toEqual({ node: "starttlssecret", client: "proceed" });
});

test("network: both sides of TLS hold the same channel binding", () => {
  const { port, inputs, connect, pass } = pair();
  const wire = connect(true);
  pass(100);
  port.write(wire.connection, "");
  const opened = inputs.find((input) => input.type === "connection-opened");
  expect(opened?.type === "connection-opened" && opened.tls?.bindings["tls-exporter"]).toHaveLength(
    32,
  );
});

test("network: bytes in the clear instead of a handshake break the connection", () => {
  const { port, node, client, connect, pass } = pair();
  const wire = connect();
  pass(100);
  port.startTls(wire.connection, "meerkat.test");
  wire.write("not a handshake");
  pass(100);
  expect(node).toEqual(["connection-opened", "closed: reset"]);
  expect(client).toEqual(["opened", "closed: reset"]);
});

test("network: close sends what was written, then both ends are told once", () => {
  const { port, node, client, connect, pass, texts } = pair();
  const wire = connect();
  pass(100);
  port.write(wire.connection, "last words");
  port.close(wire.connection);
  pass(1_000);
  expect(texts().client).toBe("last words");
  expect(client).toEqual(["opened", "closed: ended"]);
  expect(node).toEqual(["connection-opened", "closed: ended"]);
});

test("network: close gives up on a peer that does not read", () => {
  const { port, node, connect, pass } = pair();
  const wire = connect();
  pass(100);
  wire.setReading(false);
  port.write(wire.connection, "x".repeat(50_000));
  port.close(wire.connection);
  pass(4_000);
  expect(node).toEqual(["connection-opened"]);
  pass(2_000);
  expect(node).toEqual(["connection-opened", "closed: reset"]);
});

test("network: a client's close and reset reach the node", () => {
  const first = pair();
  const wire = first.connect();
  first.pass(100);
  wire.write("bye");
  wire.close();
  first.pass(1_000);
  expect(first.texts().node).toBe("bye");
  expect(first.node).toEqual(["connection-opened", "closed: ended"]);
  const second = pair();
  const other = second.connect();
  second.pass(100);
  other.reset();
  second.pass(1_000);
  expect(second.node).toEqual(["connection-opened", "closed: reset"]);
  expect(second.client).toEqual(["opened"]);
});

test("network: silence tells nobody, and ends with everything that was sent", () => {
  const { network, port, node, client, connect, pass, texts } = pair();
  const wire = connect();
  pass(100);
  network.silence("alice");
  wire.write("are you there");
  port.write(wire.connection, "and you");
  port.flush();
  pass(60_000);
  expect(texts()).toEqual({ node: "", client: "" });
  network.unsilence("alice");
  pass(1_000);
  expect(texts()).toEqual({ node: "are you there", client: "and you" });
  expect([node, client]).toEqual([["connection-opened"], ["opened"]]);
});

test("network: a vanished host says nothing until it is back and gets a byte", () => {
  const { network, port, node, connect, pass } = pair();
  const wire = connect();
  pass(100);
  wire.vanish();
  pass(60_000);
  expect(node).toEqual(["connection-opened"]);
  network.unsilence("alice");
  pass(1_000);
  expect(node).toEqual(["connection-opened"]);
  port.write(wire.connection, " ");
  port.flush();
  pass(1_000);
  expect(node).toEqual(["connection-opened", "closed: reset"]);
});

test("network: congestion is told once at the mark, and once when drained", () => {
  const { port, node, connect, pass, texts } = pair(0);
  const wire = connect();
  pass(100);
  wire.setReading(false);
  const size = congestionMarkBytes + 10_000;
  port.write(wire.connection, "x".repeat(size));
  port.flush();
  expect(node).toEqual(["connection-opened"]);
  port.write(wire.connection, "y");
  port.flush();
  port.write(wire.connection, "z");
  port.flush();
  pass(1_000);
  expect(node).toEqual(["connection-opened", "connection-congested"]);
  wire.setReading(true);
  pass(10_000);
  expect(node).toEqual(["connection-opened", "connection-congested", "connection-drained"]);
  expect(texts().client).toHaveLength(size + 2);
});

test("network: a client turns away from a certificate of another host", () => {
  const { port, client, connect, pass } = pair();
  const wire = connect();
  pass(100);
  port.startTls(wire.connection, "elsewhere.test");
  wire.startTls();
  pass(1_000);
  expect(client).toEqual(["opened", "closed: reset"]);
});

test("network: a node that pauses reading gets the bytes when it resumes", () => {
  const { port, connect, pass, texts } = pair();
  const wire = connect();
  pass(100);
  port.pauseReading(wire.connection);
  wire.write("wait");
  pass(1_000);
  expect(texts().node).toBe("");
  port.resumeReading(wire.connection);
  pass(100);
  expect(texts().node).toBe("wait");
});

test("network: nobody listens after a crash", () => {
  const { network, client, connect, pass } = pair();
  connect();
  pass(100);
  network.detach("n1");
  pass(100);
  expect(client).toEqual(["opened", "closed: reset"]);
  connect();
  pass(100);
  expect(client).toEqual(["opened", "closed: reset", "closed: refused"]);
});

test("network: what a node says and its close at once are not lost before the client's own end opens", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new World();
    const pipe = { latencyMs: [5, 20] as const, cutChance: 0, windowBytes: 10_000 };
    const network = new SimulatedNetwork({ world, draws: inTurn(seed), pipe });
    const told: string[] = [];
    const port = network.attach("n1", {
      deliver: (input) => {
        if (input.type !== "connection-opened") return;
        port.write(input.connection, "busy");
        port.close(input.connection);
      },
      onSent: () => undefined,
    });
    network.connect({
      login: "alice#1",
      node: "n1",
      listener: "c2s",
      remote: "10.0.0.1",
      serverName: "meerkat.test",
      tlsFirst: false,
      events: {
        opened: () => told.push("opened"),
        received: (bytes) => told.push(textFromBytes(bytes)),
        secured: () => undefined,
        closed: (reason) => told.push(reason),
      },
    });
    world.runUntil(1_000);
    expect({ seed, told }).toEqual({ seed, told: ["opened", "busy", "ended"] });
  }
});
