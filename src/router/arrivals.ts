/**
 * Arrivals: has a session been given that stanza before?
 *
 * A stanza handed back by a dead link may have arrived all the same; it comes again marked `maybe`, under
 * the id that it had. So a session remembers the last 1,000 ids that reached it from other nodes. Ids are
 * numbers here (see `StanzaIds` in `stanza-frame.ts`): eight bytes each, and a search is rare.
 */

const remembered = 1_000;

export class Arrivals {
  readonly #ids: number[] = [];
  #next = 0;

  /** Notes that it is here; false if it has been here before. */
  add(id: number, maybe: boolean): boolean {
    if (maybe && this.#ids.includes(id)) return false;
    if (this.#ids.length < remembered) this.#ids.push(id);
    else this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % remembered;
    return true;
  }
}
