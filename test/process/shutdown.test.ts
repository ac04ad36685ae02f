/** SIGTERM: clients are told, nothing new is accepted, the exit code is 0, and it does not take for ever. */
import { afterEach, expect, test } from "vitest";
import { Client, registerAll } from "../support/client.ts";
import { startServer, type RunningServer } from "../support/server.ts";

const systemShutdown = "<system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";
let server: RunningServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

test("shutdown: SIGTERM tells every client, then exits 0", async () => {
  server = await startServer();
  const { starttls, tls } = server.ports;
  await registerAll(starttls, ["juliet"]);
  const online = [
    await Client.login({ port: starttls, user: "juliet" }),
    await Client.login({ port: tls, security: "tls", user: "juliet" }),
    await Client.secured({ port: starttls }), // not logged in
    await Client.connect({ port: starttls }), // has said nothing
  ];
  server.signal("SIGTERM");
  for (const client of online) {
    // Whoever understands closes its stream too; who says nothing is dropped after a while.
    void client.inbox.closed;
  }
  await Promise.all(
    online.map(async (client) => {
      while (!client.inbox.ended && !client.inbox.isClosed) {
        await new Promise((resolve) => client.socket.once("data", resolve));
      }
      client.send("</stream:stream>");
      await client.inbox.closed;
      expect(client.inbox.received).toContain(systemShutdown);
      expect(client.inbox.received).toMatch(/<\/stream:stream>$/);
    }),
  );
  expect(await server.exited).toBe(0);
  await expect(Client.connect({ port: starttls })).rejects.toThrow(/ECONNREFUSED/);
});

test("shutdown: a client that neither reads nor answers delays it by the timeout at most", async () => {
  server = await startServer({ shutdownTimeoutMs: 2_000 });
  const { starttls } = server.ports;
  await registerAll(starttls, ["romeo"]);
  const deaf = await Client.login({ port: starttls, user: "romeo" });
  deaf.socket.pause();
  const before = performance.now();
  server.signal("SIGTERM");
  expect(await server.exited).toBe(0);
  expect(performance.now() - before).toBeLessThan(15_000);
  deaf.vanish();
});
