/**
 * Lifecycle: what is the core told of a connection once it is open, whatever carries its bytes?
 *
 *     open [--congested--> <--drained--] --> ending --> closed
 *
 * Congestion is told once, and once that it is over. A connection that ends is given a while to send
 * the rest. When to ask for which is the connection's business.
 */
import type { ConnectionId } from "../ports/network.ts";
import { reasonOf, type Connection, type Surroundings } from "./connection.ts";

export class Lifecycle {
  readonly id: ConnectionId;
  readonly #surroundings: Surroundings;
  #congested = false;
  #reason = "ended by the peer";
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.id = surroundings.nextId();
  }

  /** Something was written; `unsent` bytes now wait in this process. */
  written(unsent: number): void {
    if (this.#congested || unsent <= this.#surroundings.congestionMark) return;
    this.#congested = true;
    this.#surroundings.deliver({ type: "connection-congested", connection: this.id });
  }

  /** Nothing waits any more. */
  drained(): void {
    if (!this.#congested) return;
    this.#congested = false;
    this.#surroundings.deliver({ type: "connection-drained", connection: this.id });
  }

  /** The end is near, and this is why. */
  failed(error: Error | string): void {
    this.#reason = typeof error === "string" ? error : reasonOf(error);
  }

  /** The rest is being sent; `giveUp` is called if the peer does not take it in time. */
  ending(reason: string, giveUp: (reason: string) => void): void {
    this.#reason = reason;
    this.#closeTimer = setTimeout(
      () => giveUp("the peer did not take the rest in time"),
      this.#surroundings.closeTimeout,
    );
  }

  /** To be called once. */
  closed(connection: Connection): void {
    clearTimeout(this.#closeTimer);
    this.#surroundings.closed(connection);
    this.#surroundings.deliver({
      type: "connection-closed",
      connection: this.id,
      reason: this.#reason,
    });
  }
}
