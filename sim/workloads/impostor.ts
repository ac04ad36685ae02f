/** Impostor: tries wrong passwords and accounts that do not exist; must never get in. */
import type { Actor } from "../clients/actor.ts";
import type { Range } from "../plan.ts";

export function startImpostor(
  actor: Actor,
  behaviour: { readonly everyMs: Range; readonly insists?: boolean },
): void {
  const attempt = (): void => {
    if (actor.client() !== undefined) return;
    const known = actor.random.chance(0.5);
    const user = known ? actor.plan.user : `ghost-${actor.random.int(5)}`;
    const password = actor.random.pick(["", "guess", `password of ${user} `]);
    actor.logIn({ user, password, insists: behaviour.insists === true });
  };
  actor.whenEnded(() => actor.within(behaviour.everyMs, attempt));
  actor.after(actor.plan.startAt, attempt);
}
