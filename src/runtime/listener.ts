/** Listener: a port that accepts connections, of whatever kind, and how to stop it. */
import type { Server } from "node:net";
import type { ClusterListener, Listener } from "../server/config.ts";

export interface OpenListener {
  readonly name: string;
  /** The port bound: another than configured only where that was 0. */
  readonly port: number;
  /** Reads certificates again; throws, and changes nothing, if a file is no good. */
  reloadCertificates(): void;
  certificatesChanged(): boolean;
  /** Accepts no more; connections go on. */
  stop(): void;
}

/** Binds; rejects with an Error of one line for people. */
export function listening(server: Server, listener: Listener | ClusterListener): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(new Error(complaint(listener, error)));
    server.once("error", fail);
    const { ip_address: host, port } = listener;
    // Workers share the ports of clients; where a node is dialled, that very node must answer.
    const exclusive = listener.kind === "cluster";
    server.listen({ host, port, exclusive, backlog: 4_096 }, () => {
      server.off("error", fail);
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : listener.port);
    });
  });
}

function complaint(listener: Listener | ClusterListener, error: NodeJS.ErrnoException): string {
  const { name, ip_address: address, port } = listener;
  const what = `Cannot listen on ${address} port ${port} (listener "${name}")`;
  switch (error.code) {
    case "EADDRINUSE":
      return `${what}: another program uses this port`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EINVAL":
      return `${what}: this machine has no such address`;
    case "EACCES":
      return `${what}: ports below 1024 need more rights`;
    default:
      return `${what}: ${error.message}`;
  }
}
