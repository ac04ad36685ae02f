/** Messages under load: nothing lost, doubled or out of order, whatever some clients do. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, registerAll, type Node } from "../support/client.ts";
import { startServer, type RunningServer } from "../support/server.ts";

const users = Array.from({ length: 20 }, (_, index) => `user${index}`);
const messagesEach = 200;
const maxSendQueue = 100_000;
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({
    sessions: `max_send_queue = ${maxSendQueue}\nsend_timeout = 60000`,
    listener: "max_connections_per_address = 1000",
  });
  await registerAll(server.ports.starttls, users);
}, 120_000);

afterAll(async () => {
  expect(await server.metric("meerkat_faults_total")).toBe(0);
  expect(await server.stop()).toBe(0);
});

const login = (user: string, resource?: string): Promise<Client> =>
  Client.login({
    port: server.ports.starttls,
    user,
    ...(resource === undefined ? {} : { resource }),
  });

/** Numbers of the messages that came from each address, in the order of their coming. */
type Ledger = Map<string, number[]>;

function keepLedger(client: Client): Ledger {
  const ledger: Ledger = new Map();
  client.inbox.onNode = (node: Node): void => {
    if (node.name !== "message" || node.attributes["type"] === "error") return;
    const from = node.attributes["from"] ?? "";
    const numbers = ledger.get(from) ?? [];
    numbers.push(Number(node.attributes["id"]));
    ledger.set(from, numbers);
  };
  return ledger;
}

const total = (ledger: Ledger): number =>
  [...ledger.values()].reduce((sum, numbers) => sum + numbers.length, 0);

test("messages: 20 clients in a closed loop, each message once and in order", async () => {
  const clients = await Promise.all(users.map((user) => login(user)));
  const ledgers = clients.map(keepLedger);
  await Promise.all(
    clients.map(async (client, index) => {
      const peer = clients[(index + 7) % clients.length] ?? client;
      for (let number = 0; number < messagesEach; number++) {
        client.send(
          `<message to='${peer.jid}' id='${number}'><body>number ${number}</body></message>`,
        );
        if (number % 8 === 7) await client.ping(); // at most eight are under way
      }
      await client.ping();
    }),
  );
  await Promise.all(clients.map((client) => client.ping()));
  const inOrder = Array.from({ length: messagesEach }, (_, number) => number);
  for (const [index, ledger] of ledgers.entries()) {
    const sender = clients[(index - 7 + clients.length) % clients.length];
    expect([...ledger]).toEqual([[sender?.jid, inOrder]]);
  }
  await Promise.all(clients.map((client) => client.close()));
});

test("messages: while some vanish, those who stay lose nothing, and every message is answered for", async () => {
  const [sender, steady, ...vanishing] = await Promise.all(
    users.slice(0, 8).map((user) => login(user)),
  );
  if (sender === undefined || steady === undefined) throw new TypeError("two clients at least");
  const ledger = keepLedger(steady);
  const errors: string[] = [];
  sender.inbox.onNode = ({ attributes }) => {
    if (attributes["type"] === "error") errors.push(attributes["id"] ?? "");
  };
  const arrived = vanishing.map(keepLedger);
  for (let number = 0; number < 300; number++) {
    sender.send(`<message to='${steady.jid}' id='${number}'/>`);
    const peer = vanishing[number % vanishing.length];
    sender.send(`<message to='${peer?.jid}' id='v${number}'/>`);
    if (number % 50 === 49) {
      await sender.ping();
      vanishing[Math.floor(number / 50)]?.vanish();
    }
  }
  await sender.ping();
  await steady.ping();
  expect(ledger.get(sender.jid)).toEqual(Array.from({ length: 300 }, (_, number) => number));
  // What was sent to the vanished is an error, unless it was on its way to a socket that still stood.
  const known = new Set([...errors, ...arrived.flatMap((each) => [...each.values()].flat())]);
  expect(errors.length).toBeGreaterThan(0);
  expect(new Set(errors).size).toBe(errors.length);
  expect(known.size).toBeGreaterThan(0);
  await sender.close();
  await steady.close();
});

test("messages: a client that does not read is closed by a named limit, and senders are told", async () => {
  const [sender, sleeper, ...others] = await Promise.all(
    users.slice(0, 6).map((user) => login(user)),
  );
  const [left, right] = others;
  if (sender === undefined || sleeper === undefined || left === undefined || right === undefined) {
    throw new TypeError("four clients at least");
  }
  const errors = new Map<string, string>();
  sender.inbox.onNode = (node) => {
    if (node.attributes["type"] !== "error") return;
    const error = node.children.find(({ name }) => name === "error");
    errors.set(node.attributes["id"] ?? "", error?.children[0]?.name ?? "");
  };
  sleeper.socket.pause();
  const body = `<body>${"z".repeat(20_000)}</body>`;
  const waits: number[] = [];
  let sent = 0;
  // Until the sender is told: sockets on the way hold some megabytes of their own.
  while (errors.size === 0 && sent < 4_000) {
    for (let burst = 0; burst < 10; burst++) {
      sender.send(`<message to='${sleeper.jid}' id='${sent++}'>${body}</message>`);
    }
    await sender.ping();
    const before = performance.now();
    right.inbox.onNode = undefined;
    left.send(`<message to='${right.jid}' id='feel-${sent}'/>`);
    await right.inbox.find(({ attributes }) => attributes["id"] === `feel-${sent}`);
    waits.push(performance.now() - before);
  }
  // What had waited for it, then what was sent to nobody (RFC 6121 §8.5.3.2.1).
  expect(["recipient-unavailable", "recipient-unavailable,service-unavailable"]).toContain(
    [...new Set(errors.values())].join(","),
  );
  expect(Math.max(...waits)).toBeLessThan(5_000);
  await sender.ping();
  // All that was not delivered came back, in order, without a gap: none was lost.
  const numbers = [...errors.keys()].map(Number);
  expect(numbers).toEqual([...numbers].toSorted((a, b) => a - b));
  sleeper.socket.resume();
  await sleeper.inbox.closed;
  const got = sleeper.inbox.nodes.filter(({ name }) => name === "message");
  expect(got.map(({ attributes }) => Number(attributes["id"]))).toEqual(
    got.map((_, index) => index),
  );
  expect(got.length + numbers.length).toBe(sent);
  expect(sleeper.inbox.received).toContain("<resource-constraint ");
  const unanswered = await sender.ask(`<message to='${sleeper.jid}' id='late'/>`, "late");
  expect(unanswered.attributes["type"]).toBe("error");
  await Promise.all([sender, left, right].map((client) => client.close()));
});

test("messages: what a client sends before it closes is all delivered", async () => {
  const [reader, hasty] = [await login("user0"), await login("user1")];
  const ledger = keepLedger(reader);
  let burst = "";
  for (let number = 0; number < 500; number++)
    burst += `<message to='${reader.jid}' id='${number}'/>`;
  hasty.send(`${burst}</stream:stream>`);
  await hasty.inbox.closed;
  await reader.ping();
  expect(total(ledger)).toBe(500);
  await reader.close();
});
