/** slixmpp (Debian's python3-slixmpp), a client that shares nothing with ours: it logs in and talks. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registerAll } from "../support/client.ts";
import { startServer, type RunningServer } from "../support/server.ts";

const script = fileURLToPath(new URL("slixmpp-conversation.py", import.meta.url));
let server: RunningServer;

beforeAll(async () => {
  server = await startServer();
  await registerAll(server.ports.starttls, ["juliet", "romeo"]);
}, 120_000);

afterAll(async () => {
  expect(await server.metric("meerkat_faults_total")).toBe(0);
  expect(await server.stop()).toBe(0);
});

test.each([
  ["any", "1.3"],
  ["any", "1.2"],
  ["SCRAM-SHA-1-PLUS", "1.2"], // its only binding is tls-unique, which TLS 1.3 has not
  ["SCRAM-SHA-256-PLUS", "1.2"],
  ["PLAIN", "1.3"],
])("slixmpp: with %s over TLS %s it talks, asks and is refused", async (mechanism, version) => {
  const words = [script, String(server.ports.starttls), server.pair.certfile, mechanism, version];
  const { stdout } = await promisify(execFile)("/usr/bin/python3", words, { timeout: 60_000 });
  const seen: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  expect(seen).toMatchObject({
    addresses: ["juliet@localhost/balcony", "romeo@localhost/orchard"],
    message: { from: "juliet@localhost/balcony", body: "Wherefore 🌹 & <?" },
    presence: { from: "romeo@localhost/orchard", status: "here" },
    ping: true,
    version: "Meerkat",
    refused: "not-authorized",
  });
  expect(seen).toHaveProperty("features", expect.arrayContaining(["urn:xmpp:ping"]));
});
