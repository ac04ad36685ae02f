/** Socket client: a plain or TLS client of tests, read by what it has received so far. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";

export class SocketClient {
  socket: Socket;
  received = "";
  ended = false;
  closed = false;
  readonly #watchers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    this.#listen(socket);
  }

  static async connect(port: number, host = "127.0.0.1"): Promise<SocketClient> {
    const socket = connect({ port, host, allowHalfOpen: true });
    await once(socket, "connect");
    return new SocketClient(socket);
  }

  static async connectTls(
    port: number,
    options: ConnectionOptions = {},
  ): Promise<{ client: SocketClient; socket: TLSSocket }> {
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
    await once(socket, "secureConnect");
    return { client: new SocketClient(socket), socket };
  }

  /** STARTTLS: from here on all is encrypted. */
  async upgrade(options: ConnectionOptions = {}): Promise<TLSSocket> {
    this.socket.removeAllListeners("data").removeAllListeners("end");
    const secured = connectTls({ socket: this.socket, rejectUnauthorized: false, ...options });
    await once(secured, "secureConnect");
    this.socket = secured;
    this.#listen(secured);
    return secured;
  }

  write(data: string): void {
    this.socket.write(data, "latin1");
  }

  async until(condition: (client: SocketClient) => boolean): Promise<void> {
    if (condition(this)) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!condition(this)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  receives(text: string): Promise<void> {
    return this.until(() => this.received.includes(text));
  }

  #listen(socket: Socket): void {
    const look = () => {
      for (const watcher of this.#watchers) watcher();
    };
    socket.on("data", (bytes: Buffer) => {
      this.received += bytes.toString("latin1");
      look();
    });
    socket.on("end", () => {
      this.ended = true;
      look();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
      look();
    });
  }
}
