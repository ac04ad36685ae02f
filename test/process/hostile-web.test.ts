/** Hostile clients over WebSocket and HTTP: each gets its named answer, and nobody else feels anything. */
import { connect as connectTcp } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client, registerAll } from "../support/client.ts";
import { frame, opcodes, RawWebSocket, upgradeRequest } from "../support/raw-websocket.ts";
import { startServer, type RunningServer } from "../support/server.ts";
import { maxStanzaSize } from "./hostile-words.ts";

let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ listener: `max_stanza_size = ${maxStanzaSize}` });
  await registerAll(server.ports.starttls, ["good"]);
}, 120_000);

afterAll(async () => {
  expect(await server.stop()).toBe(0);
});

const open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";
test.each<readonly [string, (socket: WebSocket) => void, RegExp | number]>([
  ["a binary frame", (socket) => socket.send(Buffer.from(open), { binary: true }), /.*/],
  ["two elements in a frame", (socket) => socket.send(open + open), /not-well-formed/],
  ["half an element in a frame", (socket) => socket.send("<open"), /not-well-formed/],
  [
    "a TCP stream header",
    (socket) => socket.send("<stream:stream to='localhost'>"),
    /<stream:error/,
  ],
  [
    "a stanza first",
    (socket) => socket.send("<message xmlns='jabber:client'/>"),
    /not-well-formed/,
  ],
  ["a comment", (socket) => socket.send("<!-- x -->"), /restricted-xml/],
  [
    "another host",
    (socket) => socket.send(open.replace("localhost", "example.org")),
    /host-unknown/,
  ],
  ["an endless message", (socket) => socket.send("x".repeat(10 * maxStanzaSize)), /.*/],
  [
    "a stanza before authentication",
    (socket) => {
      socket.send(open);
      socket.send("<message xmlns='jabber:client' to='good@localhost'/>");
    },
    /not-authorized/,
  ],
  [
    "<close/> at once",
    (socket) => socket.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"),
    /<close /,
  ],
  ["a close frame at once", (socket) => socket.close(), /.*/],
  ["a cut connection", (socket) => socket.terminate(), /.*/],
])("hostile: over WebSocket, %s", async (_what, act, expected) => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.ports.http}/ws-xmpp`, ["xmpp"]);
  let received = "";
  socket.on("message", (data: Buffer) => (received += data.toString()));
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.on("close", resolve));
  await new Promise((resolve) => socket.on("open", resolve));
  act(socket);
  await closed;
  expect(received).toMatch(expected instanceof RegExp ? expected : /.*/);
});

const { text, binary, continuation, close, ping, pong } = opcodes;
const cut = (whole: string): Buffer[] =>
  [...whole].map((letter, index) =>
    frame(index === 0 ? text : continuation, letter, { fin: index === whole.length - 1 }),
  );

/** What was sent, and the close code (RFC 6455 §7.4.1; undefined: an end without one) or the text that answers it. */
test.each<readonly [string, readonly Buffer[], number | string | undefined]>([
  ["a frame without a mask", [frame(text, open, { masked: false })], 1002],
  ["a reserved bit", [frame(text, open, { reserved: 4 })], 1002],
  ["a reserved opcode", [frame(3, open)], 1002],
  ["a reserved control opcode", [frame(11, "")], 1002],
  ["a ping in two parts", [frame(ping, "x", { fin: false })], 1002],
  ["a long ping", [frame(ping, "x".repeat(126))], 1002],
  ["the end of nothing", [frame(continuation, open)], 1002],
  ["a message within a message", [frame(text, "<o", { fin: false }), frame(text, open)], 1002],
  ["binary parts", [frame(binary, "<o", { fin: false }), frame(continuation, "pen/>")], 1003],
  ["a message of 2^62 bytes", [frame(text, "", { claimed: 2n ** 62n })], 1009],
  ["a message of 4 GB", [frame(text, "", { claimed: 2n ** 32n })], 1009],
  [
    "parts without an end",
    Array.from({ length: 9 }, (_, index) =>
      frame(index === 0 ? text : continuation, "x".repeat(maxStanzaSize), { fin: false }),
    ),
    1009,
  ],
  ["what is not UTF-8", [frame(text, Buffer.from("3cff3e", "hex"))], 1007],
  ["a close frame of one byte", [frame(close, "x")], 1002],
  ["a close frame of no known code", [frame(close, Buffer.from([3, 0xe7]))], 1002],
  [
    "a close frame without <close/>",
    [frame(text, open), frame(close, Buffer.from([3, 0xe8]))],
    1000,
  ],
  ["<open/> letter by letter", cut(open), "<stream:features "],
  [
    "an <open/> of an empty part more",
    [frame(text, "", { fin: false }), frame(continuation, open)],
    "<stream:features ",
  ],
  [
    "an XML declaration in each message",
    [frame(text, `<?xml version='1.0'?>${open}`)],
    "<stream:features ",
  ],
  ["a ping", [frame(ping, "hello")], "\x8a\x05hello"],
  [
    "answers to no ping",
    [...Array.from({ length: 1_000 }, () => frame(pong, "x")), frame(text, open)],
    "<stream:features ",
  ],
  [
    "as many pings as may wait",
    [...Array.from({ length: 50 }, () => frame(ping, "x")), frame(text, open)],
    "<stream:features ",
  ],
  ["more pings than may wait", Array.from({ length: 9_000 }, () => frame(ping, "x")), undefined],
  ["two <open/>", [frame(text, open), frame(text, open)], "<bad-format "],
  ["an <open/> to nobody", [frame(text, open.replace("to='localhost'", ""))], "<host-unknown "],
  [
    "an <open/> of no version",
    [frame(text, open.replace("version='1.0'", ""))],
    "<unsupported-version ",
  ],
  [
    "an <open/> in a foreign namespace",
    [frame(text, open.replace("xmpp-framing", "x"))],
    "<stream:error ",
  ],
  [
    "STARTTLS",
    [frame(text, open), frame(text, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")],
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  ],
  ["an end tag", [frame(text, "</open>")], "<not-well-formed "],
  ["white space alone", [frame(text, " \n "), frame(text, open)], "<stream:features "],
  ["nothing in a message", [frame(text, ""), frame(text, open)], "<stream:features "],
])("hostile: over bare WebSocket frames, %s", async (_what, frames, expected) => {
  const raw = await RawWebSocket.connect(server.ports.http);
  raw.send(...frames);
  if (typeof expected === "string") {
    await raw.receives(expected);
    raw.socket.destroy();
    return;
  }
  await raw.closed;
  expect(raw.closeCode).toBe(expected);
});

test.each<readonly [string, Parameters<typeof upgradeRequest>[0], RegExp]>([
  ["no subprotocol", { protocol: undefined }, /^HTTP\/1.1 400/],
  ["another subprotocol", { protocol: "Sec-WebSocket-Protocol: mqtt" }, /^HTTP\/1.1 400/],
  ["no key", { key: undefined }, /^HTTP\/1.1 400/],
  ["a short key", { key: "Sec-WebSocket-Key: x" }, /^HTTP\/1.1 400/],
  ["an old version", { version: "Sec-WebSocket-Version: 7" }, /^HTTP\/1.1 4\d\d/],
  ["another upgrade", { upgrade: "Upgrade: h2c" }, /^HTTP\/1.1 4\d\d/],
  ["another path", { request: "GET /ws HTTP/1.1" }, /^HTTP\/1.1 404/],
  ["another method", { request: "POST /ws-xmpp HTTP/1.1" }, /^HTTP\/1.1 4\d\d/],
  [
    "compression",
    { more: "Sec-WebSocket-Extensions: permessage-deflate" },
    /^HTTP\/1.1 101(?![^]*permessage)/,
  ],
])("hostile: a WebSocket handshake with %s", async (_what, changes, expected) => {
  expect(await ask(upgradeRequest(changes))).toMatch(expected);
});

/** What a request is answered, until the server closes or has said that it upgrades. */
function ask(request: string): Promise<string> {
  const socket = connectTcp(server.ports.http, "127.0.0.1");
  let received = "";
  socket.on("error", () => undefined);
  socket.write(request, "latin1");
  return new Promise((resolve) => {
    socket.on("close", () => resolve(received));
    socket.on("data", (data) => {
      received += String(data);
      if (received.startsWith("HTTP/1.1 101")) socket.destroy();
    });
  });
}

const end = "Host: localhost\r\nConnection: close\r\n\r\n";
const requests: readonly (readonly [string, RegExp])[] = [
  ["GET /ws-xmpp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", /^HTTP\/1.1 4\d\d/],
  [
    "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    /^HTTP\/1.1 4\d\d/,
  ],
  ["GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", /^HTTP\/1.1 404/],
  [
    "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    /^HTTP\/1.1 4\d\d/,
  ],
  [
    `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(100_000)}\r\n\r\n`,
    /^HTTP\/1.1 4\d\d/,
  ],
  ["NONSENSE\r\n\r\n", /^HTTP\/1.1 4\d\d/],
  ["<stream:stream>", /^HTTP\/1.1 4\d\d/],
  [`GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n`, /^HTTP\/1.1 400/],
  [`GET /healthz HTTP/9.9\r\n${end}`, /^HTTP\/1.1 4\d\d/],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^(?:HTTP\/1.1 4\d\d|$)/],
  [`GET /${"x".repeat(50_000)} HTTP/1.1\r\n${end}`, /^HTTP\/1.1 4\d\d/],
  [`GET /healthz HTTP/1.1\r\n${"a: b\r\n".repeat(5_000)}${end}`, /^HTTP\/1.1 4\d\d/],
  [`GET /healthz HTTP/1.1\r\nno colon\r\n${end}`, /^HTTP\/1.1 400/],
  [`GET /healthz HTTP/1.1\r\nx: a\0b\r\n${end}`, /^HTTP\/1.1 400/],
  [
    `POST /healthz HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n${end}0\r\n\r\n`,
    /^HTTP\/1.1 4\d\d/,
  ],
  [`POST /healthz HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n${end}`, /^HTTP\/1.1 400/],
  [`POST /healthz HTTP/1.1\r\nContent-Length: -1\r\n${end}`, /^HTTP\/1.1 400/],
  [`POST /healthz HTTP/1.1\r\nContent-Length: 9999999999999\r\n${end}`, /^HTTP\/1.1 413/],
  [`POST /none HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${end}zz\r\n`, /^HTTP\/1.1 4\d\d/],
  [`DELETE /healthz HTTP/1.1\r\n${end}`, /^HTTP\/1.1 4\d\d/],
  [`TRACE /healthz HTTP/1.1\r\n${end}`, /^HTTP\/1.1 4\d\d/],
  [`BREW /healthz HTTP/1.1\r\n${end}`, /^HTTP\/1.1 400/],
  [`CONNECT localhost:22 HTTP/1.1\r\n${end}`, /^(?:HTTP\/1.1 4\d\d|$)/],
  [`OPTIONS * HTTP/1.1\r\n${end}`, /^HTTP\/1.1 4\d\d/],
  [`GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n${end}`, /^HTTP\/1.1 4\d\d/],
  [`GET /metrics/../../etc/passwd HTTP/1.1\r\n${end}`, /^HTTP\/1.1 4\d\d/],
  [`GET /healthz%00 HTTP/1.1\r\n${end}`, /^HTTP\/1.1 404/],
  [`GET /%ff%fe%zz HTTP/1.1\r\n${end}`, /^HTTP\/1.1 404/],
  [`GET __proto__ HTTP/1.1\r\n${end}`, /^HTTP\/1.1 4\d\d/],
  [
    `GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(99) +
      `GET /healthz HTTP/1.1\r\n${end}`,
    /^(?:HTTP\/1.1 200[^]*?){100}$/,
  ],
];

test.each(
  requests.map(([request, expected]) => [request.slice(0, 60), request, expected] as const),
)("hostile: over HTTP, %j", async (_beginning, request, expected) => {
  expect(await ask(request)).toMatch(expected);
});

test("hostile: a body without an end is cut off", async () => {
  const socket = connectTcp(server.ports.http, "127.0.0.1");
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("error", () => undefined);
  socket.write("POST /none HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
  const drip = setInterval(() => socket.write(chunk), 5);
  await closed;
  clearInterval(drip);
});

test("hostile: after all that, a well-behaved client is served and no bug was hit", async () => {
  const good = await Client.login({ port: server.ports.starttls, user: "good" });
  await good.ping();
  await good.close();
  expect(server.output).not.toMatch(/fault/);
  expect(await server.metric("meerkat_faults_total")).toBe(0);
});
