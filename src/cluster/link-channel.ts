/** Link channel: one connection with another node, from its opening on. */
import { binaryFromBytes, type BinaryString } from "../base/bytes.ts";
import type { Instant } from "../base/time.ts";
import type { Hello, Role } from "./handshake.ts";
import type { ConnectionId } from "./mesh-contract.ts";
import { FrameReader } from "./wire.ts";

/**
 * What it waits for: the peer's hello, our own dial to end (`parked`), the dialler's proof, the acceptor's
 * welcome; or it is in use, or no more.
 */
export type Stage = "hello" | "parked" | "proof" | "welcome" | "open" | "closed";

/** A hello and its exact bytes, which the proofs are about. */
export interface Said {
  readonly hello: Hello;
  readonly body: BinaryString;
}

/** `L` is what it belongs to, a link; named so, links may know channels. */
export class Channel<L> {
  readonly connection: ConnectionId;
  readonly role: Role;
  readonly remote: string;
  readonly openedAt: Instant;
  readonly binding: BinaryString;
  readonly reader: FrameReader;
  stage: Stage = "hello";
  /** Known from the start where we have dialled, else from the peer's hello on. */
  link: L | undefined;
  own: Said | undefined;
  peer: Said | undefined;
  /** As the dialler: how many connections the acceptor had accepted, this one included. */
  welcomeAccepted = 0;
  enteredAt: Instant = 0;

  constructor(options: {
    readonly connection: ConnectionId;
    readonly role: Role;
    readonly remote: string;
    readonly openedAt: Instant;
    readonly channelBinding: Uint8Array | undefined;
    readonly frameBytes: number;
    readonly link?: L;
  }) {
    this.connection = options.connection;
    this.role = options.role;
    this.remote = options.remote;
    this.openedAt = options.openedAt;
    const { channelBinding } = options;
    this.binding = channelBinding === undefined ? "" : binaryFromBytes(channelBinding);
    this.reader = new FrameReader(options.frameBytes);
    this.link = options.link;
  }

  /** In use: its frames go to the link. */
  get open(): boolean {
    return this.stage === "open";
  }

  get closed(): boolean {
    return this.stage === "closed";
  }
}
