/** What an operator does beside a running node: accounts by command, and a new certificate without a restart. */
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePair } from "../support/certificates.ts";
import { startServer, type RunningServer } from "../support/server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

function account(...words: readonly string[]): { code: number | null; text: string } {
  const script = [join(root, "scripts/run.mjs"), "src/cli/main.ts", "account"];
  const config = ["--config", join(server.folder, "meerkat.toml")];
  const done = spawnSync(process.execPath, [...script, ...words, ...config], { encoding: "utf8" });
  return { code: done.status, text: `${done.stdout}${done.stderr}`.trim() };
}

/** Each command is a process, and a machine may be busy with other things. */
const timeout = 180_000;

test(
  "account: registered, checked, listed, given another password and removed",
  { timeout },
  () => {
    expect(account("register", "romeo@localhost", "one")).toEqual({
      code: 0,
      text: "Registered romeo@localhost.",
    });
    expect(account("register", "Romeo@localhost", "two").code).toBe(1);
    expect(account("check", "romeo@localhost", "one").code).toBe(0);
    expect(account("password", "romeo@localhost", "three").code).toBe(0);
    expect(account("check", "romeo@localhost", "one").code).toBe(1);
    expect(account("check", "romeo@localhost", "three").code).toBe(0);
    expect(account("list", "localhost").text).toContain("romeo");
    expect(account("remove", "romeo@localhost").code).toBe(0);
    expect(account("remove", "romeo@localhost").code).toBe(1);
    expect(account("check", "romeo@localhost").code).toBe(1);
    expect(account("register", "a b@localhost", "x").code).toBe(1);
  },
);

test("account import: what is good is made, what is not is told with its line", { timeout }, () => {
  const file = join(server.folder, "accounts.txt");
  const lines = Array.from({ length: 30 }, (_, index) => `u${index}@localhost\tpass${index}`);
  writeFileSync(
    file,
    ["# a comment", ...lines, "no address,x", "u31@elsewhere.example,x"].join("\n"),
  );
  const first = account("import", file);
  expect(first.text).toContain("Registered 30 accounts; 0 existed already.");
  expect(first.text).toContain(`${file}:32:`);
  expect(first.text).toContain(`${file}:33:`);
  expect(first.code).toBe(1);
  expect(account("check", "u17@localhost", "pass17").code).toBe(0);
  expect(account("import", file).text).toContain("Registered 0 accounts; 30 existed already.");
});

test("SIGHUP: new connections get the new certificate, old ones stay", async () => {
  const before = await served();
  const stays = await secured();
  const fresh = await makePair("localhost");
  copyFileSync(fresh.certfile, server.pair.certfile);
  copyFileSync(fresh.keyfile, server.pair.keyfile);
  server.signal("SIGHUP");
  const wanted = new X509Certificate(readFileSync(fresh.certfile)).fingerprint256;
  expect(before).not.toBe(wanted);
  while ((await served()) !== wanted) await new Promise((wake) => setTimeout(wake, 20));
  expect(stays.destroyed).toBe(false);
  const answered = new Promise((resolve) => stays.once("data", resolve));
  stays.write("<stream:stream to='localhost' version='1.0' ");
  stays.write("xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>");
  await answered;
  stays.destroy();
});

function secured(): Promise<ReturnType<typeof connect>> {
  return new Promise((resolve, reject) => {
    const options = { ALPNProtocols: ["xmpp-client"], rejectUnauthorized: false };
    const socket = connect({ host: "127.0.0.1", port: server.ports.tls, ...options }, () =>
      resolve(socket),
    );
    socket.once("error", reject);
  });
}

async function served(): Promise<string> {
  const socket = await secured();
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
