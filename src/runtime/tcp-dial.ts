/** TCP dial: how do we reach another node? One attempt, answered by a connection or by the reason why not. */
import { connect } from "node:net";
import { second } from "../base/time.ts";
import type { DialId } from "../ports/network.ts";
import { reasonOf, type Surroundings } from "./connection.ts";
import { TcpConnection } from "./tcp-connection.ts";

const dialTimeout = 10 * second;

/** `address` is `host:port`, IPv6 in brackets. */
export function dialTcp(dial: DialId, address: string, surroundings: Surroundings): void {
  const failed = (refused: boolean, reason: string): void =>
    surroundings.deliver({ type: "dial-failed", dial, refused, reason });
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(address.slice(colon + 1));
  if (colon <= 0 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    setImmediate(() => failed(false, `not an address of the form host:port: ${address}`));
    return;
  }
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  const onError = (error: NodeJS.ErrnoException): void => {
    clearTimeout(timer);
    socket.destroy();
    failed(error.code === "ECONNREFUSED", reasonOf(error));
  };
  const timer = setTimeout(
    () => onError(new Error(`no answer within ${dialTimeout / second} seconds`)),
    dialTimeout,
  );
  socket.once("error", onError);
  socket.once("connect", () => {
    clearTimeout(timer);
    socket.off("error", onError);
    void new TcpConnection({ listener: "cluster", socket, tls: undefined, surroundings, dial });
  });
}
