/** Who fails too often is told no more, whatever the password: through a client that nobody here wrote. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registerAll } from "../support/client.ts";
import { startServer, type RunningServer } from "../support/server.ts";

const logins = fileURLToPath(new URL("../support/client-logins.mjs", import.meta.url));
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ auth: "max_failed_logins_per_address = 3" });
  await registerAll(server.ports.starttls, ["juliet"]);
}, 120_000);

afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

test("login: @xmpp/client is told `temporary-auth-failure` after too many wrong passwords [RFC 6120 §6.5.10]", async () => {
  const passwords = ["pencil", "wrong", "wrong", "wrong", "wrong", "pencil"];
  const service = `xmpps://localhost:${server.ports.tls}`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [logins, service, "SCRAM-SHA-1", "juliet", ...passwords],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: server.pair.certfile }, timeout: 50_000 },
  );
  expect(JSON.parse(stdout)).toEqual([
    "in",
    ...["not-authorized", "not-authorized", "not-authorized"],
    ...["temporary-auth-failure", "temporary-auth-failure"],
  ]);
  expect(await server.metric("meerkat_logins_limited_total")).toBe(2);
  expect(server.output).toContain("logins-limited");
});
