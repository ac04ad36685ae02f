/**
 * Relay: the floor. What does it cost in Node to move these bytes and do nothing else?
 *
 * It plays a login from memory, so that the same clients can drive it, learns from it only the client's
 * number, and from then on hands every chunk to the partner (i and i^1) unread; what a turn of the event
 * loop brings for one socket is written at once. `relay.ts PORT [CERTFILE KEYFILE]`.
 */
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

interface Peer {
  readonly socket: Socket;
  index: number;
  /** What it said before it was logged in. */
  said: string;
  chunks: Buffer[];
}

const peers = new Map<number, Peer>();
let dirty: Peer[] = [];

const saslNamespace = "urn:ietf:params:xml:ns:xmpp-sasl";
const greeting =
  "<?xml version='1.0'?><stream:stream from='localhost' id='r' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
const features = (inner: string): string =>
  `${greeting}<stream:features>${inner}</stream:features>`;
const offerLogin = features(
  `<mechanisms xmlns='${saslNamespace}'><mechanism>PLAIN</mechanism></mechanisms>`,
);
const offerBind = features("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");

function onConnection(socket: Socket): void {
  const peer: Peer = { socket, index: -1, said: "", chunks: [] };
  socket.setNoDelay(true);
  const introduce = (chunk: Buffer): void => {
    peer.said += chunk.toString("latin1");
    if (!playLogin(peer)) return;
    peers.set(peer.index, peer);
    socket.off("data", introduce);
    socket.on("data", (bytes: Buffer) => forward(peer.index ^ 1, bytes));
  };
  socket.on("data", introduce);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    if (peers.get(peer.index) === peer) peers.delete(peer.index);
  });
}

/** Answers what was said, if it is complete; true once the resource is bound. */
function playLogin(peer: Peer): boolean {
  const { said, socket } = peer;
  const answer = (text: string): void => {
    peer.said = "";
    socket.write(text);
  };
  const auth = /<auth[^>]*>([^<]*)<\/auth>/.exec(said)?.[1];
  if (auth !== undefined) {
    const [, name = ""] = Buffer.from(auth, "base64").toString().split("\0");
    peer.index = Number(name.replace(/\D/g, ""));
    answer(`<success xmlns='${saslNamespace}'/>`);
  } else if (said.includes("</iq>")) {
    const id = / id=["']([^"']*)/.exec(said)?.[1] ?? "";
    answer(
      `<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>u${peer.index}@localhost/b</jid></bind></iq>`,
    );
    return true;
  } else if (/<stream:stream [^>]*>/.test(said)) {
    answer(peer.index < 0 ? offerLogin : offerBind);
  }
  return false;
}

function forward(to: number, bytes: Buffer): void {
  const peer = peers.get(to);
  if (peer === undefined) return;
  if (dirty.length === 0) setImmediate(flush);
  if (peer.chunks.length === 0) dirty.push(peer);
  peer.chunks.push(bytes);
}

function flush(): void {
  const all = dirty;
  dirty = [];
  for (const peer of all) {
    const [first, ...more] = peer.chunks;
    peer.chunks = [];
    if (first === undefined || peer.socket.destroyed) continue;
    peer.socket.write(more.length === 0 ? first : Buffer.concat([first, ...more]));
  }
}

const [port, certfile, keyfile] = process.argv.slice(2);
const server =
  certfile === undefined || keyfile === undefined
    ? createServer(onConnection)
    : createTlsServer({ cert: readFileSync(certfile), key: readFileSync(keyfile) }, onConnection);
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 1024 });
