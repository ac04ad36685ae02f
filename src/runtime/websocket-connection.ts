/**
 * WebSocket connection: RFC 7395 framing, where one text message is one input or one write.
 *
 * The same promises as `tcp-connection.ts`: messages of a turn leave together, congestion is told once,
 * `close` sends the rest and gives up on the peer after a while.
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { bytesFromBinary, type BinaryString } from "../base/bytes.ts";
import type { ConnectionId, TlsInfo } from "../ports/network.ts";
import { plainAddress, type Connection, type Surroundings } from "./connection.ts";
import { Lifecycle } from "./lifecycle.ts";

export interface WebSocketConnectionOptions {
  readonly listener: string;
  readonly socket: Socket;
  readonly webSocket: WebSocket;
  readonly tls: TlsInfo | undefined;
  readonly surroundings: Surroundings;
}

/** RFC 6455 §7.4.1 */
const normalClosure = 1_000;
const unsupportedData = 1_003;

export class WebSocketConnection implements Connection {
  readonly id: ConnectionId;
  readonly #surroundings: Surroundings;
  readonly #lifecycle: Lifecycle;
  readonly #socket: Socket;
  readonly #webSocket: WebSocket;
  #state: "open" | "closing" | "closed" = "open";
  /** Messages of this turn; empty when nothing is to be flushed. */
  #out: BinaryString[] = [];

  constructor({ listener, socket, webSocket, tls, surroundings }: WebSocketConnectionOptions) {
    this.#surroundings = surroundings;
    this.#socket = socket;
    this.#webSocket = webSocket;
    this.#lifecycle = new Lifecycle(surroundings);
    this.id = this.#lifecycle.id;
    surroundings.opened(this);
    webSocket.on("message", this.#onMessage);
    webSocket.on("error", (error) => {
      if (this.#state !== "closed") this.#lifecycle.failed(error);
    });
    webSocket.on("close", () => this.#closed());
    socket.on("drain", this.#onDrain);
    surroundings.deliver({
      type: "connection-opened",
      connection: this.id,
      listener,
      remote: plainAddress(socket.remoteAddress),
      framing: "websocket",
      ...(tls === undefined ? {} : { tls }),
    });
  }

  write(data: BinaryString): void {
    if (this.#state !== "open") return;
    if (this.#out.length === 0) this.#surroundings.flushLater(this);
    this.#out.push(data);
  }

  /** RFC 7395 §3.8: of a dead peer nobody acknowledges it, so ours (or a proxy's kernel between us) gives up the connection. */
  ping(): void {
    if (this.#state === "open") this.#webSocket.ping();
  }

  /** RFC 7395 §3.9: TLS is the business of wss, never of the stream. */
  startTls(): void {
    this.destroy("STARTTLS over WebSocket");
  }

  pauseReading(): void {
    this.#webSocket.pause();
  }

  resumeReading(): void {
    this.#webSocket.resume();
  }

  close(): void {
    this.#finish(normalClosure, "closed by us");
  }

  flush(): void {
    if (this.#out.length === 0 || this.#state === "closed") return;
    const out = this.#out;
    this.#out = [];
    this.#socket.cork();
    // Our strings hold bytes; `ws` would encode them once more.
    for (const message of out) this.#webSocket.send(bytesFromBinary(message), { binary: false });
    this.#socket.uncork();
    if (this.#state === "open") this.#lifecycle.written(this.#webSocket.bufferedAmount);
  }

  destroy(reason: string): void {
    if (this.#state === "closed") return;
    this.#lifecycle.failed(reason);
    this.#webSocket.terminate();
    this.#closed();
  }

  readonly #onMessage = (data: unknown, isBinary: boolean): void => {
    if (this.#state !== "open") return;
    // RFC 7395 §3.2: data frames in the subprotocol MUST be of the text type.
    if (isBinary || !(data instanceof Uint8Array)) {
      return this.#finish(unsupportedData, "a binary WebSocket message");
    }
    this.#surroundings.deliver({ type: "bytes-received", connection: this.id, bytes: data });
  };

  readonly #onDrain = (): void => {
    if (this.#state === "open") this.#lifecycle.drained();
  };

  #finish(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.flush();
    this.#state = "closing";
    this.#webSocket.resume(); // so that the peer's close frame is seen
    this.#webSocket.close(code);
    this.#lifecycle.ending(reason, (late) => this.destroy(late));
  }

  #closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#out = [];
    this.#lifecycle.closed(this);
  }
}
