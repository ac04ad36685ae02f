/**
 * Messages: which kinds of frame do nodes exchange, and how urgent is each?
 *
 * A kind is one byte. Below 128 an unknown kind ends the connection with a reason; from 128 on it is
 * acknowledged and ignored, so that a newer release may tell what an older one need not know.
 */
import type { BinaryString } from "../base/bytes.ts";

export const kinds = {
  // the link's own
  hello: 1,
  proof: 2,
  welcome: 3,
  refused: 4,
  /** Unnumbered: a sign of life, what was received, and an opaque body of the tables. */
  beat: 5,
  /** Unnumbered: what was received. */
  ack: 6,
  /** A drained node's last frame. */
  bye: 7,
  // tables
  tables: 16,
  have: 17,
  operations: 18,
  begin: 19,
  chunk: 20,
  end: 21,
  delta: 22,
  visible: 23,
  // routing
  stanza: 32,
  /** Reserved for custody: identifiers of stanzas that are safe. */
  done: 33,
  /** All sessions of a user must end, for a reason that the stream error tells. */
  endSessions: 34,
  // the link's own, which an older release may ignore
  /** Unnumbered: what was received is to be acknowledged now. */
  ask: 128,
} as const;

export type MessageKind = number;

/** From here on an unknown kind is acknowledged and ignored. */
export const ignorableFrom = 128;

/**
 * Classes of outgoing frames, each with an order of its own: `tables`, what nodes tell each other; `sync`, chunks
 * made when the wire takes them; `stanzas`, which yield to tables (`link-queues.ts`). Control frames are
 * unnumbered and never sent again.
 */
export const classes = { control: 0, tables: 1, sync: 2, stanzas: 3 } as const;

/** Of a message that is sent. */
export function classOf(kind: MessageKind): number {
  return kind === kinds.stanza ? classes.stanzas : classes.tables;
}

export interface Message {
  readonly kind: MessageKind;
  readonly body: BinaryString;
}
