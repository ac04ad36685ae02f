/** Address limit: may this address open one more connection to this listener? */
import type { Socket } from "node:net";
import { plainAddress, type Surroundings } from "./connection.ts";

export interface AddressLimitOptions {
  readonly listener: string;
  readonly max: number;
  readonly surroundings: Pick<Surroundings, "log" | "refused">;
}

export class AddressLimit {
  readonly #options: AddressLimitOptions;
  /** Bounded by the number of open connections. */
  readonly #open = new Map<string, number>();
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: AddressLimitOptions) {
    this.#options = options;
  }

  /** Counts the socket until it closes; one too many is closed at once. */
  admit(socket: Socket): boolean {
    const { listener, max, surroundings } = this.#options;
    const address = plainAddress(socket.remoteAddress);
    const open = this.#open.get(address) ?? 0;
    if (open >= max) {
      socket.destroy();
      surroundings.refused.value += 1;
      this.#log(() =>
        surroundings.log.write("warning", "connection-refused", { listener, remote: address, max }),
      );
      return false;
    }
    this.#open.set(address, open + 1);
    socket.once("close", () => this.#leave(address));
    return true;
  }

  #leave(address: string): void {
    const open = (this.#open.get(address) ?? 1) - 1;
    if (open === 0) this.#open.delete(address);
    else this.#open.set(address, open);
  }

  /** At most once a second: an attack must not fill the disk. */
  #log(write: () => void): void {
    const now = performance.now();
    if (now - this.#loggedAt < 1_000) return;
    this.#loggedAt = now;
    write();
  }
}
