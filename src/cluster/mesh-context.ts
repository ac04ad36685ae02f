/** Mesh context: what links and handshakes may ask of the mesh that holds them. */
import type { Instant } from "../base/time.ts";
import type { Channel } from "./link-channel.ts";
import type { Link } from "./link.ts";
import type { DialId, MeshEffect, MeshOptions } from "./mesh-contract.ts";
import type { NodeName } from "./peer.ts";

export interface MeshContext {
  readonly options: MeshOptions;
  /** Of the step under way. */
  readonly now: Instant;
  emit(effect: MeshEffect): void;
  /** The link has something to write: look at it in `flush`. */
  wake(link: Link): void;
  /** Made when it does not exist. */
  linkOf(name: NodeName): Link;
  /** Closes a connection, and tells its link. */
  drop(channel: Channel, reason: string): void;
  newDial(link: Link): DialId;
  /** Gives up a dial; where it is connected already, it is closed. */
  abandon(dial: DialId, channel: Channel | undefined, reason: string): void;
  /** Answers the hello of an arrived connection. */
  answer(channel: Channel, link: Link): void;
  /** 1, 2, … */
  nextSession(): number;
  /** From 0 up to, but not including, 1. */
  chance(): number;
}
