/** Reconnecter: logs out in order and in again, over and over. */
import type { Actor } from "../clients/actor.ts";
import type { Chat, Range } from "../plan.ts";
import { chatOn, logInAgain } from "./chatter.ts";
import { part } from "./parting.ts";
import { inLiveness } from "./vanisher.ts";

const staysAwayMs: Range = [0, 2_000];

export function startReconnecter(
  actor: Actor,
  behaviour: Chat & { readonly livesMs: Range },
): void {
  actor.whenOnline((client) => {
    chatOn(actor, client, behaviour);
    if (inLiveness(actor)) return;
    actor.within(behaviour.livesMs, () => {
      if (actor.online() !== client) return;
      if (actor.random.chance(0.7)) client.say.presence(false);
      part(actor, client);
    });
  });
  actor.whenEnded(() => actor.within(staysAwayMs, () => logInAgain(actor)));
  actor.after(actor.plan.startAt, () => logInAgain(actor));
}
