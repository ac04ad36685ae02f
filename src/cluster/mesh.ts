/**
 * Mesh: which nodes are we linked with, and over which connection?
 */
import type { BinaryString } from "../base/bytes.ts";
import type { Instant, Now } from "../base/time.ts";
import type { LinkStatus, MeshEffect, MeshInput, MeshOptions } from "./mesh-contract.ts";
import type { MessageKind } from "./messages.ts";
import { samePeer, type Peer } from "./peer.ts";

export type * from "./mesh-contract.ts";

export class Mesh {
  readonly #options: MeshOptions;
  #effects: MeshEffect[] = [];

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  /** When `step` must next be called, whatever else happens. */
  deadline(): Instant | undefined {
    return undefined;
  }

  step(_now: Now, _input: MeshInput): readonly MeshEffect[] {
    return this.#take();
  }

  /**
   * Queues a message of class `messages`; it is written at `flush`. Returns its position (1, 2, …) in this
   * session's order, or undefined when there is no such live session. With `session` (from `peer-up`) it
   * must be that one: effects of one step may end a session and begin the next, and what is sent in
   * answer to the former must not land in the latter.
   */
  send(peer: Peer, _kind: MessageKind, _body: BinaryString, _session?: number): number | undefined {
    return samePeer(peer, this.#options.self) ? undefined : undefined;
  }

  /** Ends the session; effects come with the next `step` or `flush`. */
  disconnect(_peer: Peer, _reason: string): void {}

  /** The end of a core step: writes what the windows allow. */
  flush(_now: Now): readonly MeshEffect[] {
    return this.#take();
  }

  status(): readonly LinkStatus[] {
    return [];
  }

  #take(): readonly MeshEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
