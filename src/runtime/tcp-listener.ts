/**
 * TCP listener: a port for clients (STARTTLS, direct TLS of XEP-0368, or neither) or for other nodes
 * (mutual TLS, or none).
 */
import { createServer, type Socket } from "node:net";
import { LineLimit } from "../base/line-limit.ts";
import { minute } from "../base/time.ts";
import type { C2sListener, ClusterListener } from "../server/config.ts";
import { AddressLimit } from "./address-limit.ts";
import { plainAddress, reasonOf, type Surroundings } from "./connection.ts";
import { listening, type OpenListener } from "./listener.ts";
import { TcpConnection } from "./tcp-connection.ts";
import { linkHandshakeTimeout, linkTls, TlsAcceptor, TlsCertificates } from "./tls.ts";

/** More than a cluster has nodes; links that have not proved who they are, the core bounds itself. */
const linksPerAddressMax = 1_000;

export function listenTcp(
  listener: C2sListener,
  surroundings: Surroundings,
): Promise<OpenListener> {
  const tls =
    listener.tls === undefined
      ? undefined
      : new TlsAcceptor(new TlsCertificates(listener.tls), listener.c2s_state_timeout);
  const { max_connections_per_address: max } = listener;
  return open({ listener, max, tls, direct: listener.tls?.mode === "tls", surroundings });
}

export function listenCluster(
  listener: ClusterListener,
  surroundings: Surroundings,
): Promise<OpenListener> {
  const tls =
    listener.tls === undefined
      ? undefined
      : new TlsAcceptor(new TlsCertificates(linkTls(listener.tls)), linkHandshakeTimeout, "links");
  return open({ listener, max: linksPerAddressMax, tls, direct: tls !== undefined, surroundings });
}

interface Opening {
  readonly listener: C2sListener | ClusterListener;
  readonly max: number;
  readonly tls: TlsAcceptor | undefined;
  /** TLS comes before anything else. */
  readonly direct: boolean;
  readonly surroundings: Surroundings;
}

async function open(opening: Opening): Promise<OpenListener> {
  const { listener, max, tls, direct, surroundings } = opening;
  const { name } = listener;
  const limit = new AddressLimit({ listener: name, max, surroundings });
  const lines = new LineLimit({ max: 20, period: minute });
  const server = createServer({ noDelay: true, allowHalfOpen: true, keepAlive: true });
  server.on("connection", (socket) => {
    if (!limit.admit(socket)) return;
    const options = { listener: name, socket, tls, surroundings };
    if (tls === undefined || !direct) void new TcpConnection(options);
    else {
      socket.on("error", () => undefined); // told by the handshake, or by the TLS socket
      tls.secure(socket, "", (result) => {
        if (result instanceof Error) refuse(opening, lines, socket, result);
        else void new TcpConnection(options, result);
      });
    }
  });
  const port = await listening(server, listener);
  server.on("error", (error) =>
    surroundings.log.write("error", "listener-failed", { listener: name, reason: error.message }),
  );
  return {
    name,
    port,
    reloadCertificates: () => tls?.reload(),
    certificatesChanged: () => tls?.certificates.changed() ?? false,
    stop: () => void server.close(),
  };
}

/** With the first line after a full period comes how many were left out of that one. */
function refuse(
  { listener, surroundings }: Opening,
  lines: LineLimit,
  socket: Socket,
  error: Error,
): void {
  const now = performance.now();
  const remote = plainAddress(socket.remoteAddress);
  socket.destroy();
  const leftOut = lines.expire(now);
  if (!lines.allows(now)) return;
  // A node with a bad certificate is a mistake in the cluster; clients with bad TLS are the Internet.
  const level = listener.kind === "cluster" ? "warning" : "debug";
  surroundings.log.write(level, "tls-handshake-failed", {
    ...{ listener: listener.name, remote, reason: reasonOf(error) },
    ...(leftOut === 0 ? {} : { leftOut }),
  });
}
