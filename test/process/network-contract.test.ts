import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Network, NetworkInput } from "../../src/ports/network.ts";
import { SocketNetwork } from "../../src/runtime/network.ts";
import {
  networkContract,
  type NetworkHarness,
  type PeerEnd,
} from "../contracts/network-contract.ts";
import { makePair, tlsConfig } from "../support/certificates.ts";
import { c2sListener } from "../support/echo-server.ts";

networkContract("sockets", socketHarness);

async function socketHarness(): Promise<NetworkHarness> {
  const inputs: NetworkInput[] = [];
  const watchers = new Set<() => void>();
  const look = () => {
    for (const watcher of watchers) watcher();
  };
  const network: Network & SocketNetwork = new SocketNetwork({
    deliver: (input) => {
      if (input.type !== "http-requested") inputs.push(input);
      look();
    },
    log: { write: () => undefined },
  });
  const tls = tlsConfig(await makePair("localhost"));
  const { port } = await network.listen(c2sListener({ tls }));
  const peers: SocketPeer[] = [];
  return {
    inputs,
    async connect() {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      await once(socket, "connect");
      const peer = new SocketPeer(socket, look);
      peers.push(peer);
      return peer;
    },
    turn: (act) => act(network),
    until: (condition) =>
      new Promise((resolve) => {
        const watcher = () => {
          if (!condition()) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
      }),
    async close() {
      await network.stopListening();
      network.closeAll();
      for (const peer of peers) peer.reset();
    },
  };
}

class SocketPeer implements PeerEnd {
  received = "";
  ended = false;
  secured = false;
  #socket: Socket;
  readonly #changed: () => void;

  constructor(socket: Socket, changed: () => void) {
    this.#socket = socket;
    this.#changed = changed;
    this.#listen(socket);
  }

  write(data: string): void {
    this.#socket.write(data, "latin1");
  }

  startTls(): void {
    const clear = this.#socket.removeAllListeners("data").removeAllListeners("end");
    const secured = connectTls({ socket: clear, rejectUnauthorized: false }, () => {
      this.secured = true;
      this.#changed();
    });
    this.#socket = secured;
    this.#listen(secured);
  }

  setReading(reading: boolean): void {
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    if (this.secured) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #listen(socket: Socket): void {
    const gone = () => {
      this.ended = true;
      this.#changed();
    };
    socket.on("data", (bytes: Buffer) => {
      this.received += bytes.toString("latin1");
      this.#changed();
    });
    socket.on("end", gone).on("close", gone).on("error", gone);
  }
}
