/** Hostile clients: each gets its named answer, and nobody else feels anything. */
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client, headerTo, registerAll, usualPassword } from "../support/client.ts";
import { startServer, type RunningServer } from "../support/server.ts";
import { behaviours, type Stage } from "./hostile-table.ts";
import { maxStanzaSize, type Behaviour } from "./hostile-words.ts";

const stateTimeoutMs = 6_000;
const maxConnections = 120;
let server: RunningServer;
let handlesBefore = 0;

beforeAll(async () => {
  server = await startServer({
    listener: [
      `max_stanza_size = ${maxStanzaSize}`,
      `state_timeout = ${stateTimeoutMs}`,
      `max_connections_per_address = ${maxConnections}`,
    ].join("\n"),
  });
  await registerAll(server.ports.starttls, ["good", "better", "evil0"]);
  await untilIdle();
  handlesBefore = (await server.metric("process_open_fds")) ?? 0;
}, 120_000);

afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

/** Until nobody is connected any more. */
async function untilIdle(): Promise<void> {
  while ((await server.metric("meerkat_connections")) !== 0) await sleep(20);
}

async function at(stage: Stage): Promise<Client> {
  const { starttls, tls } = server.ports;
  switch (stage) {
    case "clear":
      return Client.connect({ port: starttls });
    case "raw-tls":
      return Client.connect({ port: tls, security: "none" });
    case "stream": {
      const client = await Client.connect({ port: starttls });
      await client.open();
      return client;
    }
    case "secured":
      return Client.secured({ port: tls, security: "tls" });
    case "authenticated": {
      const client = await Client.secured({ port: tls, security: "tls" });
      const plain = { user: "evil0", mechanism: "PLAIN", password: usualPassword };
      expect(await client.authenticate(plain)).toBe("success");
      await client.open();
      return client;
    }
    case "online":
      return Client.login({ port: tls, security: "tls", user: "evil0", mechanism: "PLAIN" });
  }
}

/** What became of a client that has done its worst. */
async function outcome(client: Client, expected: string): Promise<string> {
  const { inbox } = client;
  if (expected === "alive") return inbox.isClosed ? "closed" : "alive";
  const ending = new Promise<string>((resolve) => {
    void inbox.closed.then(() => resolve(endOf(inbox.received)));
  });
  const answer = inbox
    .find(({ name, attributes }) => name === "failure" || attributes["type"] === "error")
    .then((node) => {
      if (node.name === "failure") return `sasl ${node.children[0]?.name}`;
      const error = node.children.find(({ name }) => name === "error");
      return `stanza ${error?.children[0]?.name}`;
    })
    .catch(() => ending);
  return /^(?:sasl|stanza) /.test(expected) ? answer : ending;
}

function endOf(received: string): string {
  const condition = /<stream:error[^>]*><([a-z-]+) xmlns/.exec(received)?.[1];
  if (condition === undefined) return "closed";
  return received.endsWith("</stream:error></stream:stream>")
    ? `error ${condition}`
    : `error ${condition}, and the stream left open`;
}

const table = Object.entries(behaviours).flatMap(([stage, all]) =>
  all.map((behaviour) => [stage as Stage, ...behaviour] as const),
);

test("hostile: the table is long, and no line stands there twice", () => {
  expect(table.length).toBeGreaterThanOrEqual(200);
  expect(new Set(table.map(([stage, what]) => `${stage} ${what}`)).size).toBe(table.length);
});

test.each(table)("hostile: %s: %s", async (...[stage, , send, expected]: [Stage, ...Behaviour]) => {
  const client = await at(stage);
  client.socket.write(send);
  expect(await outcome(client, expected)).toBe(expected);
  // Who is still served is served well.
  if (stage === "online" && !client.inbox.isClosed && !/^(?:error|closed)/.test(expected)) {
    await client.ping();
  }
  client.vanish();
});

