/** Rival: wants a full JID that another client wants too; whoever is thrown out comes back later. */
import type { Actor } from "../clients/actor.ts";
import type { Chat, Range } from "../plan.ts";
import { chatOn, logInAgain } from "./chatter.ts";

const comesBackMs: Range = [500, 6_000];

export function startRival(actor: Actor, chat: Chat): void {
  actor.whenOnline((client) => chatOn(actor, client, chat));
  actor.whenEnded(() => actor.within(comesBackMs, () => logInAgain(actor)));
  actor.after(actor.plan.startAt, () => logInAgain(actor));
}
