import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { floodBytes } from "../support/echo-core.ts";
import { c2sListener, EchoServer } from "../support/echo-server.ts";
import { muchBytes, occupied, partOfMuch } from "../support/heap.ts";
import { SocketClient } from "../support/socket-client.ts";

const servers: EchoServer[] = [];
const serving = async (...options: Parameters<typeof EchoServer.listening>) => {
  const server = await EchoServer.listening(...options);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

test("network: a port in use and an address of others are refused in one line", async () => {
  const first = await serving();
  const second = new EchoServer();
  servers.push(second);
  await expect(second.listen(c2sListener({ port: first.port }))).rejects.toThrow(
    `Cannot listen on 127.0.0.1 port ${first.port} (listener "c2s"): another program uses this port`,
  );
  await expect(second.listen(c2sListener({ ip_address: "192.0.2.1" }))).rejects.toThrow(
    /^Cannot listen on 192\.0\.2\.1 port 0 \(listener "c2s"\): this machine has no such address$/,
  );
});

test("network: what was written in the turn of the peer's end is still sent", async () => {
  const server = await serving();
  const client = await SocketClient.connect(server.port);
  client.socket.end("</stream:stream>");
  await client.until(({ ended }) => ended);
  expect(client.received).toBe("</stream:stream>");
  expect((await server.input("connection-closed")).reason).toBe("ended by the peer");
});

test("network: the core is told when a flood has drained, and can go on", async () => {
  const server = await serving();
  const client = await SocketClient.connect(server.port);
  client.socket.pause();
  client.write("FLOOD");
  await server.input("connection-congested");
  client.socket.resume();
  const all = floodBytes + "DRAINED\n".length;
  await client.until(({ received }) => received.length >= all);
  expect(client.received).toHaveLength(all);
  expect(client.received.endsWith("xDRAINED\n")).toBe(true);
});

test("network: what waits for a slow reader keeps nothing alive that it was a part of", async () => {
  const server = await serving();
  const client = await SocketClient.connect(server.port);
  client.socket.pause();
  client.write("FLOOD");
  await server.input("connection-congested");
  const [opened] = server.inputs("connection-opened");
  const before = occupied();
  const parts = 100;
  for (let count = 0; count < parts; count += 1) {
    server.network.write(opened?.connection ?? 0, partOfMuch());
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(occupied() - before).toBeLessThan((parts * muchBytes) / 10);
  client.socket.resume();
  const all = floodBytes + parts * partOfMuch().length + "DRAINED\n".length;
  await client.until(({ received }) => received.length >= all);
});

test("network: a peer that does not take the rest is given up after the close timeout", async () => {
  const server = await serving({}, { closeTimeout: 50 });
  const client = await SocketClient.connect(server.port);
  client.socket.pause();
  client.write("FLOOD");
  await server.input("connection-congested");
  const [opened] = server.inputs("connection-opened");
  server.network.close(opened?.connection ?? 0);
  const { reason } = await server.input("connection-closed");
  expect(reason).toBe("the peer did not take the rest in time");
});

test("network: an address may open only so many connections; the rest is closed, counted, logged once", async () => {
  const server = await serving({ max_connections_per_address: 2 });
  const [first] = [
    await SocketClient.connect(server.port),
    await SocketClient.connect(server.port),
  ];
  for (let i = 0; i < 3; i++) {
    const refused = connect(server.port, "127.0.0.1");
    refused.on("error", () => undefined);
    await once(refused, "close");
  }
  expect(server.inputs("connection-opened")).toHaveLength(2);
  expect(server.network.metrics[0]?.value).toBe(3);
  expect(server.logged.filter(({ event }) => event === "connection-refused")).toHaveLength(1);
  first?.socket.destroy();
  await server.input("connection-closed");
  const next = await SocketClient.connect(server.port);
  next.write("admitted");
  await next.receives("admitted");
});

test("network: stopping accepts nobody new and leaves those who are there", async () => {
  const server = await serving();
  const client = await SocketClient.connect(server.port);
  client.write("before");
  await client.receives("before");
  await server.network.stopListening();
  const late = connect(server.port, "127.0.0.1");
  const [error] = (await once(late, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNREFUSED");
  client.write("after");
  await client.receives("after");
  server.network.closeAll();
  await client.until(({ closed, ended }) => closed || ended);
  expect(server.inputs("connection-closed").map(({ reason }) => reason)).toEqual(["shut down"]);
});
