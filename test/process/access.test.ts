/** Rules of access, through a client that nobody here wrote: who may not have a session is told so. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registerAll } from "../support/client.ts";
import { startServer, type RunningServer } from "../support/server.ts";

const logins = fileURLToPath(new URL("../support/client-logins.mjs", import.meta.url));
let server: RunningServer;

beforeAll(async () => {
  const c2s = 'c2s = [{ acl = "blocked", value = "deny" }, { acl = "all", value = "allow" }]';
  server = await startServer({
    c2s: 'access = "c2s"',
    sections: `[acl]\nblocked = [{ user = "iago" }]\n[access]\n${c2s}`,
  });
  await registerAll(server.ports.starttls, ["juliet", "iago"]);
}, 120_000);

afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

test("access: @xmpp/client is told `not-allowed` where a rule denies it a session", async () => {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: server.pair.certfile };
  const service = `xmpps://localhost:${server.ports.tls}`;
  const outcomes = { juliet: "in", iago: "not-allowed" };
  for (const [user, expected] of Object.entries(outcomes)) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [logins, service, "SCRAM-SHA-1", user, "pencil"],
      { env, timeout: 50_000 },
    );
    expect(JSON.parse(stdout)).toEqual([expected]);
  }
});