/** Resolves to what a socket has received when it is closed by the other side. */
function untilClosed(socket: Socket): Promise<string> {
  let received = "";
  socket.on("data", (data) => (received += String(data)));
  socket.on("error", () => undefined);
  return new Promise((resolve) => socket.on("close", () => resolve(received)));
}

test("hostile: who is too slow is closed in time, however far it has come", async () => {
  const { starttls, tls, http } = server.ports;
  const before = performance.now();
  const silent = connectTcp(starttls, "127.0.0.1");
  const silentTls = connectTcp(tls, "127.0.0.1");
  const halfHello = connectTcp(tls, "127.0.0.1");
  halfHello.write(Buffer.from("160301020001", "hex"));
  const trickle = connectTcp(starttls, "127.0.0.1");
  const drip = setInterval(() => trickle.write("<!-- slow -->".slice(0, 1).replace("<", " ")), 300);
  const noHandshake = await at("stream");
  noHandshake.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  const waiting = [await at("stream"), await at("secured"), await at("authenticated")];
  const challenged = await at("secured");
  challenged.send(
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>${Buffer.from("n,,n=evil0,r=abc").toString("base64")}</auth>`,
  );
  const slowHttp = connectTcp(http, "127.0.0.1");
  slowHttp.write("GET /healthz HTTP/1.1\r\nHo");
  const websocket = new WebSocket(`ws://127.0.0.1:${http}/ws-xmpp`, ["xmpp"]);
  const websocketClosed = new Promise((resolve) => websocket.on("close", resolve));
  const ends = await Promise.all([
    ...[silent, silentTls, halfHello, trickle].map(untilClosed),
    ...[noHandshake, ...waiting, challenged].map(async ({ inbox }) => {
      await inbox.closed;
      return inbox.received;
    }),
    websocketClosed,
  ]);
  clearInterval(drip);
  slowHttp.destroy();
  expect(performance.now() - before).toBeLessThan(stateTimeoutMs + 15_000);
  for (const text of [ends[0], ends[3], ...ends.slice(5, 9)]) {
    expect(text).toContain("<connection-timeout ");
  }
});

test("hostile: too many connections of one address are closed, those before them stay", async () => {
  const { tls } = server.ports;
  const kept = await Client.login({ port: tls, security: "tls", user: "good" });
  const sockets = Array.from({ length: maxConnections + 30 }, () => connectTcp(tls, "127.0.0.1"));
  let closed = 0;
  const enough = new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on("error", () => undefined);
      socket.on("close", () => ++closed >= 31 && resolve());
    }
  });
  await enough;
  await kept.ping();
  await expect(Client.connect({ port: tls, security: "tls" })).rejects.toThrow();
  for (const socket of sockets) socket.destroy();
  // As soon as the server has seen them go, the address is served again.
  let served: Client | undefined;
  while (served === undefined) {
    served = await Client.connect({ port: tls, security: "tls" }).catch(() => undefined);
  }
  served.vanish();
  await kept.close();
});

test("hostile: who writes to itself and never reads costs a bounded queue", async () => {
  const flooder = await at("online");
  const other = await Client.login({ port: server.ports.starttls, user: "better" });
  flooder.socket.pause();
  const filling = "z".repeat(maxStanzaSize - 200);
  const message = `<message to='${flooder.jid}'><body>${filling}</body></message>`;
  const sessions = (await server.metric("meerkat_sessions")) ?? 0;
  // Sockets on the way hold some megabytes; after that the server's own limit ends it.
  for (let burst = 0; burst < 100; burst++) {
    if (!flooder.socket.writable) break;
    flooder.socket.write(message.repeat(20));
    await other.ping(); // others are served meanwhile
    if (((await server.metric("meerkat_sessions")) ?? 0) < sessions) break;
  }
  expect(await server.metric("meerkat_sessions")).toBe(sessions - 1);
  flooder.socket.resume();
  await flooder.inbox.closed;
  expect(flooder.inbox.received).toContain("<resource-constraint ");
  await other.close();
});

