/** Non-reader: stops reading for a while, as a phone asleep does; others go on sending to it. */
import type { Actor } from "../clients/actor.ts";
import type { Client } from "../clients/client.ts";
import type { Range } from "../plan.ts";
import type { Random } from "../kit/random.ts";
import { logInAgain } from "./chatter.ts";
import { part } from "./parting.ts";

const comesBackMs: Range = [500, 3_000];

export function startNonReader(
  actor: Actor,
  behaviour: { readonly readsMs: Range; readonly pausesMs: Range },
): void {
  const goes = actor.stream(`goes/${actor.plan.name}`);
  actor.whenOnline((client) => readOnAndOff(actor, client, behaviour, goes));
  actor.whenEnded(() => actor.within(comesBackMs, () => logInAgain(actor)));
  actor.after(actor.plan.startAt, () => logInAgain(actor));
}

function readOnAndOff(
  actor: Actor,
  client: Client,
  behaviour: { readonly readsMs: Range; readonly pausesMs: Range },
  goes: Random,
): void {
  const { setUp, safety } = actor.runPlan.duration;
  actor.within(behaviour.readsMs, () => {
    if (actor.online() !== client || actor.now() > setUp + safety) return;
    if (actor.plan.partsAsking !== undefined && goes.chance(0.5)) return part(actor, client);
    client.setReading(false);
    actor.within(behaviour.pausesMs, () => {
      if (actor.online() !== client) return;
      client.setReading(true);
      readOnAndOff(actor, client, behaviour, goes);
    });
  });
}
