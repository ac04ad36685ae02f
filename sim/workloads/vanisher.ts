/** Vanisher: a chatter whose host dies now and then, with or without a word. */
import type { Actor } from "../clients/actor.ts";
import type { Chat, Range } from "../plan.ts";
import { chatOn, logInAgain } from "./chatter.ts";

const staysAwayMs: Range = [100, 8_000];

export function startVanisher(
  actor: Actor,
  behaviour: Chat & { readonly livesMs: Range; readonly silent: boolean },
): void {
  actor.whenOnline((client) => {
    chatOn(actor, client, behaviour);
    if (inLiveness(actor)) return;
    actor.within(behaviour.livesMs, () => {
      if (actor.online() !== client) return;
      if (behaviour.silent) client.vanish();
      else client.abort();
    });
  });
  actor.whenEnded(() => actor.within(staysAwayMs, () => logInAgain(actor)));
  actor.after(actor.plan.startAt, () => logInAgain(actor));
}

/** From then on clients stay, so that the end can be judged. */
export function inLiveness(actor: Actor): boolean {
  const { setUp, safety } = actor.runPlan.duration;
  return actor.now() >= setUp + safety;
}
