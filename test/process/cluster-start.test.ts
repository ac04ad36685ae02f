/** `npm run cluster` as its user meets it: three nodes with one command, and none left behind. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { Client, registerAll, type Node } from "../support/client.ts";
import { get, isAlive, Started, until } from "../support/started.ts";

const folder = mkdtempSync(join(tmpdir(), "meerkat-cluster-"));
const started: Started[] = [];
afterAll(async () => {
  for (const each of started) each.child.kill("SIGKILL");
  await Promise.all(started.map(({ exited }) => exited));
  rmSync(folder, { recursive: true, force: true });
});

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });

/** A hundred ports that nobody has, below those that the system gives to outgoing connections. */
async function freePort(): Promise<number> {
  for (let port = 21_000 + (process.pid % 90) * 100; ; port += 100) {
    const offsets = [0, 1, 58, 59, 10, 11, 68, 69, 20, 21, 78, 79];
    const taken = await Promise.all(offsets.map((offset) => accepts(port + offset)));
    if (!taken.includes(true)) return port;
  }
}

async function cluster(port: number): Promise<Started> {
  const at = ["--data", join(folder, "data"), "--port", String(port)];
  const running = new Started(["dev", "--nodes", "3", ...at]);
  started.push(running);
  await running.prints("Ctrl-C");
  return running;
}

const ready = (port: number): Promise<void> =>
  until(async () => {
    const answers = await Promise.all(
      [58, 68, 78].map((offset) => get(`http://127.0.0.1:${port + offset}/readyz`)),
    );
    return answers.every((answer) => answer?.status === 200);
  });

interface Status {
  readonly node: { readonly name: string };
  readonly nodes: { readonly joined: readonly string[] };
}
async function joined(port: number): Promise<readonly string[]> {
  const answer = await get(`http://127.0.0.1:${port}/cluster`);
  if (answer?.status !== 200) return [];
  return (JSON.parse(answer.body) as Status).nodes.joined.toSorted();
}
const all = ["node-1", "node-2", "node-3"];

test("cluster: npm has a command for three nodes", () => {
  const file = fileURLToPath(new URL("../../package.json", import.meta.url));
  const { scripts } = JSON.parse(readFileSync(file, "utf8")) as { scripts: { cluster: string } };
  expect(scripts.cluster).toBe("exec node scripts/start.mjs --nodes 3");
});

test(
  "cluster: one command, three nodes that see each other; a killed one comes back; SIGTERM ends all",
  { timeout: 180_000 },
  async () => {
    const port = await freePort();
    const running = await cluster(port);
    for (const [at, name] of all.entries()) {
      const first = port + 10 * at;
      expect(running.output).toMatch(
        new RegExp(
          `${name} +localhost:${first} +localhost:${first + 1} +ws://localhost:${first + 58}/`,
        ),
      );
      expect(await accepts(first)).toBe(true);
      expect(await accepts(first + 1)).toBe(true);
    }
    await ready(port);
    for (const offset of [58, 68, 78]) {
      await until(async () => (await joined(port + offset)).length === 3);
    }

    // A user on node 1 talks to a user on node 3, and is answered.
    await registerAll(port, ["alice", "bob"]);
    const alice = await Client.login({ port, user: "alice" });
    const bob = await Client.login({ port: port + 20, user: "bob" });
    const heard = (client: Client, id: string): Promise<Node> =>
      new Promise((resolve) => {
        client.inbox.onNode = (node) => {
          if (node.name === "message" && node.attributes["id"] === id) resolve(node);
        };
      });
    const atBob = heard(bob, "m1");
    alice.send(`<message to='${bob.jid}' type='chat' id='m1'><body>hi</body></message>`);
    expect((await atBob).attributes["from"]).toBe(alice.jid);
    const atAlice = heard(alice, "m2");
    bob.send(`<message to='${alice.jid}' type='chat' id='m2'><body>hello</body></message>`);
    expect((await atAlice).attributes["from"]).toBe(bob.jid);
    await Promise.all([alice.close(), bob.close()]);

    const third = Number(/kill -9 (\d+)/.exec(running.output)?.[1]);
    process.kill(third, "SIGKILL");
    await running.prints(/node-3 ended by SIGKILL; it starts again/);
    await until(async () => (await joined(port + 58)).length === 2);
    await running.prints(/node-3 runs again/);
    await until(async () => (await joined(port + 58)).length === 3);

    const processes = running.descendants();
    expect(processes.length).toBeGreaterThanOrEqual(4); // three nodes and a database
    running.child.kill("SIGTERM");
    expect(await running.exited).toBe(0);
    await until(() => !processes.some(isAlive));
  },
);

test(
  "cluster: what kill -9 of the command leaves ends by itself, and the next start is whole",
  { timeout: 180_000 },
  async () => {
    const port = await freePort();
    const first = await cluster(port);
    const processes = first.descendants();
    first.child.kill("SIGKILL");
    await until(() => !processes.some(isAlive));
    const second = await cluster(port);
    await ready(port);
    await until(async () => (await joined(port + 58)).join() === all.join());
    second.child.kill("SIGINT");
    expect(await second.exited).toBe(0);
  },
);

test("cluster: a port that is taken is one line, and nothing is started", async () => {
  const port = await freePort();
  const server = createServer().listen(port + 21, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const at = ["--data", join(folder, "other"), "--port", String(port)];
  const refused = new Started(["dev", "--nodes", "3", ...at]);
  expect(await refused.exited).toBe(1);
  expect(refused.output).toBe(
    `Cannot listen on 127.0.0.1 port ${port + 21}: another program is using it.\n`,
  );
  server.close();
});

test("cluster: a number of nodes that makes no sense is one line", async () => {
  const refused = new Started(["dev", "--nodes", "0"]);
  expect(await refused.exited).toBe(1);
  expect(refused.output).toBe("--nodes must be an integer from 1 to 12.\n");
});
