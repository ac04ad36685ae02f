/**
 * Sessions: who is bound here, by full and by bare JID.
 *
 * At most one session has a full JID. Removal is by session, never by name alone: an old connection's
 * clean-up must not erase the session that took its name.
 */
import type { Jid } from "../xmpp/jid.ts";
import type { Session } from "./session.ts";

export class Sessions {
  readonly #byFull = new Map<string, Session>();
  /** A user has few resources: one session is kept bare, several in an array in order of binding. */
  readonly #byBare = new Map<string, Session[]>();

  get size(): number {
    return this.#byFull.size;
  }

  /** Adds a session; the caller has removed or refused an older one of the same full JID. */
  add(session: Session): void {
    this.#byFull.set(session.jid.full, session);
    const others = this.#byBare.get(session.jid.bare);
    if (others === undefined) this.#byBare.set(session.jid.bare, [session]);
    else others.push(session);
  }

  /** Removes this very session; one that has since taken its JID stays. */
  remove(session: Session): boolean {
    if (this.#byFull.get(session.jid.full) === session) this.#byFull.delete(session.jid.full);
    const all = this.#byBare.get(session.jid.bare);
    const index = all?.indexOf(session) ?? -1;
    if (all === undefined || index < 0) return false;
    if (all.length === 1) this.#byBare.delete(session.jid.bare);
    else all.splice(index, 1);
    return true;
  }

  get(full: string): Session | undefined {
    return this.#byFull.get(full);
  }

  /** All of a user's sessions in order of binding. */
  of(jid: Jid): readonly Session[] {
    return this.#byBare.get(jid.bare) ?? [];
  }

  all(): Iterable<Session> {
    return this.#byFull.values();
  }

  /** Whoever is kept under either name, for who looks for what should have gone. */
  *kept(): IterableIterator<Session> {
    yield* this.#byFull.values();
    for (const all of this.#byBare.values()) {
      for (const session of all) if (this.get(session.jid.full) !== session) yield session;
    }
  }
}
