import { afterEach, expect, test } from "vitest";
import type { EchoServer as Server } from "../support/echo-server.ts";
import { EchoServer } from "../support/echo-server.ts";
import { SocketClient } from "../support/socket-client.ts";

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

test("echo: a core on the real loop, clocks and sockets answers what it is sent", async () => {
  const server = await EchoServer.listening();
  open.push(server);
  const client = await SocketClient.connect(server.port);
  client.write("caf\xc3\xa9");
  await client.receives("caf\xc3\xa9");
  client.write("QUIT\n");
  await client.until(({ ended }) => ended);
  client.socket.end();
  expect((await server.input("connection-closed")).reason).toBe("closed by us");
  expect(server.core.inputs.map(({ type }) => type)).toEqual([
    "connection-opened",
    "bytes-received",
    "bytes-received",
    "connection-closed",
  ]);
});

test("echo: a deadline of the core wakes it without any input", async () => {
  const server = await EchoServer.listening();
  open.push(server);
  const client = await SocketClient.connect(server.port);
  client.write("PAUSE\n");
  await client.receives("PAUSED");
  client.write("late");
  const askedAt = performance.now();
  await client.receives("late");
  expect(performance.now() - askedAt).toBeGreaterThan(20);
});
