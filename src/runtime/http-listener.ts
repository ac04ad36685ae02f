/**
 * HTTP listener: one port for WebSocket (RFC 7395), metrics and what the core answers.
 *
 * Plain `node:http`: there are a handful of paths, and all but `/metrics` are the core's to answer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import type { HttpListener } from "../server/config.ts";
import { AddressLimit } from "./address-limit.ts";
import type { Surroundings } from "./connection.ts";
import { answer, pathOf, type HttpRequests } from "./http.ts";
import { listening, type OpenListener } from "./listener.ts";
import { metricsContentType } from "./metrics.ts";
import { tlsInfo } from "./tls-info.ts";
import { TlsCertificates } from "./tls.ts";
import { WebSocketConnection } from "./websocket-connection.ts";

export interface HttpListenerOptions {
  readonly listener: HttpListener;
  readonly surroundings: Surroundings;
  readonly requests: HttpRequests;
  /** The text of `/metrics`. */
  readonly metrics: () => Promise<string>;
}

const subprotocol = "xmpp";
/** A stanza of the allowed size, and one that is a little over it: the core answers that in XMPP. */
const frameSlackBytes = 65_536;
/** Before the first request, or between two. */
const headersTimeoutMs = 10_000;

export async function listenHttp(options: HttpListenerOptions): Promise<OpenListener> {
  const { listener, surroundings } = options;
  const { name, max_connections_per_address: max } = listener;
  const certificates = listener.tls === undefined ? undefined : new TlsCertificates(listener.tls);
  const secure =
    certificates === undefined
      ? undefined
      : createSecureServer({ ...certificates.serverOptions(""), ALPNProtocols: ["http/1.1"] });
  const server: Server = secure ?? createServer();
  server.headersTimeout = headersTimeoutMs;
  server.requestTimeout = 30_000;
  const limit = new AddressLimit({ listener: name, max, surroundings });
  server.on("connection", (socket) => void limit.admit(socket));
  server.on("request", (request, response) => void serve(options, request, response));
  acceptWebSockets(server, options);
  const port = await listening(server, listener);
  server.on("error", (error) =>
    surroundings.log.write("error", "listener-failed", { listener: name, reason: error.message }),
  );
  return {
    name,
    port,
    reloadCertificates(): void {
      certificates?.reload();
      if (certificates !== undefined) secure?.setSecureContext(certificates.of("").options);
    },
    certificatesChanged: () => certificates?.changed() ?? false,
    stop(): void {
      server.close();
      server.closeIdleConnections();
    },
  };
}

async function serve(
  { listener, surroundings, requests, metrics }: HttpListenerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!listener.metrics || pathOf(request) !== "/metrics") {
    return requests.ask(listener.name, request, response);
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return answer(response, 405, { allow: "GET, HEAD" }, "Only GET\n");
  }
  try {
    answer(response, 200, { "content-type": metricsContentType }, await metrics());
  } catch (error) {
    surroundings.log.write("error", "metrics-failed", { reason: String(error) });
    answer(response, 500, {}, "The metrics cannot be rendered\n");
  }
}

function acceptWebSockets(server: Server, { listener, surroundings }: HttpListenerOptions): void {
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false, // 300 KiB a connection, and CRIME
    maxPayload: listener.max_stanza_size + frameSlackBytes,
    handleProtocols: () => subprotocol,
  });
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const socket = stream as Socket; // Node's own servers hand out nothing else
    socket.on("error", () => undefined); // until `ws` listens, a reset must not end the process
    const path = listener.websocket_path;
    if (path === "" || pathOf(request) !== path) return refuse(socket, "404 Not Found");
    // RFC 7395 §3.1: the client MUST offer "xmpp"; a server that cannot speak it fails the handshake.
    if (!offered(request).includes(subprotocol)) return refuse(socket, "400 Bad Request");
    socket.setNoDelay(true);
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const tls = socket instanceof TLSSocket ? tlsInfo(socket) : undefined;
      const parts = { listener: listener.name, socket, webSocket, tls, surroundings };
      void new WebSocketConnection(parts);
    });
  });
}

function offered(request: IncomingMessage): readonly string[] {
  const header = request.headers["sec-websocket-protocol"] ?? "";
  return header.split(",").map((name) => name.trim());
}

function refuse(socket: Socket, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