test("hostile: a TLS that is too old, of another protocol, or cut off", async () => {
  const { tls: port } = server.ports;
  const options = { port, host: "127.0.0.1", rejectUnauthorized: false };
  const old = {
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  } as const;
  for (const wrong of [old, { ALPNProtocols: ["h2"] }]) {
    const socket = connectTls({ ...options, ...wrong });
    await expect(
      new Promise((resolve, reject) => {
        socket.once("secureConnect", resolve);
        socket.once("error", reject);
      }),
    ).rejects.toThrow();
  }
  const cut = await at("stream");
  cut.socket.resetAndDestroy();
});

test("hostile: garbage within a TLS connection ends it", async () => {
  const tcp = connectTcp(server.ports.tls, "127.0.0.1");
  const secured = connectTls({ socket: tcp, rejectUnauthorized: false, servername: "localhost" });
  await new Promise((resolve) => secured.once("secureConnect", resolve));
  const end = untilClosed(tcp);
  secured.on("error", () => undefined);
  tcp.write(Buffer.alloc(500, 0x55));
  await end;
});

const startTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const plain = Buffer.from(`\0evil0\0${usualPassword}`).toString("base64");
const rightAuth = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`;

test("hostile: what is sent in the clear after <starttls/> is forgotten [RFC 6120 §5.4.3.3]", async () => {
  const injected = await at("stream");
  injected.send(`${startTls}${rightAuth}${startTls}`);
  expect((await injected.inbox.next()).name).toBe("proceed");
  await injected.upgrade();
  await injected.open();
  expect(injected.mechanisms).toContain("PLAIN"); // nobody has logged in yet
  expect(injected.inbox.received).not.toMatch(/<success|<failure/);
  await injected.close();
});

test("hostile: byte by byte, and cut in the middle", async () => {
  const slow = await at("secured");
  const say = async (text: string): Promise<void> => {
    for (const byte of Buffer.from(text)) {
      await new Promise((resolve) => slow.socket.write(Buffer.of(byte), resolve));
    }
  };
  await say(rightAuth);
  expect((await slow.inbox.next()).name).toBe("success");
  slow.inbox.restart();
  await say(headerTo("localhost"));
  expect((await slow.inbox.next()).name).toBe("stream:features");
  await slow.bind();
  await say("<iq type='get' id='slow'><ping xmlns='urn:xmpp:ping'/></iq>");
  await slow.inbox.find(({ attributes }) => attributes["id"] === "slow");
  slow.socket.end("<message to='good@localhost'><bo");
  await slow.inbox.closed;
});

test("hostile: who asks before binding and never reads is soon told to go", async () => {
  const greedy = await at("authenticated");
  greedy.socket.pause();
  greedy.send(
    "<iq type='get' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>".repeat(500),
  );
  await untilIdle();
});

test("hostile: nothing is left behind: no connection, no handle, no flood of log lines", async () => {
  await untilIdle();
  while (((await server.metric("process_open_fds")) ?? 0) > handlesBefore + 2) await sleep(20);
  expect(server.output.split("\n").length).toBeLessThan(table.length);
});

test("hostile: after all that, a well-behaved pair chats and no bug was hit", async () => {
  const { starttls: port } = server.ports;
  const good = await Client.login({ port, user: "good" });
  const better = await Client.login({ port, user: "better" });
  good.send(
    `<message to='${better.jid}' type='chat' id='last'><body>still there?</body></message>`,
  );
  const heard = await better.inbox.find(({ attributes }) => attributes["id"] === "last");
  expect(heard.attributes["from"]).toBe(good.jid);
  await good.close();
  await better.close();
  expect(server.output).not.toMatch(/fault/);
  expect(await server.metric("meerkat_faults_total")).toBe(0);
});
