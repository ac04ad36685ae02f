/** Mesh context: what links and handshakes may ask of the mesh that holds them. */
import type { Instant } from "../base/time.ts";
import type { Channel } from "./link-channel.ts";
import type { DialId, MeshEffect, MeshOptions } from "./mesh-contract.ts";
import type { NodeName } from "./peer.ts";

/** What hangs on nothing else. */
export interface MeshSurroundings {
  readonly options: MeshOptions;
  /** Of the step under way. */
  readonly now: Instant;
  /** From 0 up to, but not including, 1. */
  chance(): number;
}

/** `L` is a link; named so, links may know their context. */
export interface MeshContext<L> extends MeshSurroundings {
  emit(effect: MeshEffect): void;
  /** The link has something to write: look at it in `flush`. */
  wake(link: L): void;
  /** Made when it does not exist. */
  linkOf(name: NodeName): L;
  /** Closes a connection, and tells its link. */
  drop(channel: Channel<L>, reason: string): void;
  newDial(link: L): DialId;
  /** Gives up a dial; where it is connected already, it is closed. */
  abandon(dial: DialId, channel: Channel<L> | undefined, reason: string): void;
  /** Answers the hello of an arrived connection. */
  answer(channel: Channel<L>, link: L): void;
  /** 1, 2, … */
  nextSession(): number;
}
