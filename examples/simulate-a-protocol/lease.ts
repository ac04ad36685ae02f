/**
 * Lease: who has the lock, and until when? The protocol that is simulated here, and all of it.
 *
 * A tenant asks with `?`, one question at a time; the landlord answers `+` (it is yours for five seconds)
 * or `-` (it is somebody else's). Who has it and asks again has it for longer. No clock, no socket.
 */
export const leaseMs = 5_000;

export class Landlord {
  #tenant = "";
  #until = 0;

  answer(tenant: string, now: number): "+" | "-" {
    if (tenant !== this.#tenant && now < this.#until) return "-";
    this.#tenant = tenant;
    this.#until = now + leaseMs;
    return "+";
  }
}

/** From which moment does a tenant count its five seconds? One of the two is the bug. */
export type CountsFrom = "question" | "answer";

export class Tenant {
  readonly #countsFrom: CountsFrom;
  #askedAt = 0;
  /** Whatever the lock protects may be touched until then. */
  until = 0;

  constructor(countsFrom: CountsFrom) {
    this.#countsFrom = countsFrom;
  }

  ask(now: number): "?" {
    this.#askedAt = now;
    return "?";
  }

  /** Is it granted? */
  hears(answer: string, now: number): boolean {
    if (answer !== "+") return false;
    this.until = (this.#countsFrom === "answer" ? now : this.#askedAt) + leaseMs;
    return true;
  }
}
