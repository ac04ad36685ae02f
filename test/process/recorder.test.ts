/** The flight recorder of a real node under load is replayed to the same effects; altered, it is refused. */
import { execFile } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { NodeCrypto } from "../../src/runtime/crypto.ts";
import { verify } from "../../src/server/recording.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";
import { Client, registerAll } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const library = fileURLToPath(new URL("../support/client-library.mjs", import.meta.url));
const run = promisify(execFile);

/** `npm run sim -- verify FILE`: its exit code and what it says. */
async function verifyByCommand(file: string): Promise<{ code: number; said: string }> {
  const words = ["scripts/run.mjs", "sim/cli/main.ts", "verify", file];
  try {
    const { stdout, stderr } = await run(process.execPath, words, { cwd: root });
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, said: stdout + stderr };
  }
}

test("recorder: a node under real clients is verified, one changed byte is refused at its input", async () => {
  const file = join(temporaryFolder(), "node.recording");
  const server = await startServer({ record: file, shutdownTimeoutMs: 3_000 });
  const { starttls, tls, http } = server.ports;
  await registerAll(starttls, ["juliet", "romeo"]);
  for (const [service, mechanism] of [
    [`xmpp://127.0.0.1:${starttls}`, "SCRAM-SHA-1"],
    [`ws://127.0.0.1:${http}/ws-xmpp`, "PLAIN"],
  ] as const) {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: server.pair.certfile };
    await run(process.execPath, [library, service, mechanism], { env });
  }
  const juliet = await Client.login({ port: starttls, user: "juliet" });
  const romeo = await Client.login({
    port: tls,
    security: "tls",
    user: "romeo",
    mechanism: "SCRAM-SHA-512-PLUS",
  });
  for (let burst = 0; burst < 20; burst++) {
    for (let number = 0; number < 50; number++) {
      juliet.send(
        `<message to='${romeo.jid}' id='${burst}-${number}'><body>Žluťoučký 🦦</body></message>`,
      );
    }
    await juliet.ping();
  }
  await romeo.ping();
  const wrong = await Client.secured({ port: starttls });
  expect(await wrong.authenticate({ user: "juliet", password: "pen" })).toBe("not-authorized");
  wrong.send("<wrong>");
  wrong.vanish();
  await server.get("/metrics");
  expect(await server.stop()).toBe(0);

  expect(statSync(file).mode & 0o077).toBe(0); // it contains user data
  const lines = readFileSync(file, "utf8").split("\n");
  const crypto = new NodeCrypto(() => undefined);
  const verdict = verify(lines, crypto);
  expect(verdict).toMatchObject({ equal: true });
  if (verdict.equal) expect(verdict.inputs).toBeGreaterThan(100);
  const { code, said } = await verifyByCommand(file);
  expect(said).toContain("equal");
  expect(code).toBe(0);

  const at = lines.findIndex(
    (line, index) => index > lines.length / 2 && line.includes('"$bytes"'),
  );
  const line = lines[at] ?? "";
  const place = line.indexOf('"$bytes":"') + '"$bytes":"'.length;
  const changed = line.slice(0, place) + (line[place] === "A" ? "B" : "A") + line.slice(place + 1);
  const altered = [...lines.slice(0, at), changed, ...lines.slice(at + 1)];
  const input = lines.slice(0, at + 1).filter((each) => each.startsWith('{"i"')).length;
  const refusal = verify(altered, crypto);
  expect(refusal).toMatchObject({ equal: false });
  if (!refusal.equal) expect(refusal.reason).toContain(`input ${input} `);
  const alteredFile = `${file}.altered`;
  writeFileSync(alteredFile, altered.join("\n"));
  const refused = await verifyByCommand(alteredFile);
  expect(refused.code).not.toBe(0);
  expect(refused.said).toContain(`input ${input} `);
}, 120_000);

test("recorder: a full disk ends the recording, told once, and not the node", async () => {
  const server = await startServer({ record: "/dev/full", shutdownTimeoutMs: 3_000 });
  const { starttls: port } = server.ports;
  await registerAll(port, ["juliet"]);
  const juliet = await Client.login({ port, user: "juliet" });
  await juliet.ping();
  await juliet.close();
  expect(await server.stop()).toBe(0);
  expect(server.output.match(/"recording-ended"/g)).toHaveLength(1);
  expect(server.output).toMatch(/"file":"\/dev\/full".*ENOSPC|no space left/i);
  expect(server.output).toMatch(/"node-stopping"[^]*"node-stopped"/);
});
