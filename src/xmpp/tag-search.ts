/**
 * Tag search: has the `>` of a cut tag come yet?
 *
 * Scanning a tag again from its `<` at each chunk would be quadratic. So while it is cut, each new byte
 * is looked at once for the tag's end; then the whole tag is scanned. A byte that no tag may contain
 * also ends the search, for the scanner to find fault with.
 */
import { APOSTROPHE, classes, FORBIDDEN, GREATER, LESS, QUOTE } from "./scanner.ts";

export class TagSearch {
  /** Where to look next; 0: no tag is cut. */
  #at = 0;
  /** The quote that would end the current value; 0 outside values. */
  #quote = 0;

  start(at: number): void {
    this.#at = at;
    this.#quote = 0;
  }

  stop(): void {
    this.#at = 0;
  }

  rebase(by: number): void {
    if (this.#at > 0) this.#at -= by;
  }

  /** True if the tag can be scanned, in particular if none is cut. */
  found(bytes: Uint8Array, end: number): boolean {
    if (this.#at === 0) return true;
    for (let i = this.#at; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === LESS || (classes[byte] as number) & FORBIDDEN) return true;
      if (this.#quote !== 0) {
        if (byte === this.#quote) this.#quote = 0;
      } else if (byte === GREATER) return true;
      else if (byte === QUOTE || byte === APOSTROPHE) this.#quote = byte;
    }
    this.#at = end;
    return false;
  }
}
