/** TCP listener: a port for XMPP over TCP, with STARTTLS, direct TLS (XEP-0368) or neither. */
import { createServer, type Socket } from "node:net";
import type { C2sListener } from "../server/config.ts";
import { AddressLimit } from "./address-limit.ts";
import { plainAddress, reasonOf, type Surroundings } from "./connection.ts";
import { listening, type OpenListener } from "./listener.ts";
import { TcpConnection } from "./tcp-connection.ts";
import { TlsAcceptor, TlsCertificates } from "./tls.ts";

export async function listenTcp(
  listener: C2sListener,
  surroundings: Surroundings,
): Promise<OpenListener> {
  const tls =
    listener.tls === undefined
      ? undefined
      : new TlsAcceptor(new TlsCertificates(listener.tls), listener.c2s_state_timeout);
  const { name, max_connections_per_address: max } = listener;
  const limit = new AddressLimit({ listener: name, max, surroundings });
  const server = createServer({ noDelay: true, allowHalfOpen: true, keepAlive: true });
  server.on("connection", (socket) => {
    if (!limit.admit(socket)) return;
    const options = { listener: name, socket, tls, surroundings };
    if (tls === undefined || listener.tls?.mode !== "tls") void new TcpConnection(options);
    else {
      socket.on("error", () => undefined); // told by the handshake, or by the TLS socket
      tls.secure(socket, "", (result) => {
        if (result instanceof Error) refuse(socket, result);
        else void new TcpConnection(options, result);
      });
    }
  });

  function refuse(socket: Socket, error: Error): void {
    surroundings.log.write("debug", "tls-handshake-failed", {
      listener: name,
      remote: plainAddress(socket.remoteAddress),
      reason: reasonOf(error),
    });
    socket.destroy();
  }

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
