/**
 * Gate: an address that stays, for a database that is started anew on another port, and that can be made bad.
 *
 * It can cut a connection at the moment when the server says that it has committed, so that the answer is lost and
 * the deed done; and hold back whatever is said, either way, for a while.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export class Gate {
  target = 0;
  losesCommits = false;
  /** How long each piece of what is said waits, in both directions. */
  delayMs = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((client) => {
    const upstream = connect(this.target, "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      /** What was said before is passed on before. */
      let said = Promise.resolve();
      const after = (pass: () => void): void => {
        const wait = this.delayMs === 0 ? said : Promise.all([said, sleep(this.delayMs)]);
        said = wait.then(pass);
      };
      from.on("data", (chunk: Buffer) => {
        const lost = this.losesCommits && from === upstream && chunk.includes("COMMIT\0");
        if (lost) from.destroy();
        else after(() => to.write(chunk));
      });
      from.on("end", () => after(() => to.end()));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        after(() => to.destroy());
      });
    }
  });

  async open(target: number): Promise<number> {
    this.target = target;
    this.#server.listen(0, "127.0.0.1");
    await new Promise((resolve) => this.#server.once("listening", resolve));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
