/**
 * Registrar: makes accounts in-band (XEP-0077) and looks in with each; many, so that now and then the
 * database fails while one is being made.
 */
import type { Actor } from "../clients/actor.ts";
import { passwordOf, type Range } from "../plan.ts";

const accountsMax = 20;
const staysMs: Range = [100, 1_000];

export function startRegistrar(actor: Actor, behaviour: { readonly everyMs: Range }): void {
  let made = 0;
  const register = (): void => {
    if (actor.client() !== undefined || made >= accountsMax) return;
    made += 1;
    const user = `${actor.plan.name}-account-${made}`;
    actor.logIn({ user, register: passwordOf(user) });
  };
  const [shortest, longest] = behaviour.everyMs;
  const pauseMs: Range = [shortest >> 2, longest >> 2];
  actor.whenOnline((client) => actor.within(staysMs, () => client.leave()));
  actor.whenEnded(() => actor.within(pauseMs, register));
  actor.after(actor.plan.startAt, register);
}
