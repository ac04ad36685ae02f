/** TCP dial: how do we reach another node? One attempt, answered by a connection or by the reason why not. */
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { second } from "../base/time.ts";
import type { DialId } from "../ports/network.ts";
import { reasonOf, type Surroundings } from "./connection.ts";
import { TcpConnection } from "./tcp-connection.ts";
import type { TlsCertificates } from "./tls.ts";

export interface Dialling {
  readonly dial: DialId;
  /** `host:port`, IPv6 in brackets. */
  readonly address: string;
  /** The address that we listen on; a wildcard or one of the other family is no place to dial from. */
  readonly from: string | undefined;
  /** Our certificate and who may vouch for the other's; undefined: no TLS. */
  readonly tls: TlsCertificates | undefined;
  readonly surroundings: Surroundings;
  /** Called once, at its end, whatever that is. */
  readonly ended: () => void;
}

const dialTimeout = 10 * second;

/** Gives the attempt up: it fails at once. */
export type GiveUp = (reason: string) => void;

export function dialTcp(dialling: Dialling): GiveUp {
  const { dial, address, surroundings } = dialling;
  let socket: Socket | undefined;
  let done = false;
  const fail = (refused: boolean, reason: string): void => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    socket?.destroy();
    dialling.ended();
    surroundings.deliver({ type: "dial-failed", dial, refused, reason });
  };
  const timer = setTimeout(
    () => fail(false, `no answer within ${dialTimeout / second} seconds`),
    dialTimeout,
  );
  const place = placeOf(address);
  if (place === undefined) {
    setImmediate(() => fail(false, `not an address of the form host:port: ${address}`));
    return (reason) => fail(false, reason);
  }
  const onError = (error: NodeJS.ErrnoException): void =>
    fail(error.code === "ECONNREFUSED", complaint(error));
  // The ends of both directions are told apart, as they are on a connection that we accepted.
  const source = sourceFor(place.host, dialling.from);
  socket = connect({ ...place, ...source, noDelay: true, keepAlive: true, allowHalfOpen: true });
  socket.on("error", onError);
  const opened = (secured?: TLSSocket): void => {
    if (done || socket === undefined) return;
    done = true;
    clearTimeout(timer);
    (secured ?? socket).off("error", onError);
    dialling.ended();
    const parts = { listener: "cluster", socket, tls: undefined, surroundings, dial };
    void new TcpConnection(parts, secured);
  };
  socket.once("connect", () => {
    if (done || socket === undefined) return;
    if (dialling.tls === undefined) return opened();
    const secured = connectTls({
      ...dialling.tls.of(undefined).options,
      socket,
      minVersion: "TLSv1.3",
      // The authority vouches for members alone; which of them it is, the link's handshake proves.
      checkServerIdentity: () => undefined,
    });
    secured.on("error", onError);
    secured.once("secureConnect", () => opened(secured));
    secured.once("close", () => fail(false, "the peer left during the TLS handshake"));
  });
  return (reason) => fail(false, reason);
}

function placeOf(address: string): { host: string; port: number } | undefined {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(address.slice(colon + 1));
  if (colon <= 0 || host === "" || !Number.isInteger(port)) return undefined;
  return port < 1 || port > 65_535 ? undefined : { host, port };
}

function sourceFor(host: string, from: string | undefined): { localAddress?: string } {
  if (from === undefined || from === "0.0.0.0" || from === "::") return {};
  return isIP(host) === isIP(from) && isIP(host) !== 0 ? { localAddress: from } : {};
}

/** In words: a link's last error is read by people. */
function complaint(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "nobody listens there";
    case "ENOTFOUND":
      return "there is no such host";
    case "EAI_AGAIN":
      return "the host's name cannot be looked up now";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "the host cannot be reached";
    default:
      // Node wraps several failed addresses of one host name into one error without a message.
      return error.message === "" ? `no address answered (${error.code})` : reasonOf(error);
  }
}
