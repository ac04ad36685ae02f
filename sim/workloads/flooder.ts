/** Flooder: sends bursts of larger messages, so that queues fill. */
import type { Actor } from "../clients/actor.ts";
import type { Client } from "../clients/client.ts";
import type { Range } from "../plan.ts";
import { logInAgain } from "./chatter.ts";

export interface Flood {
  readonly everyMs: Range;
  readonly burst: number;
  readonly bytes: number;
  readonly peers: readonly string[];
}

export function startFlooder(actor: Actor, flood: Flood): void {
  actor.whenOnline((client) => floodOn(actor, client, flood));
  actor.whenEnded(() => actor.within([500, 3_000], () => logInAgain(actor)));
  actor.after(actor.plan.startAt, () => logInAgain(actor));
}

function floodOn(actor: Actor, client: Client, flood: Flood): void {
  actor.within(flood.everyMs, () => {
    const { setUp, safety } = actor.runPlan.duration;
    if (actor.online() !== client || actor.now() > setUp + safety) return;
    const peer = actor.random.pick(flood.peers);
    const burst = client.flushed() ? flood.burst : 0;
    for (let sent = 0; sent < burst; sent++) client.sendMessage(peer, flood.bytes);
    floodOn(actor, client, flood);
  });
}
