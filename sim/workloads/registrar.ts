/** Registrar: makes accounts in-band (XEP-0077) and logs in with them; few, since hashing is dear. */
import type { Actor } from "../clients/actor.ts";
import { passwordOf, type Range } from "../plan.ts";

const accountsMax = 4;

export function startRegistrar(actor: Actor, behaviour: { readonly everyMs: Range }): void {
  let made = 0;
  const register = (): void => {
    if (actor.client() !== undefined || made >= accountsMax) return;
    made += 1;
    const user = `${actor.plan.name}-account-${made}`;
    actor.logIn({ user, register: passwordOf(user) });
  };
  actor.whenOnline((client) => actor.within(behaviour.everyMs, () => client.leave()));
  actor.whenEnded(() => actor.within(behaviour.everyMs, register));
  actor.after(actor.plan.startAt, register);
}
