/** A listener's shaper, over real sockets: who sends too fast is read more slowly, and nobody else is. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, registerAll } from "../support/client.ts";
import { startServer, type RunningServer } from "../support/server.ts";

const maxRate = 40_000;
const messages = 200;
const body = "x".repeat(1_000);
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({
    c2s: 'shaper = "slow"',
    sections: `[shaper.slow]\nmax_rate = ${maxRate}`,
  });
  await registerAll(server.ports.starttls, ["juliet", "romeo"]);
}, 120_000);

afterAll(async () => {
  expect(await server.metric("meerkat_faults_total")).toBe(0);
  expect(await server.stop()).toBe(0);
});

test.each(["starttls", "tls"] as const)(
  "shaper: over %s 200 kB take their time and arrive in order",
  async (security) => {
    const port = server.ports[security];
    const juliet = await Client.login({ port, security, user: "juliet", resource: security });
    const romeo = await Client.login({ port, security, user: "romeo", resource: security });
    const started = performance.now();
    for (let i = 0; i < messages; i++) {
      juliet.send(`<message to='${romeo.jid}' id='m${i}'><body>${body}</body></message>`);
    }
    await romeo.ping(); // answered while Juliet waits
    expect(romeo.inbox.nodes.length).toBeLessThan(messages);
    for (let i = 0; i < messages; i++) {
      const message = await romeo.inbox.find(({ name }) => name === "message");
      expect(message.attributes["id"]).toBe(`m${i}`);
    }
    const seconds = (performance.now() - started) / 1_000;
    // A second's worth is free, and so is the last piece that was read: of TLS at most 16 KiB, of a socket 64.
    const least = (messages * body.length - 65_536) / maxRate - 1;
    expect(seconds).toBeGreaterThan(least);
    await juliet.ping();
    await juliet.close();
    await romeo.close();
  },
);
