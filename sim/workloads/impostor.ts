/**
 * Impostor: tries wrong passwords and accounts that do not exist, and its own password in another's name, in
 * answer to another challenge or bound to another channel; must never get in.
 */
import type { Actor } from "../clients/actor.ts";
import type { Lie } from "../clients/authentication.ts";
import { accountAt, hostOf, nameOf, planHost } from "../addresses.ts";
import { bindsItsChannel, passwordOf, unbound, type Range } from "../plan.ts";

const liesOfAnybody: readonly Lie[] = ["identity", "nonce"];
const liesOfChannels: readonly Lie[] = [...liesOfAnybody, "channel"];

export function startImpostor(
  actor: Actor,
  behaviour: { readonly everyMs: Range; readonly insists?: boolean; readonly downgrades?: boolean },
): void {
  const lies = bindsItsChannel(actor.plan) ? liesOfChannels : liesOfAnybody;
  const attempt = (): void => {
    if (actor.client() !== undefined) return;
    const known = actor.random.chance(0.5);
    const { user: own } = actor.plan;
    const user = known ? own : accountAt(`ghost-${actor.random.int(5)}`, hostOf(own));
    const guesses = ["", "guess", `password of ${user} `];
    // Of whom has its name at another host.
    if (hostOf(user) !== planHost) guesses.push(passwordOf(nameOf(user)));
    const password = actor.random.pick(guesses);
    const insists = behaviour.insists === true;
    if (known && actor.random.chance(0.4)) {
      const lie = actor.random.pick(lies);
      const password = passwordOf(user);
      // Who is refused for it has not guessed, so nobody counts how often.
      if (behaviour.downgrades === true && actor.random.chance(0.4)) {
        const mechanism = unbound(actor.plan.mechanism);
        actor.logIn({ user, password, mechanism, lie: "downgrade" });
      } else actor.logIn({ user, password, insists, lie });
    } else actor.logIn({ user, password, insists });
  };
  actor.whenEnded(() => actor.within(behaviour.everyMs, attempt));
  actor.after(actor.plan.startAt, attempt);
}
