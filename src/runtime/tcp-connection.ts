/**
 * TCP connection: how do a socket's events become inputs, and effects its bytes?
 *
 *     open --startTls--> securing --[handshake done]--> open
 *       \___________________\__ close, [peer ended, failed] --> closing --> closed
 *
 * What a turn writes is gathered in one string and leaves by one system call. When the peer ends its
 * side, we read no more, but what the core writes until the end of that turn is still sent (its
 * `</stream:stream>`); `connection-closed` is told when both sides are done. Between `startTls` and
 * the handshake's end nothing is read as plain text: bytes sent in the clear break the handshake.
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { flat, type BinaryString } from "../base/bytes.ts";
import type { ConnectionId, DialId } from "../ports/network.ts";
import { plainAddress, reasonOf, type Connection, type Surroundings } from "./connection.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { TlsAcceptor } from "./tls.ts";
import { tlsInfo } from "./tls-info.ts";

export interface TcpConnectionOptions {
  readonly listener: string;
  readonly socket: Socket;
  readonly tls: TlsAcceptor | undefined;
  readonly surroundings: Surroundings;
  /** Set where we have opened the connection ourselves. */
  readonly dial?: DialId;
}

export class TcpConnection implements Connection {
  readonly id: ConnectionId;
  readonly #tls: TlsAcceptor | undefined;
  readonly #surroundings: Surroundings;
  readonly #lifecycle: Lifecycle;
  /** The TLS socket once there is one. */
  #socket: Socket;
  #state: "open" | "securing" | "closing" | "closed" = "open";
  /** Written in this turn; empty when nothing is to be flushed. */
  #out: BinaryString = "";
  #paused = false;

  /** Tells the core of a client; a TLS socket is one whose handshake is done. */
  constructor(options: TcpConnectionOptions, secured?: TLSSocket) {
    this.#surroundings = options.surroundings;
    this.#tls = options.tls;
    this.#socket = secured ?? options.socket;
    this.#lifecycle = new Lifecycle(options.surroundings);
    this.id = this.#lifecycle.id;
    options.surroundings.opened(this);
    options.surroundings.deliver({
      type: "connection-opened",
      connection: this.id,
      listener: options.listener,
      remote: plainAddress(options.socket.remoteAddress),
      framing: "tcp",
      ...(options.dial === undefined ? {} : { dial: options.dial }),
      ...(secured === undefined
        ? {}
        : { tls: tlsInfo(secured, options.dial === undefined ? "server" : "client") }),
    });
    this.#listen();
  }

  write(data: BinaryString): void {
    if (this.#state !== "open") return;
    if (this.#out === "") this.#surroundings.flushLater(this);
    this.#out += data;
    if (this.#out.length > this.#surroundings.congestionMark) this.flush();
  }

  /** Its framing has none. */
  ping(): void {
    return;
  }

  startTls(host: string): void {
    const { id } = this;
    if (this.#state !== "open" || this.#tls === undefined) return this.destroy("TLS is not set up");
    const clear = this.#socket;
    this.#state = "securing";
    clear.pause();
    clear.off("data", this.#onData).off("end", this.#onEnd).off("drain", this.#onDrain);
    const proceed = this.#out;
    this.#out = "";
    // The last byte in the clear must have left before the handshake may write.
    clear.write(proceed, "latin1", () => {
      if (this.#state !== "securing") return;
      this.#tls?.secure(clear, host, (result) => {
        if (this.#state !== "securing") return;
        if (result instanceof Error) return this.destroy(reasonOf(result));
        this.#state = "open";
        this.#socket = result;
        this.#surroundings.deliver({
          type: "tls-established",
          connection: id,
          tls: tlsInfo(result),
        });
        this.#listen();
      });
    });
  }

  pauseReading(): void {
    this.#paused = true;
    if (this.#state === "open") this.#socket.pause();
  }

  resumeReading(): void {
    this.#paused = false;
    if (this.#state === "open") this.#socket.resume();
  }

  close(): void {
    this.#finish("closed by us");
  }

  flush(): void {
    const out = this.#out;
    if (out === "" || this.#state === "closed") return;
    this.#out = "";
    const socket = this.#socket;
    // What is not written at once waits as it is, and would keep alive all that it is a part of.
    socket.write(socket.writableLength > 0 ? flat(out) : out, "latin1");
    if (this.#state === "open") this.#lifecycle.written(socket.writableLength);
  }

  destroy(reason: string): void {
    if (this.#state === "closed") return;
    this.#lifecycle.failed(reason);
    this.#socket.destroy();
    this.#closed();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on("error", this.#onError).on("close", this.#onClose);
    // The core may have closed in answer to the very input that announced the socket.
    if (this.#state === "open") {
      socket.on("data", this.#onData).on("end", this.#onEnd).on("drain", this.#onDrain);
    } else if (this.#state === "closing") socket.resume();
    if (this.#paused) socket.pause();
  }

  readonly #onData = (bytes: Uint8Array): void => {
    this.#surroundings.deliver({ type: "bytes-received", connection: this.id, bytes });
  };

  readonly #onEnd = (): void => {
    // In this turn the core may still answer what came just before the end.
    setImmediate(() => this.#finish("ended by the peer"));
  };

  readonly #onDrain = (): void => {
    if (this.#state === "open") this.#lifecycle.drained();
  };

  readonly #onError = (error: Error): void => {
    if (this.#state !== "closed") this.#lifecycle.failed(error);
  };

  readonly #onClose = (): void => this.#closed();

  /** Sends the rest and our end; then waits for the peer's, but not for ever. */
  #finish(reason: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    if (this.#state === "securing") return this.destroy(reason);
    this.flush();
    this.#state = "closing";
    const socket = this.#socket;
    socket.off("data", this.#onData).off("end", this.#onEnd).off("drain", this.#onDrain);
    socket.resume(); // so that the peer's end is seen; what comes before it is dropped
    socket.end();
    this.#lifecycle.ending(reason, (late) => this.destroy(late));
  }

  #closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#out = "";
    this.#lifecycle.closed(this);
  }
}
