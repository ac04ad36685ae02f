/**
 * Arrivals: has a session been given that stanza before?
 *
 * A stanza handed back by a dead link may have arrived all the same; it comes again marked `maybe`, under
 * the id that it had. So a session remembers the last 1,000 ids that reached it from other nodes. Ids are
 * numbers here (see `StanzaIds` in `stanza-frame.ts`): eight bytes each, and a search is rare.
 *
 * A copy whose session has gone is looked up again, marked too, and may reach a session before the copy
 * that was meant for it: so those marked are remembered apart, and every arrival is compared with them.
 */

/** Ids of one session. */
export const arrivalsRemembered = 1_000;

export class Arrivals {
  readonly #all = new Recent();
  readonly #marked = new Recent();

  /** Notes that it is here; false if it has been here before. */
  add(id: number, maybe: boolean): boolean {
    if ((maybe ? this.#all : this.#marked).has(id)) return false;
    this.#all.add(id);
    if (maybe) this.#marked.add(id);
    return true;
  }
}

/** The last ids, the oldest overwritten first. */
class Recent {
  readonly #ids: number[] = [];
  #next = 0;

  has(id: number): boolean {
    return this.#ids.length > 0 && this.#ids.includes(id);
  }

  add(id: number): void {
    if (this.#ids.length < arrivalsRemembered) this.#ids.push(id);
    else this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % arrivalsRemembered;
  }
}
