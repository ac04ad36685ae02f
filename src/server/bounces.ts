/**
 * Bounces: has the sender of this stanza been told already that it came to nothing?
 *
 * A message to a bare JID may have several copies (RFC 6121 §8.5.2.1.1), each of which may come back by
 * itself; its sender has sent one and is told once. The ids of the last 1,000 stanzas that bounced are
 * remembered. Stanzas of which there is one copy may have no id: each of them is told of.
 */
import type { StanzaId } from "../router/stanza-frame.ts";

const remembered = 1_000;

export class Bounces {
  /** The oldest is the first. */
  readonly #ids = new Set<string>();

  /** Notes that a copy of it has come to nothing; false if that is told of already. */
  isFirst(id: StanzaId | undefined): boolean {
    if (id === undefined) return true;
    const key = `${id.origin} ${id.counter}`;
    if (this.#ids.has(key)) return false;
    this.#ids.add(key);
    if (this.#ids.size > remembered) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }
}
