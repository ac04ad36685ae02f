/** The command line as an operator meets it: one clear line, the right exit code, no stack trace. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "meerkat-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function meerkat(...args: string[]): Promise<Ended> {
  const script = [join(root, "scripts/run.mjs"), "src/cli/main.ts", ...args];
  const child = spawn(process.execPath, script, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => (stdout += String(data)));
  child.stderr.on("data", (data) => (stderr += String(data)));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** A port that is free now; the test that asks for it is the only one that wants it. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const expectOneLine = ({ code, stderr }: Ended, line: string | RegExp): void => {
  if (typeof line === "string") expect(stderr).toBe(`${line}\n`);
  else expect(stderr).toMatch(line);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(1);
};

test("cli: says its version", async () => {
  const { code, stdout } = await meerkat("--version");
  expect([code, stdout]).toEqual([0, "0.1.0\n"]);
});

test("cli: config check says that a file is valid, and what it serves", async () => {
  const path = file("good.toml", "[[listen.c2s]]\nport = 5222\nallow_plaintext = true\n");
  const { code, stdout } = await meerkat("config", "check", path);
  expect([code, stdout]).toEqual([0, `${path} is valid: serves localhost; listens as c2s-5222.\n`]);
});

test("cli: config check tells every error, one a line", async () => {
  const path = file("bad.toml", "[general]\nhost = ['a']\n[sessions]\nconflict = 1\n");
  const { code, stderr } = await meerkat("config", "check", path);
  expect(code).toBe(1);
  expect(stderr.trim().split("\n")).toEqual([
    `${path}:2: general.host is not known; did you mean "hosts"?`,
    `${path}:4: sessions.conflict must be one of "replace_existing", "refuse_new", "make_new_resource", not 1`,
  ]);
});

test("cli: a configuration that is not there", async () => {
  const path = join(folder, "nowhere.toml");
  expectOneLine(
    await meerkat("config", "check", path),
    `Cannot read the configuration ${path}: there is no such file.`,
  );
});

test("cli: serve refuses a wrong key before anything starts", async () => {
  const path = file("wrong.toml", "[genral]\n");
  expectOneLine(
    await meerkat("serve", "--config", path),
    `${path}:1: genral is not known; did you mean "general"?`,
  );
});

test("cli: serve refuses to listen nowhere", async () => {
  const path = file("nothing.toml", "");
  expectOneLine(
    await meerkat("serve", "--config", path),
    `${path} has no listener: add [[listen.c2s]] or [[listen.http]].`,
  );
});

test("cli: a database that cannot be reached", async () => {
  const [port, database] = [await freePort(), await freePort()];
  const path = file(
    "database.toml",
    `[[listen.c2s]]\nip_address = "127.0.0.1"\nport = ${port}\nallow_plaintext = true
[outgoing_pools.rdbms.default.connection]\nport = ${database}\n`,
  );
  expectOneLine(
    await meerkat("serve", "--config", path),
    `Cannot use the database meerkat at 127.0.0.1:${database}: the connection is refused.`,
  );
});

test("cli: a certificate that cannot be read", async () => {
  const path = file(
    "certificate.toml",
    '[[listen.c2s]]\nport = 0\ntls.certfile = "none.pem"\ntls.keyfile = "none.key"\n',
  );
  expectOneLine(
    await meerkat("serve", "--config", path),
    `Cannot read certfile "${join(folder, "none.pem")}": there is no such file.`,
  );
});

test("cli: a file that is no certificate", async () => {
  const pem = file("not.pem", "hello\n");
  const path = file(
    "not-certificate.toml",
    '[[listen.c2s]]\nport = 0\ntls.certfile = "not.pem"\ntls.keyfile = "not.pem"\n',
  );
  expectOneLine(
    await meerkat("serve", "--config", path),
    new RegExp(`^certfile "${pem}" does not hold a PEM certificate`),
  );
});

test("cli: an address of no account, and a database that was never made", async () => {
  expectOneLine(
    await meerkat("account", "list", "localhost"),
    /^There is no development database in .*: run "npm start" once, or give --config\.$/m,
  );
});
