/** Rival: wants a full JID that another client wants too; whoever is thrown out comes back later. */
import type { Actor } from "../clients/actor.ts";
import type { Behaviour, Range } from "../plan.ts";
import { chatOn, logInAgain } from "./chatter.ts";

const usuallyBackMs: Range = [500, 6_000];

export function startRival(
  actor: Actor,
  behaviour: Extract<Behaviour, { readonly kind: "rival" }>,
): void {
  const { comesBackMs = usuallyBackMs } = behaviour;
  actor.whenOnline((client) => chatOn(actor, client, behaviour));
  actor.whenEnded(() => actor.within(comesBackMs, () => logInAgain(actor)));
  actor.after(actor.plan.startAt, () => logInAgain(actor));
}
