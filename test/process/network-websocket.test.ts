import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { textFromBytes } from "../../src/base/bytes.ts";
import { httpListenerDefaults, type HttpListener } from "../../src/server/config.ts";
import { makePair, tlsConfig } from "../support/certificates.ts";
import { floodBytes } from "../support/echo-core.ts";
import { EchoServer } from "../support/echo-server.ts";

const servers: EchoServer[] = [];
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const server of servers.splice(0)) await server.close();
});

async function serving(changes: Partial<HttpListener> = {}): Promise<EchoServer> {
  const server = new EchoServer();
  servers.push(server);
  await server.listen({
    ...httpListenerDefaults,
    name: "http",
    kind: "http",
    ip_address: "127.0.0.1",
    port: 0,
    tls: undefined,
    metrics: true,
    ...changes,
  });
  return server;
}

async function connected(server: EchoServer, url = `ws://127.0.0.1:${server.port}/ws-xmpp`) {
  const socket = new WebSocket(url, ["xmpp"], { rejectUnauthorized: false });
  sockets.push(socket);
  await once(socket, "open");
  return socket;
}

async function message(socket: WebSocket): Promise<string> {
  const [data, isBinary] = (await once(socket, "message")) as [Buffer, boolean];
  expect(isBinary).toBe(false);
  return data.toString("utf8");
}

test("websocket: each message is one input and each write one text message [RFC 7395 §3.3]", async () => {
  const server = await serving();
  const socket = await connected(server);
  expect(socket.protocol).toBe("xmpp");
  expect(socket.extensions).toBe("");
  socket.send("café ☕");
  expect(await message(socket)).toBe("café ☕");
  socket.send("PAUSE"); // so that the next two arrive together
  expect(await message(socket)).toBe("PAUSED\n");
  socket.send("<a/>");
  socket.send("<b/>");
  const both: string[] = [];
  socket.on("message", (data: Buffer) => both.push(data.toString("utf8")));
  while (both.length < 2) await once(socket, "message");
  expect(both).toEqual(["<a/>", "<b/>"]);
  const bytes = server.inputs("bytes-received").map((input) => textFromBytes(input.bytes));
  expect(bytes).toEqual(["café ☕", "PAUSE", "<a/>", "<b/>"]);
  expect(await server.input("connection-opened")).toMatchObject({
    framing: "websocket",
    listener: "http",
    remote: "127.0.0.1",
  });
});

test("websocket: a sign of life is no message, and the stream goes on [RFC 7395 §3.8]", async () => {
  const server = await serving();
  const socket = await connected(server);
  socket.send("PING");
  await once(socket, "ping");
  socket.send("still here");
  expect(await message(socket)).toBe("still here");
});

test("websocket: a handshake without the subprotocol xmpp is refused [RFC 7395 §3.1]", async () => {
  const server = await serving();
  for (const protocols of [[], ["mqtt"]]) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws-xmpp`, protocols);
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toContain("400");
  }
  const elsewhere = new WebSocket(`ws://127.0.0.1:${server.port}/other`, ["xmpp"]);
  const [error] = (await once(elsewhere, "error")) as [Error];
  expect(error.message).toContain("404");
  expect(server.core.inputs).toEqual([]);
});

test("websocket: binary messages close the connection [RFC 7395 §3.2]", async () => {
  const server = await serving();
  const socket = await connected(server);
  socket.send(Buffer.from("<open/>"));
  const [code] = (await once(socket, "close")) as [number];
  expect(code).toBe(1_003);
  expect((await server.input("connection-closed")).reason).toBe("a binary WebSocket message");
  expect(server.inputs("bytes-received")).toEqual([]);
});

test("websocket: a message beyond all limits closes the connection", async () => {
  const server = await serving({ max_stanza_size: 10_000 });
  const socket = await connected(server);
  socket.send("x".repeat(200_000));
  const [code] = (await once(socket, "close")) as [number];
  expect(code).toBe(1_009);
  await server.input("connection-closed");
  expect(server.inputs("bytes-received")).toEqual([]);
});

test("websocket: a slow reader is congestion, told once, and drained, told once", async () => {
  const server = await serving();
  const socket = await connected(server);
  let received = 0;
  let last = "";
  socket.on("message", (data: Buffer) => {
    received += data.length;
    last = data.toString("latin1").slice(-8);
  });
  socket.pause();
  socket.send("FLOOD");
  await server.input("connection-congested");
  socket.resume();
  while (last !== "DRAINED\n") await once(socket, "message");
  expect(received).toBe(floodBytes + "DRAINED\n".length);
  expect(server.inputs("connection-congested")).toHaveLength(1);
  expect(server.inputs("connection-drained")).toHaveLength(1);
});

test("websocket: close sends the rest first; a peer that is cut off is told as closed", async () => {
  const server = await serving();
  const socket = await connected(server);
  const bye = message(socket);
  socket.send("QUIT");
  expect(await bye).toBe("BYE\n");
  const [code] = (await once(socket, "close")) as [number];
  expect(code).toBe(1_000);
  expect((await server.input("connection-closed")).reason).toBe("closed by us");
  (await connected(server)).terminate();
  await server.until(() => server.inputs("connection-closed").length === 2);
});

test("websocket: over wss the core is told of TLS and its bindings", async () => {
  const server = await serving({ tls: tlsConfig(await makePair("localhost"), { mode: "tls" }) });
  const socket = await connected(server, `wss://localhost:${server.port}/ws-xmpp`);
  socket.send("secret");
  expect(await message(socket)).toBe("secret");
  const { tls } = await server.input("connection-opened");
  expect(tls).toMatchObject({ protocol: "TLSv1.3", serverName: "localhost" });
  expect(tls?.bindings["tls-exporter"]).toHaveLength(32);
});

test("websocket: an address may open only so many connections", async () => {
  const server = await serving({ max_connections_per_address: 1 });
  await connected(server);
  const second = new WebSocket(`ws://127.0.0.1:${server.port}/ws-xmpp`, ["xmpp"]);
  await once(second, "error");
  expect(server.network.metrics[0]?.value).toBe(1);
});
